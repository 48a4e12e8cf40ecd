"""Accepted replies kept by the digest of what was asked, so that a dataset that is resumed pays nothing twice."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Protocol

import structlog

from moviellm.artifacts import ArtifactStore

log = structlog.get_logger()

_PATIENCE_SECONDS = 5.0


class ReplyCache(Protocol):
    """Texts of replies by key; both methods may fail, which costs the caller only the cache."""

    async def find(self, key: str) -> str | None:
        """The text under the key, None where there is none."""

    async def put(self, key: str, text: str) -> None:
        """Keep the text under the key; the last one wins."""


class StoreReplies:
    """A ReplyCache in the artifact store, shared by all datasets: replies/<sha256>.json."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    async def find(self, key: str) -> str | None:
        """The text under the key, None where there is none."""
        data = await self._store.find(_path(key))
        return None if data is None else data.decode()

    async def put(self, key: str, text: str) -> None:
        """Keep the text under the key."""
        await self._store.replace(_path(key), text.encode())


class Remembered:
    """A cache that cannot hurt: what fails or takes too long is a miss, said once in the log."""

    def __init__(self, cache: ReplyCache | None, *, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._cache = cache
        self._patience_seconds = patience_seconds
        self._complained = False

    async def find(self, key: str) -> dict[str, Any] | None:
        """The object under the key, None where there is none or none that can be had."""
        if self._cache is None:
            return None
        try:
            async with asyncio.timeout(self._patience_seconds):
                text = await self._cache.find(key)
            value = None if text is None else json.loads(text)
        except Exception as error:
            self._complain("find", error)
            return None
        return value if isinstance(value, dict) else None

    async def put(self, key: str, value: Mapping[str, Any]) -> None:
        """Keep the object under the key if that can be done."""
        if self._cache is None:
            return
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._cache.put(key, json.dumps(dict(value), ensure_ascii=False))
        except Exception as error:
            self._complain("put", error)

    def _complain(self, doing: str, error: Exception) -> None:
        if not self._complained:
            log.warning("the cache of replies fails; asking without it", doing=doing, why=f"{type(error).__name__}")
        self._complained = True


def digest_of(model: str, system: str, user: str, schema: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """The key of a question: SHA-256 over everything that decides the reply, and nothing that is secret."""
    asked = [model, system, user, dict(schema), dict(options)]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _path(key: str) -> str:
    return f"replies/{key}.json"

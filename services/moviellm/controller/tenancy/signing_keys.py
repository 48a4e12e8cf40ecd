"""The public keys of an identity provider (a JSON Web Key Set), from a file or an address."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import structlog

from moviellm.errors import Unauthenticated, Unavailable
from moviellm.security.addresses import is_loopback
from moviellm.security.fresh_files import FreshFiles

log = structlog.get_logger()

Key = dict[str, Any]

MAX_BYTES = 1 << 20
FETCH_SECONDS = 5.0
OLD_AFTER = 3600.0
AGAIN_AFTER = 30.0
"""A token with an unknown key makes the keys be fetched again, but not more often than this (seconds)."""


class SigningKeys(Protocol):
    """Where keys are found."""

    async def find(self, name: str) -> Key:
        """The key of that id ("kid"), the only one where `name` is "". Raises Unauthenticated, Unavailable."""
        ...


def keys_at(place: str) -> SigningKeys:
    """Keys at an https address, or in a file."""
    return FetchedKeys(place) if "://" in place else FiledKeys(place)


def read_keys(data: bytes) -> list[Key]:
    """The keys of a set that may sign. Raises ValueError for what is no key set."""
    found = json.loads(data)
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ValueError('no JSON Web Key Set: {"keys": [{"kty": …}, …]}')
    return [key for key in keys if key.get("use", "sig") == "sig"]


class FiledKeys:
    """Keys in a file, which may change."""

    def __init__(self, path: str) -> None:
        self._keys = FreshFiles([path], lambda: read_keys(Path(path).read_bytes()))

    async def find(self, name: str) -> Key:
        """See `SigningKeys`."""
        return chosen(self._keys.value(), name)


class FetchedKeys:
    """Keys at an address: kept for an hour, fetched sooner for a token that names one that is not there."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._clock = clock
        self._keys: list[Key] = []
        self._tried_at = float("-inf")
        self._fetched_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def find(self, name: str) -> Key:
        """See `SigningKeys`."""
        if self._clock() - self._fetched_at > OLD_AFTER or not self._knows(name):
            await self._fetch()
        if not self._keys:
            raise Unavailable(
                "the identity provider's keys cannot be read now", reason="IDENTITY_PROVIDER_UNREACHABLE", retry_after=5
            )
        return chosen(self._keys, name)

    def _knows(self, name: str) -> bool:
        return any(not name or key.get("kid") == name for key in self._keys)

    async def _fetch(self) -> None:
        async with self._fetching:
            if self._clock() - self._tried_at < AGAIN_AFTER and self._keys:
                return
            if self._clock() - self._tried_at < 1.0:
                return
            self._tried_at = self._clock()
            try:
                self._keys = await asyncio.to_thread(fetched, self._url)
                self._fetched_at = self._clock()
            except (OSError, ValueError) as error:
                log.error("the identity provider's keys cannot be read", address=self._url, why=str(error))


def fetched(url: str) -> list[Key]:
    """The keys at an address. Raises OSError, or ValueError for what is no key set, or is sent in the clear."""
    with urllib.request.urlopen(_checked(url), timeout=FETCH_SECONDS) as answer:  # noqa: S310
        _checked(answer.url)
        return read_keys(answer.read(MAX_BYTES))


def _checked(url: str) -> str:
    host = url.partition("://")[2].partition("/")[0]
    if url.startswith("https://") or (url.startswith("http://") and is_loopback(host)):
        return url
    raise ValueError(f"{url} is no https address")


def chosen(keys: list[Key], name: str) -> Key:
    """The key of that id. Raises Unauthenticated where there is none, or where several could be meant."""
    fitting = [key for key in keys if not name or key.get("kid") == name]
    if len(fitting) != 1:
        raise Unauthenticated("the token is signed with a key that the identity provider does not name")
    return fitting[0]

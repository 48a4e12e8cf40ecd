"""Learnt styles read from the artifact store, the latest few kept in memory.

A style's digest is its identity: the same digest is read and checked once, whatever its URI.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from moviellm.artifacts import ArtifactStore, digest
from moviellm.errors import Broken, InvalidInput, NotFound
from moviellm.movie import LEARNED_FILES, LearnedStyle

ReadStyle = Callable[[Sequence[bytes]], Awaitable[Any]]
"""Turns a style's files into the painter's own form."""


class Learned(NamedTuple):
    """A learnt style or character of a request, and the request's field that it came in."""

    field: str
    look: LearnedStyle


class StyleShelf:
    """Styles by digest, least recently used first out."""

    def __init__(self, store: ArtifactStore, *, read: ReadStyle, capacity: int) -> None:
        self._store = store
        self._read = read
        self._capacity = capacity
        self._styles: OrderedDict[tuple[str, str], Any] = OrderedDict()

    async def fetch(self, learned: Learned) -> Any:
        """The vectors.

        Raises InvalidInput for a URI outside the store, for a file that is not there and for another token than the
        file's; Broken when the file is not what its digest says.
        """
        identity = (learned.look.digest, learned.look.token)
        if identity not in self._styles:
            self._styles[identity] = await self._load(*learned)
        vectors = self._styles[identity]
        self._styles.move_to_end(identity)
        while len(self._styles) > self._capacity:
            self._styles.popitem(last=False)
        return vectors

    async def _load(self, field: str, style: LearnedStyle) -> Any:
        key = self._store.key(style.uri, f"{field}.uri")
        try:
            first = await self._store.get(key)
        except NotFound as error:
            raise InvalidInput(f"{field}.uri", "must be a learnt style's file, but there is none") from error
        if digest(first) != style.digest:
            raise Broken(f"the learnt style {style.uri} is damaged: its SHA-256 is not {style.digest}")
        second = await self._store.find(str(PurePosixPath(key).with_name(LEARNED_FILES[1])))
        learned = await self._read([first] if second is None else [first, second])
        if learned.token != style.token:
            raise InvalidInput(f"{field}.token", f"must be the file's own token, {learned.token}")
        return learned

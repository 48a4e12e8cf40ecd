"""Pictures in the store: found with how they came about, and hung once."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from moviellm.artifacts import ArtifactStore, digest
from moviellm.errors import Broken
from moviellm.movie import StoredFile, Work
from moviellm.rendering import making
from moviellm.rendering.choice import Choice
from moviellm.rendering.faults import look
from moviellm.rendering.picture import PictureOrder, RenderedPicture

LOOKUPS = 32
"""Pictures of one request that are looked for in the store at a time."""


@dataclass(frozen=True)
class PictureFormat:
    """Files of pictures: writing one with a comment, reading the comment, reading the pixels (for a name)."""

    write: Callable[[Any, bytes], bytes]
    comment: Callable[[bytes], bytes]
    pixels: Callable[[bytes, str], Any]


@dataclass(frozen=True)
class Found:
    """A picture that lay in the store, and its fingerprint where it can be told."""

    picture: RenderedPicture
    fingerprint: bytes | None


class Gallery:
    """The pictures of orders in the artifact store."""

    def __init__(self, store: ArtifactStore, *, format: PictureFormat, node_pool: str, model: str) -> None:
        self._store = store
        self._format = format
        self._node_pool = node_pool
        self._model = model

    async def find(self, orders: Sequence[PictureOrder]) -> list[Found | None]:
        """What lies in the store for each order."""
        gate = asyncio.Semaphore(LOOKUPS)

        async def find_one(order: PictureOrder) -> Found | None:
            async with gate:
                data = await self._store.find(self._store.key(order.uri))
                return None if data is None else await asyncio.to_thread(self._found, order, data)

        return list(await asyncio.gather(*(find_one(order) for order in orders)))

    async def hang(self, order: PictureOrder, choice: Choice) -> RenderedPicture:
        """Put the picture into the store; who comes second tells of the first one's."""
        comment = making.write(choice.attempts, choice.fingerprint)
        data = await asyncio.to_thread(self._format.write, choice.pixels, comment)
        key = self._store.key(order.uri)
        if not await self._store.put(key, data):
            return self._found(order, await self._store.get(key)).picture
        work = Work(self._node_pool, choice.seconds, choice.gpu_seconds, self._model)
        file = StoredFile(order.uri, digest(data), len(data))
        return RenderedPicture(order.number, file, work=work, attempts=choice.attempts)

    def _found(self, order: PictureOrder, data: bytes) -> Found:
        attempts, fingerprint = making.read(self._format.comment(data)) or ((), self._fingerprint(order, data))
        picture = RenderedPicture(
            order.number,
            StoredFile(order.uri, digest(data), len(data)),
            existed=True,
            work=Work(self._node_pool, model=self._model),
            attempts=attempts,
        )
        return Found(picture, fingerprint)

    def _fingerprint(self, order: PictureOrder, data: bytes) -> bytes | None:
        """Of a picture that does not tell how it came about."""
        try:
            return look(self._format.pixels(data, order.uri)).fingerprint
        except Broken:
            return None

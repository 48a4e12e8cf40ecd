"""features/0001.pkl: one pickle a movie, written once."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from moviellm.errors import Broken
from moviellm.export.conversation import Conversations
from moviellm.export.features import FeatureEncoder, Packer, encoded
from moviellm.export.format import FOLDER, Desk, Written
from moviellm.export.record import FrameRecord
from moviellm.export.summary import MovieFolder

Frames = tuple[FrameRecord, ...]


class FeatureFiles:
    """Encodes the chosen frames of every movie and packs what the encoder saw as a trainer wants it."""

    def __init__(
        self,
        desk: Desk,
        name: str,
        *,
        layer: int,
        choose: Callable[[MovieFolder], Frames],
        pack: Callable[[MovieFolder, Frames, tuple[int, int]], Packer],
    ) -> None:
        self._desk = desk
        self._name = name
        self._layer = layer
        self._choose = choose
        self._pack = pack

    async def add(self, movie: MovieFolder) -> None:
        """Write the movie's pickle, unless it is there: encoding is the dear part of an export."""
        target = f"{FOLDER}/{self._name}/features/{movie.record.number:04}.pkl"
        if await self._desk.shelf.has(target):
            return
        if self._desk.encoder is None:
            raise Broken("feature files need a feature encoder")
        path = self._desk.folder / "features.pkl"
        await self._write(path, movie, self._desk.encoder)
        await self._desk.shelf.put_file(target, path)
        await asyncio.to_thread(path.unlink)

    async def _write(self, path: Path, movie: MovieFolder, encoder: FeatureEncoder) -> None:
        frames = self._choose(movie)
        packer = self._pack(movie, frames, encoder.shape)
        with await asyncio.to_thread(path.open, "wb") as file:
            async for features in encoded(self._desk.shelf, movie, frames, encoder, self._layer):
                await asyncio.to_thread(file.write, packer.take(features))
            await asyncio.to_thread(file.write, packer.close())


class Featured:
    """A format whose questions can be had with videos and with features."""

    def __init__(self, conversations: Conversations, features: FeatureFiles) -> None:
        self._conversations = conversations
        self._features = features

    async def add(self, movie: MovieFolder) -> None:
        """Append the questions of one movie and encode its frames."""
        await self._conversations.add(movie)
        await self._features.add(movie)

    async def finish(self) -> None:
        """Write the training files."""
        await self._conversations.finish()

    @property
    def written(self) -> Written:
        """What there is."""
        return self._conversations.written

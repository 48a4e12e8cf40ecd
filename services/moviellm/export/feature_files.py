"""features/0001.pkl: one pickle a movie, written once."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from moviellm.errors import Broken
from moviellm.export.conversation import Conversations
from moviellm.export.features import Features, encode_frames, write_pickle
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
        pack: Callable[[MovieFolder, Frames, Features], Any],
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
        frames = self._choose(movie)
        raw, path = self._desk.folder / "features.raw", self._desk.folder / "features.pkl"
        shelf = self._desk.shelf
        features = await encode_frames(shelf, movie, frames, self._desk.encoder, layer=self._layer, path=raw)
        await asyncio.to_thread(_write, path, self._pack(movie, frames, features))
        del features
        await shelf.put_file(target, path)
        for scratch in (raw, path):
            await asyncio.to_thread(scratch.unlink)


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


def _write(path: Path, value: object) -> None:
    with path.open("wb") as file:
        write_pickle(file, value)

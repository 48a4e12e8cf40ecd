"""Shards of bounded size, planned before a picture is read, so that those which lie in the store are skipped."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from moviellm.export.format import FOLDER, Desk, Tally
from moviellm.export.record import FrameRecord
from moviellm.export.shelf import Shelf
from moviellm.export.summary import MovieFolder

BATCH = 32
BATCH_BYTES = 4_000_000


@dataclass(frozen=True)
class Sample:
    """What is told about some frames, and the bytes it takes in a shard, their pictures included."""

    key: str
    record: dict[str, Any]
    frames: Sequence[FrameRecord]
    size_bytes: int


class Shard(Protocol):
    """A shard under way; its methods block."""

    def add(self, sample: Sample, pictures: Sequence[bytes]) -> None:
        """Append a sample with its pictures."""

    def close(self) -> None:
        """Finish the file."""


@dataclass(frozen=True)
class ShardKind:
    """How shards of a format are called and made; `overhead` is the size of an empty one."""

    folder: str
    name: Callable[[str, int], str]
    open_shard: Callable[[Path], Shard]
    overhead: int = 0


@dataclass
class Plan:
    """One shard: where it lies, how many samples and bytes it has."""

    path: str
    is_there: bool
    samples: int
    size_bytes: int


class ShardFiles:
    """Writes the samples of all movies, the shards of each split by themselves."""

    def __init__(self, desk: Desk, kind: ShardKind) -> None:
        self._desk = desk
        self._kind = kind
        self._splits: dict[str, _SplitShards] = {}
        self._tally = Tally()

    @property
    def records(self) -> Mapping[str, int]:
        """Samples so far, by split."""
        return self._tally.records

    @property
    def plans(self) -> Mapping[str, Sequence[Plan]]:
        """The shards so far, by split."""
        return {split: shards.plans for split, shards in self._splits.items()}

    async def add(self, movie: MovieFolder, samples: Iterable[Sample]) -> None:
        """Append the samples of one movie, a few pictures in memory at a time."""
        if movie.split not in self._splits:
            self._splits[movie.split] = _SplitShards(self._desk, self._kind, movie.split)
        shards = self._splits[movie.split]
        for sample in samples:
            await shards.add(movie, sample)
            self._tally.count(movie.split)
        await shards.flush(movie)
        self._tally.count(movie.split, 0)

    async def finish(self) -> None:
        """Close the last shards and write them."""
        for shards in self._splits.values():
            await shards.close()


class _SplitShards:
    """The shards of one split, one open at a time; a sample larger than a shard may be has one of its own."""

    def __init__(self, desk: Desk, kind: ShardKind, split: str) -> None:
        self._shelf: Shelf = desk.shelf
        self._desk = desk
        self._kind = kind
        self._split = split
        self._shard: Shard | None = None
        self._waiting: list[Sample] = []
        self.plans: list[Plan] = []

    async def add(self, movie: MovieFolder, sample: Sample) -> None:
        """Take in a sample; its pictures are read when a few have gathered."""
        if not self.plans or self.plans[-1].size_bytes + sample.size_bytes > self._desk.most_bytes:
            await self.flush(movie)
            await self.close()
            await self._begin()
        plan = self.plans[-1]
        plan.samples += 1
        plan.size_bytes += sample.size_bytes
        if plan.is_there:
            return
        self._waiting.append(sample)
        if len(self._waiting) == BATCH or sum(item.size_bytes for item in self._waiting) > BATCH_BYTES:
            await self.flush(movie)

    async def flush(self, movie: MovieFolder) -> None:
        """Write the samples that wait."""
        if not self._waiting:
            return
        pictures = await movie.pictures(self._shelf, [frame for sample in self._waiting for frame in sample.frames])
        waiting, self._waiting = self._waiting, []
        await asyncio.to_thread(self._write, waiting, iter(pictures))

    async def close(self) -> None:
        """Finish the shard under way and put it into the store; its local copy goes at once."""
        if self._shard is None:
            return
        await asyncio.to_thread(self._shard.close)
        self._shard = None
        await self._shelf.put_file(self.plans[-1].path, self._local)
        await asyncio.to_thread(self._local.unlink)

    async def _begin(self) -> None:
        name = self._kind.name(self._split, len(self.plans))
        path = f"{FOLDER}/{self._kind.folder}/{name}"
        self.plans.append(Plan(path, await self._shelf.has(path), 0, self._kind.overhead))

    @property
    def _local(self) -> Path:
        table = self._kind.folder.replace("/", "-")
        return self._desk.folder / f"{table}-{self._split}-{len(self.plans):05}"

    def _write(self, samples: Sequence[Sample], pictures: Any) -> None:
        if self._shard is None:
            self._shard = self._kind.open_shard(self._local)
        for sample in samples:
            self._shard.add(sample, [next(pictures) for _ in sample.frames])

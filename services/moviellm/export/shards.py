"""webdataset shards: tar files of bounded size, a picture and its record next to each other."""

import asyncio
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from moviellm.export.record import MovieRecord
from moviellm.export.shelf import Shelf
from moviellm.export.summary import MovieFolder
from moviellm.export.turns import in_turns

FOLDER = "shards"
BATCH = 32

TAR_BLOCK = 512
TAR_RECORD = 10240


@dataclass(frozen=True)
class Sample:
    """A key without dots, a picture's file in the movie's folder, what is told about the picture."""

    key: str
    file: str
    record: dict[str, Any]


class ShardWriter:
    """Fills one local tar file after the other; blocking.

    A sample of the key "m0001-000001" is the members m0001-000001.jpg and m0001-000001.json. Owner, mode and time of
    the members are fixed: equal samples give equal bytes.
    """

    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._tar: tarfile.TarFile | None = None
        self._path = folder
        self._bytes = 0
        self.shards = 0

    def add(self, key: str, picture: bytes, record: dict[str, Any]) -> Path | None:
        """Append a sample; returns the shard that was closed before it because it was full, if one was."""
        text = json.dumps(record, ensure_ascii=False).encode()
        size = _stored(len(picture)) + _stored(len(text))
        full = None
        if self._tar is not None and self._bytes + size + TAR_RECORD > self._most_bytes:
            full = self.close()
        tar = self._tar or self._open()
        _append(tar, f"{key}.jpg", picture)
        _append(tar, f"{key}.json", text)
        self._bytes += size
        return full

    def close(self) -> Path | None:
        """Finish the shard under way and return it; None when there is none."""
        if self._tar is None:
            return None
        self._tar.close()
        self._tar = None
        return self._path

    def _open(self) -> tarfile.TarFile:
        self._path = self._folder / f"train-{self.shards:06}.tar"
        self._tar = tarfile.open(self._path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 -- closed by close()
        self.shards += 1
        self._bytes = 0
        return self._tar


class ShardFiles:
    """Writes the shards of all movies into the store; a shard's local copy goes as soon as it is there."""

    def __init__(self, shelf: Shelf, folder: Path, *, most_bytes: int) -> None:
        self._shelf = shelf
        self._writer = ShardWriter(folder, most_bytes=most_bytes)
        self.samples = 0

    @property
    def count(self) -> int:
        """Shards so far."""
        return self._writer.shards

    async def add(self, movie: MovieFolder) -> None:
        """Append the key frames of one movie, a few pictures in memory at a time."""
        batch: list[Sample] = []
        for sample in samples(movie.record):
            batch.append(sample)
            if len(batch) == BATCH:
                await self._add_batch(movie, batch)
                batch = []
        await self._add_batch(movie, batch)

    async def finish(self) -> None:
        """Close the last shard and write it."""
        await self._store_shard(await asyncio.to_thread(self._writer.close))

    async def _add_batch(self, movie: MovieFolder, batch: list[Sample]) -> None:
        pictures = await in_turns([partial(self._shelf.read, f"{movie.path}/{sample.file}") for sample in batch])
        for sample, picture in zip(batch, pictures, strict=True):
            await self._store_shard(self._writer.add(sample.key, picture, sample.record))
            self.samples += 1

    async def _store_shard(self, path: Path | None) -> None:
        if path is not None:
            await self._shelf.put_file(f"{FOLDER}/{path.name}", path)
            await asyncio.to_thread(path.unlink)


def samples(movie: MovieRecord) -> Iterator[Sample]:
    """A sample of every key frame; all records have the same keys."""
    spoken: dict[int, list[dict[str, str]]] = {}
    for line in movie.dialogue:
        spoken.setdefault(line.after_frame, []).append({"speaker": line.speaker, "text": line.text})
    for chapter, scene in movie.scenes:
        for frame in scene.frames:
            yield Sample(
                f"m{movie.number:04}-{frame.number:06}",
                frame.file,
                {
                    "prompt": frame.prompt,
                    "description": frame.description,
                    "characters": list(frame.characters),
                    "dialogue": spoken.get(frame.number, []),
                    "style": movie.style.keyword,
                    "location": scene.location,
                    "title": movie.title,
                    "movie": movie.number,
                    "chapter": chapter.number,
                    "scene": scene.number,
                    "frame": frame.number,
                    "seconds": frame.start_seconds,
                    "seed": frame.seed,
                },
            )


def _append(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o644
    member.uname = member.gname = "moviellm"
    tar.addfile(member, io.BytesIO(data))


def _stored(size: int) -> int:
    return TAR_BLOCK + -(-size // TAR_BLOCK) * TAR_BLOCK

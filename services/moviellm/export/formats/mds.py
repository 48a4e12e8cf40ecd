"""MosaicML streaming: MDS shards with an index.json a split.

A sample is one question with the frames that prove its answer: {"frames": "list[jpeg]", "id": "str", "qa": "json"}. A
shard is the number of samples, their offsets and one past the last (all little-endian 32-bit), the columns as JSON,
then the samples: the sizes of their columns, in the order of the names, and the columns. Readers refuse `pkl` columns.
"""

import json
import shutil
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from moviellm.export.asked import Asked, asked
from moviellm.export.format import FOLDER, Desk, Format, View, Written
from moviellm.export.shards import Plan, Sample, ShardFiles, ShardKind
from moviellm.export.summary import MovieFolder

NAME = "mds"
COLUMNS = {"frames": "list[jpeg]", "id": "str", "qa": "json"}


def open_format(desk: Desk) -> Format:
    """formats/mds/train/shard.00000.mds and so on, formats/mds/train/index.json."""
    return Mds(desk)


class Mds:
    """Shards a split and their index, which is all a reader looks for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._header = json.dumps(_config(desk.most_bytes), sort_keys=True).encode()
        kind = ShardKind(NAME, _path, lambda path: MdsShard(path, self._header), overhead=8 + len(self._header))
        self._shards = ShardFiles(desk, kind)
        self._mended = 0
        self._dropped = 0

    async def add(self, movie: MovieFolder) -> None:
        """Append the questions of one movie."""
        await self._shards.add(movie, self._samples(movie))

    async def finish(self) -> None:
        """Write the last shards and the indexes."""
        await self._shards.finish()
        for split in self._shards.records:
            shards = [self._entry(plan) for plan in self._shards.plans.get(split, ())]
            index = json.dumps({"shards": shards, "version": 2}, sort_keys=True)
            await self._desk.shelf.put(f"{FOLDER}/{NAME}/{split}/index.json", index.encode())

    @property
    def written(self) -> Written:
        """What there is."""
        files = {split: (f"{FOLDER}/{NAME}/{split}/",) for split in self._shards.records}
        return Written(NAME, (View(NAME, "question", dict(self._shards.records), files),), self._mended, self._dropped)

    def _samples(self, movie: MovieFolder) -> Iterator[Sample]:
        for item in asked(movie):
            if item is None:
                self._dropped += 1
                continue
            self._mended += item.mended
            frames = item.frames(self._desk.most_pictures)
            record = _record(item, [frame.number for frame in frames])
            sizes = [frame.size_bytes for frame in frames]
            # The offset of the sample, the sizes of its columns, then the columns.
            size = 4 + 12 + (8 + 4 * len(sizes) + sum(sizes)) + len(item.item.id.encode()) + len(_text(record))
            yield Sample(item.item.id, record, frames, size)

    def _entry(self, plan: Plan) -> dict[str, Any]:
        raw = {"basename": Path(plan.path).name, "bytes": plan.size_bytes, "hashes": {}}
        return _config(self._desk.most_bytes) | {"raw_data": raw, "samples": plan.samples, "zip_data": None}


class MdsShard:
    """One shard; samples are gathered in a file beside it, since their offsets come first."""

    def __init__(self, path: Path, header: bytes) -> None:
        self._path = path
        self._header = header
        self._body_path = path.with_name(f"{path.name}.body")
        self._body = self._body_path.open("wb")
        self._sizes: list[int] = []

    def add(self, sample: Sample, pictures: Sequence[bytes]) -> None:
        """Append one sample."""
        columns = [_list(pictures), sample.key.encode(), _text(sample.record)]
        data = _sizes(columns) + b"".join(columns)
        self._body.write(data)
        self._sizes.append(len(data))

    def close(self) -> None:
        """Put the shard together."""
        self._body.close()
        count = len(self._sizes)
        offsets = [4 + 4 * (count + 1) + len(self._header)]
        for size in self._sizes:
            offsets.append(offsets[-1] + size)
        with self._path.open("wb") as shard, self._body_path.open("rb") as body:
            shard.write(struct.pack(f"<{count + 2}I", count, *offsets) + self._header)
            shutil.copyfileobj(body, shard)
        self._body_path.unlink()


def _path(split: str, number: int) -> str:
    return f"{split}/shard.{number:05}.mds"


def _config(most_bytes: int) -> dict[str, Any]:
    names = sorted(COLUMNS)
    return {
        "version": 2,
        "format": "mds",
        "compression": None,
        "hashes": [],
        "size_limit": most_bytes,
        "column_names": names,
        "column_encodings": [COLUMNS[name] for name in names],
        "column_sizes": [None] * len(names),
    }


def _record(item: Asked, numbers: Sequence[int]) -> dict[str, Any]:
    told = {"question": item.question, "answer": item.answer, "video": item.video, "frames": list(numbers)}
    return told | item.about()


def _text(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode()


def _list(items: Sequence[bytes]) -> bytes:
    """A list column: a reserved zero, the number of items, their sizes, the items."""
    return struct.pack("<II", 0, len(items)) + _sizes(items) + b"".join(items)


def _sizes(items: Sequence[bytes]) -> bytes:
    return struct.pack(f"<{len(items)}I", *map(len, items))

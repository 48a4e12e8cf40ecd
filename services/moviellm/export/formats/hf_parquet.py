"""Hugging Face datasets: two parquet tables, frames with their pictures inside and questions."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from moviellm.errors import Broken
from moviellm.export.asked import Asked, asked
from moviellm.export.format import FOLDER, Desk, Format, View, Written
from moviellm.export.frame_sample import frame_samples
from moviellm.export.shards import Sample, ShardFiles, ShardKind
from moviellm.export.summary import MovieFolder
from moviellm.export.table import OpenTable

NAME = "hf_parquet"
ROWS, GROUP_BYTES = 64, 8_000_000
FRAMES = {
    **{"image": "picture", "prompt": "text", "description": "text", "characters": "texts", "style": "text"},
    **{"location": "text", "title": "text", "movie": "int", "chapter": "int", "scene": "int", "frame": "int"},
    **{"seconds": "float", "seed": "int", "dialogue": "texts"},
}
QUESTIONS = {
    **{"id": "text", "movie": "int", "title": "text", "video": "text", "question": "text", "answer": "text"},
    **{"kind": "text", "category": "text", "level": "text", "difficulty": "text", "choices": "texts"},
    **{"first_frame": "int", "last_frame": "int", "start_seconds": "float", "end_seconds": "float"},
}


def open_format(desk: Desk) -> Format:
    """formats/hf_parquet/frames/train-00000.parquet and questions/train-00000.parquet and so on."""
    return HfParquet(desk)


class HfParquet:
    """Both tables, in files of bounded size with small groups of rows."""

    def __init__(self, desk: Desk) -> None:
        if desk.open_table is None:
            raise Broken("the export service was built without tables")
        self._frames = ShardFiles(desk, _kind("frames", desk.open_table, FRAMES))
        self._questions = ShardFiles(desk, _kind("questions", desk.open_table, QUESTIONS))
        self._mended = 0
        self._dropped = 0

    async def add(self, movie: MovieFolder) -> None:
        """Append the frames and the questions of one movie."""
        await self._frames.add(movie, _frames(movie))
        await self._questions.add(movie, self._asked(movie))

    async def finish(self) -> None:
        """Write the last files."""
        await self._frames.finish()
        await self._questions.finish()

    @property
    def written(self) -> Written:
        """What there is: one view a table."""
        views = (
            _view("frames", "frame", self._frames.records),
            _view("questions", "question", self._questions.records),
        )
        return Written(NAME, views, self._mended, self._dropped)

    def _asked(self, movie: MovieFolder) -> Iterator[Sample]:
        for item in asked(movie):
            if item is None:
                self._dropped += 1
                continue
            self._mended += item.mended
            row = _question(item)
            yield Sample(item.item.id, row, (), len(json.dumps(row)))


class TableShard:
    """One table file; rows are gathered into small groups."""

    def __init__(self, path: Path, *, open_table: OpenTable, columns: Mapping[str, str]) -> None:
        self._table = open_table(path, columns)
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0

    def add(self, sample: Sample, pictures: Sequence[bytes]) -> None:
        """Append a row."""
        if pictures:
            picture = {"bytes": pictures[0], "path": f"{sample.key}.jpg"}
            self._rows.append({"image": picture, **sample.record})
        else:
            self._rows.append(sample.record)
        self._bytes += sample.size_bytes
        if len(self._rows) == ROWS or self._bytes > GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """Finish the file."""
        self._flush()
        self._table.close()

    def _flush(self) -> None:
        if self._rows:
            self._table.add(self._rows)
        self._rows, self._bytes = [], 0


def _kind(table: str, open_table: OpenTable, columns: Mapping[str, str]) -> ShardKind:
    return ShardKind(
        folder=f"{NAME}/{table}",
        name=lambda split, number: f"{split}-{number:05}.parquet",
        open_shard=partial(TableShard, open_table=open_table, columns=columns),
    )


def _view(table: str, unit: str, records: Mapping[str, int]) -> View:
    files = {split: (f"{FOLDER}/{NAME}/{table}/{split}-*.parquet",) for split in records}
    return View(table, unit, dict(records), files)


def _frames(movie: MovieFolder) -> Iterator[Sample]:
    for found in frame_samples(movie):
        lines = [f"{line['speaker']}: {line['text']}" for line in found.record["dialogue"]]
        row = found.record | {"dialogue": lines}
        yield Sample(found.key, row, (found.frame,), found.frame.size_bytes + len(json.dumps(row)))


def _question(item: Asked) -> dict[str, Any]:
    about = item.about()
    evidence: dict[str, Any] = about.pop("evidence")
    record = item.movie.record
    told: dict[str, Any] = {"id": item.item.id, "movie": record.number, "title": item.title, "video": item.video}
    return told | {"question": item.question, "answer": item.answer} | about | evidence

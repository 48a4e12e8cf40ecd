"""Training files: a question and its answer a record, a file a split, written as streams."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moviellm.export.asked import Asked, asked
from moviellm.export.format import FOLDER, Desk, Tally, View, Written
from moviellm.export.summary import MovieFolder

Render = Callable[[Asked], dict[str, Any]]


@dataclass(frozen=True)
class Shape:
    """How one kind of record of a format looks: a JSON list in {split}{suffix}.json, or a line each in .jsonl."""

    render: Render
    suffix: str = ""
    lines: bool = False

    def file(self, split: str) -> str:
        """The file's name."""
        return f"{split}{self.suffix}.json{'l' if self.lines else ''}"


class Conversations:
    """The training files of one format; record by record into local files, put into the store at the end."""

    def __init__(self, desk: Desk, name: str, shapes: Sequence[Shape]) -> None:
        self._desk = desk
        self._name = name
        self._shapes = shapes
        self._tally = Tally()
        self._mended = 0
        self._dropped = 0

    async def add(self, movie: MovieFolder) -> None:
        """Append the questions of one movie to the files of its split."""
        found = list(asked(movie))
        items = [item for item in found if item is not None]
        self._dropped += len(found) - len(items)
        self._mended += sum(item.mended for item in items)
        await asyncio.to_thread(self._append, movie.split, items)
        self._tally.count(movie.split, len(items))

    async def finish(self) -> None:
        """Close the files and write them."""
        for split, records in self._tally.records.items():
            for shape in self._shapes:
                path = self._desk.folder / shape.file(split)
                if not shape.lines:
                    await asyncio.to_thread(_close, path, records)
                await self._desk.shelf.put_file(f"{FOLDER}/{self._name}/{path.name}", path)

    @property
    def records(self) -> Mapping[str, int]:
        """How many records there are, by split."""
        return self._tally.records

    @property
    def written(self) -> Written:
        """What there is; one view a shape."""
        views = tuple(
            View(
                name=f"{self._name}{shape.suffix}",
                unit="question",
                records=dict(self.records),
                files={split: (f"{FOLDER}/{self._name}/{shape.file(split)}",) for split in self.records},
            )
            for shape in self._shapes
        )
        return Written(self._name, views, self._mended, self._dropped)

    def _append(self, split: str, items: Sequence[Asked]) -> None:
        for shape in self._shapes:
            first = not self._tally.records.get(split)
            with (self._desk.folder / shape.file(split)).open("a", encoding="utf-8") as file:
                for item in items:
                    text = json.dumps(shape.render(item), ensure_ascii=False)
                    file.write(f"{text}\n" if shape.lines else f"{'[' if first else ','}\n{text}")
                    first = False


def _close(path: Any, records: int) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("\n]\n" if records else "[]\n")

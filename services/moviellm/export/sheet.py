"""contact-sheet.jpg: the first movies at a glance."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from moviellm.export.shelf import Shelf
from moviellm.export.summary import MovieFolder, spread
from moviellm.export.turns import in_turns

NAME = "contact-sheet.jpg"
MOVIES = 3
COLUMNS = 8


@dataclass(frozen=True)
class Strip:
    """One movie on the sheet: its title, a line about it, encoded pictures in the order of the story."""

    title: str
    caption: str
    pictures: tuple[bytes, ...]


class DrawSheet(Protocol):
    """Draws a sheet; blocking."""

    def __call__(self, strips: Sequence[Strip], *, columns: int) -> bytes:
        """The sheet as a JPEG."""


class ContactSheet:
    """Collects the first movies and has them drawn."""

    def __init__(self, shelf: Shelf, draw: DrawSheet) -> None:
        self._shelf = shelf
        self._draw = draw
        self._strips: list[Strip] = []

    async def add(self, movie: MovieFolder) -> None:
        """Take in the next movie; only the first few are shown."""
        if len(self._strips) == MOVIES:
            return
        frames = spread(movie.record.frames, 2 * COLUMNS)
        pictures = await in_turns([partial(self._shelf.read, f"{movie.path}/{frame.file}") for frame in frames])
        self._strips.append(Strip(movie.record.title, _caption(movie), tuple(pictures)))

    async def finish(self) -> None:
        """Draw and write the sheet."""
        await self._shelf.put(NAME, await asyncio.to_thread(partial(self._draw, self._strips, columns=COLUMNS)))


def _caption(movie: MovieFolder) -> str:
    record = movie.record
    parts = (record.style.keyword, f"{len(record.scenes)} scenes", f"{record.frame_count} key frames")
    return " · ".join(part for part in parts if part)

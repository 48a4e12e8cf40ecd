"""What a format is: it sees every movie once, in order, and leaves files that some loader reads.

A format is one file in `formats/`, named as in `moviellm.dataset.FORMATS`, with a function `open_format(desk)`. What it
writes are views of the movies' folders: pictures and videos are named, not copied, where the loader allows. Its files
are deterministic and written once, so an export that was killed goes on with what is missing.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from moviellm.export.features import FeatureEncoder
from moviellm.export.shelf import Shelf
from moviellm.export.summary import MovieFolder
from moviellm.export.table import OpenTable

FOLDER = "formats"


@dataclass(frozen=True)
class View:
    """Records of one kind that a loader reads by themselves; `unit` is "question" or "frame".

    `records` counts them by split; `files` names by split the files they are in, from the dataset's folder on, with a
    "*" where there may be many.
    """

    name: str
    unit: str
    records: Mapping[str, int]
    files: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Written:
    """What a format wrote, for the card.

    `mended` counts records in which trainers' control words were made harmless, `dropped` those left out as empty.
    """

    name: str
    views: tuple[View, ...]
    mended: int = 0
    dropped: int = 0


class Format(Protocol):
    """One format of one dataset under way, in bounded memory whatever the number of movies."""

    async def add(self, movie: MovieFolder) -> None:
        """Take in the next movie."""

    async def finish(self) -> None:
        """Write what has not been written yet."""

    @property
    def written(self) -> Written:
        """What there is, complete after `finish`."""


@dataclass(frozen=True)
class Desk:
    """What a format has to work with.

    `shelf` is the dataset's folder, `folder` an empty local one of its own. Shards are closed before they would grow
    beyond `most_bytes`; where pictures are given as a list, it has at most `most_pictures` of them. Without an
    `encoder` there are no feature files.
    """

    shelf: Shelf
    folder: Path
    most_bytes: int
    most_pictures: int
    open_table: OpenTable | None = None
    encoder: FeatureEncoder | None = None


@dataclass
class Tally:
    """Counts by split, in the order splits appear; an empty split is not there."""

    records: dict[str, int] = field(default_factory=dict)

    def count(self, split: str, number: int = 1) -> None:
        """Count records of a split."""
        self.records[split] = self.records.get(split, 0) + number


def open_format(name: str, desk: Desk) -> Format:
    """The format of that name, nothing written yet."""
    module = importlib.import_module(f"{__package__}.formats.{name}")
    opened: Format = module.open_format(desk)
    return opened

"""Hugging Face imagefolder: movies/0001/metadata.jsonl beside the frames it names, so that no picture is copied.

Its loader refuses paths that leave the metadata's folder, and takes every metadata file given to it; data_files.json
says which belong to which split.
"""

import json

from moviellm.export.format import FOLDER, Desk, Format, Tally, View, Written
from moviellm.export.frame_sample import frame_samples
from moviellm.export.summary import MovieFolder

NAME = "imagefolder"
METADATA = "metadata.jsonl"


def open_format(desk: Desk) -> Format:
    """A metadata.jsonl in every movie's folder, formats/imagefolder/data_files.json."""
    return ImageFolder(desk)


class ImageFolder:
    """A line a key frame."""

    def __init__(self, desk: Desk) -> None:
        self._shelf = desk.shelf
        self._tally = Tally()
        self._files: dict[str, list[str]] = {}

    async def add(self, movie: MovieFolder) -> None:
        """Write the metadata of one movie."""
        samples = list(frame_samples(movie))
        lines = [json.dumps({"file_name": item.frame.file} | item.record, ensure_ascii=False) for item in samples]
        path = f"{movie.path}/{METADATA}"
        await self._shelf.put(path, "".join(f"{line}\n" for line in lines).encode())
        self._files.setdefault(movie.split, []).append(path)
        self._tally.count(movie.split, len(samples))

    async def finish(self) -> None:
        """Write which metadata belongs to which split."""
        await self._shelf.put(f"{FOLDER}/{NAME}/data_files.json", json.dumps(self._files, indent=1).encode())

    @property
    def written(self) -> Written:
        """What there is."""
        files = {split: tuple(paths) for split, paths in self._files.items()}
        return Written(NAME, (View(NAME, "frame", dict(self._tally.records), files),))

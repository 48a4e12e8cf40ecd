"""index.html: the preview page, one file that opens from disk."""

import dataclasses
import importlib.resources
import json
from typing import Any

from moviellm.dataset import MovieDatasetSpec
from moviellm.export.shelf import Shelf
from moviellm.export.summary import MovieFolder

NAME = "index.html"
TEMPLATE = "preview.html"
PLACEHOLDER = "{{ DATA }}"


class Preview:
    """Collects the movies for the page; the first `most_movies` with everything, the others as a card only."""

    def __init__(self, shelf: Shelf, dataset: str, spec: MovieDatasetSpec, *, most_movies: int) -> None:
        self._shelf = shelf
        self._dataset = dataset
        self._spec = spec
        self._most_movies = most_movies
        self._movies: list[dict[str, Any]] = []

    async def add(self, movie: MovieFolder) -> None:
        """Take in the next movie."""
        entry: dict[str, Any] = {"summary": dataclasses.asdict(movie.summary())}
        if len(self._movies) < self._most_movies:
            entry["record"] = _for_scripts(dataclasses.asdict(movie.record))
            entry["questions"] = [dataclasses.asdict(item) for item in movie.questions]
        self._movies.append(entry)

    async def finish(self) -> None:
        """Write the page."""
        spec = _for_scripts(dataclasses.asdict(self._spec))
        data = {"dataset": self._dataset, "spec": spec, "movies": self._movies}
        await self._shelf.put(NAME, page(data).encode())


def page(data: dict[str, Any]) -> str:
    """The page with its data in it."""
    template = importlib.resources.files(__package__).joinpath(TEMPLATE).read_text(encoding="utf-8")
    return template.replace(PLACEHOLDER, embedded(data))


def embedded(data: object) -> str:
    """JSON that cannot leave the script element it stands in, whatever the texts hold."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _for_scripts(value: Any) -> Any:
    """The value with seeds as text: they have 63 bits, a script's numbers only 53."""
    if isinstance(value, dict):
        return {name: str(item) if name == "seed" else _for_scripts(item) for name, item in value.items()}
    return [_for_scripts(item) for item in value] if isinstance(value, list | tuple) else value

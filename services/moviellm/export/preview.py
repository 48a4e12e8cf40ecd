"""index.html and preview/: the page that shows a dataset, opened from disk without any network.

The page, its styles, its script and the dataset's figures are loaded at once; the story of a movie is a script of its
own, fetched when that movie is opened. So the page is small, and no number of movies is too large for it.
"""

import asyncio
import dataclasses
import html
import importlib.resources
import json
from collections.abc import Mapping
from typing import Any

from moviellm.dataset import MovieDatasetSpec
from moviellm.export.distributions import Distributions
from moviellm.export.quality_report import PAPER, QualityReport
from moviellm.export.shelf import Shelf
from moviellm.export.summary import MovieFolder

NAME = "index.html"
FOLDER = "preview"
PARTS = "page"
TITLE = "{{ TITLE }}"
STYLES = ("page.css", "movie.css", "narrow.css")
SCRIPTS = (
    "dom.js",
    "data.js",
    "quality.js",
    "home.js",
    "theater.js",
    "storyboard.js",
    "questions.js",
    "finder.js",
    "closeup.js",
    "desk.js",
    "main.js",
)
LISTED_PLACES = 12


class Preview:
    """Writes each movie's story as it comes, and the page with what is known of all movies at the end.

    `counted` and `quality` take in each movie before this does.
    """

    def __init__(
        self, shelf: Shelf, dataset: str, spec: MovieDatasetSpec, *, counted: Distributions, quality: QualityReport
    ) -> None:
        self._shelf = shelf
        self._dataset = dataset
        self._spec = spec
        self._counted = counted
        self._quality = quality
        self._movies: list[dict[str, Any]] = []

    async def add(self, movie: MovieFolder) -> None:
        """Take in the next movie."""
        self._movies.append(dataclasses.asdict(movie.summary()))
        script = await asyncio.to_thread(story_script, movie, self._quality.movies[-1])
        await self._shelf.put(f"{FOLDER}/movies/{movie.record.number:04}.js", script.encode())

    async def finish(self) -> None:
        """Write the page."""
        data = {
            "dataset": self._dataset,
            "spec": _for_scripts(dataclasses.asdict(self._spec)),
            "movies": self._movies,
            "quality": self._quality.total,
            "paper": PAPER,
            "counted": {
                "kinds": dict(self._counted.kinds.most_common()),
                "difficulties": {name: self._counted.difficulties[name] for name in ("easy", "medium", "hard")},
                "locations": dict(self._counted.locations.most_common(LISTED_PLACES)),
                "people": {number: self._counted.people[number] for number in range(4)},
                "scores": self._counted.scores,
            },
        }
        await self._shelf.put(f"{FOLDER}/page.css", joined(STYLES).encode())
        await self._shelf.put(f"{FOLDER}/page.js", joined(SCRIPTS).encode())
        await self._shelf.put(f"{FOLDER}/dataset.js", called("opened(", data).encode())
        await self._shelf.put(NAME, page(self._spec.theme).encode())


def story_script(movie: MovieFolder, figures: Mapping[str, Any]) -> str:
    """The script with everything about one movie; `figures` are those of quality.json."""
    story = {
        "record": _for_scripts(dataclasses.asdict(movie.record)),
        "questions": [dataclasses.asdict(item) for item in movie.questions],
        "figures": figures,
    }
    return called(f"arrived({movie.record.number}, ", story)


def page(title: str) -> str:
    """The page; its title is all that it holds of the dataset."""
    return joined((NAME,)).replace(TITLE, html.escape(" ".join(title.split())))


def joined(names: tuple[str, ...]) -> str:
    """The page's parts of these names, one after the other."""
    folder = importlib.resources.files(__package__).joinpath(PARTS)
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


def called(call: str, data: object) -> str:
    """A script that hands the data to the page."""
    return f"MovieLLM.{call}{embedded(data)});\n"


def embedded(data: object) -> str:
    """JSON that is a script's literal, too, and that holds no markup, whatever its texts hold."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _for_scripts(value: Any) -> Any:
    """The value with seeds as text: they have 63 bits, a script's numbers only 53."""
    if isinstance(value, dict):
        return {name: str(item) if name == "seed" else _for_scripts(item) for name, item in value.items()}
    return [_for_scripts(item) for item in value] if isinstance(value, list | tuple) else value

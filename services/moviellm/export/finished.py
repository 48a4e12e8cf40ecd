"""A finished movie as the store holds it: what the other stages handed over, complete or not at all."""

import asyncio
from dataclasses import dataclass
from typing import TypeVar

from moviellm.artifacts import ArtifactStore, MovieKeys
from moviellm.dataset import MovieDatasetSpec, MovieStyle, Questions, RenderedScene
from moviellm.errors import Broken, Unsatisfied
from moviellm.movie import Chapter, Outline, Question, Scene
from moviellm.wire import from_json

T = TypeVar("T")

READS_AT_ONCE = 16
NAMED_WHEN_MISSING = 6

SceneNumber = tuple[int, int]


@dataclass(frozen=True)
class FinishedMovie:
    """All parts of one movie; scenes and pictures by (chapter, scene)."""

    number: int
    outline: Outline
    style: MovieStyle
    chapters: dict[int, Chapter]
    scenes: dict[SceneNumber, Scene]
    rendered: dict[SceneNumber, RenderedScene]
    questions: tuple[Question, ...]


async def load_movie(store: ArtifactStore, keys: MovieKeys, spec: MovieDatasetSpec) -> FinishedMovie:
    """The movie; raises Unsatisfied naming what is missing, Broken for parts that contradict the request."""
    reader = _Reader(store, keys)
    shape = spec.shape
    places = list(shape.scene_numbers())
    chapter_numbers = range(1, shape.chapters + 1)
    parts = question_parts(spec)
    outline, style, chapters, scenes, rendered, questions = await asyncio.gather(
        reader.read(keys.outline, Outline),
        reader.read(keys.style, MovieStyle),
        reader.read_all([keys.chapter(number) for number in chapter_numbers], Chapter),
        reader.read_all([keys.scene(*place) for place in places], Scene),
        reader.read_all([keys.rendered(*place) for place in places], RenderedScene),
        reader.read_all([keys.questions(part) for part in parts], Questions),
    )
    reader.raise_if_missing()
    movie = FinishedMovie(
        number=keys.movie,
        outline=_present(outline),
        style=_present(style),
        chapters=dict(zip(chapter_numbers, map(_present, chapters), strict=True)),
        scenes=dict(zip(places, map(_present, scenes), strict=True)),
        rendered=dict(zip(places, map(_present, rendered), strict=True)),
        questions=tuple(question for part in questions for question in _present(part).questions),
    )
    _check(movie, spec)
    return movie


def question_parts(spec: MovieDatasetSpec) -> list[str]:
    """The parts of a movie that questions are asked about, in the order of the story, the order of events last."""
    parts = ["movie"]
    for chapter in range(1, spec.chapters + 1):
        parts.append(f"chapter-{chapter:02}")
        parts.extend(f"scene-{chapter:02}-{scene:02}" for scene in range(1, spec.scenes + 1))
    return [*parts, "order"]


class _Reader:
    """Reads artifacts, a few at once, and remembers which are missing."""

    def __init__(self, store: ArtifactStore, keys: MovieKeys) -> None:
        self._store = store
        self._keys = keys
        self._turns = asyncio.Semaphore(READS_AT_ONCE)
        self._missing: list[str] = []

    async def read(self, key: str, cls: type[T]) -> T | None:
        name = key.removeprefix(self._keys.work + "/")
        async with self._turns:
            data = await self._store.find(key)
        if data is None:
            self._missing.append(name)
            return None
        return from_json(data, cls, f"{name} of movie {self._keys.movie}")

    async def read_all(self, keys: list[str], cls: type[T]) -> list[T | None]:
        return await asyncio.gather(*(self.read(key, cls) for key in keys))

    def raise_if_missing(self) -> None:
        if self._missing:
            raise missing_error(f"movie {self._keys.movie}", self._missing)


def missing_error(owner: str, names: list[str]) -> Unsatisfied:
    """The error that names the first few missing things."""
    shown = ", ".join(sorted(names)[:NAMED_WHEN_MISSING])
    rest = len(names) - NAMED_WHEN_MISSING
    more = f" and {rest} more" if rest > 0 else ""
    return Unsatisfied(f"{owner} is not finished; missing: {shown}{more}", reason="NOT_FINISHED")


def _present(value: T | None) -> T:
    if value is None:
        raise AssertionError("raise_if_missing has been asked before")
    return value


def _check(movie: FinishedMovie, spec: MovieDatasetSpec) -> None:
    if len(movie.outline.chapters) != spec.chapters:
        raise Broken(f"movie {movie.number} has {len(movie.outline.chapters)} chapters, asked for were {spec.chapters}")
    for number, chapter in movie.chapters.items():
        if len(chapter.scenes) != spec.scenes:
            raise Broken(f"movie {movie.number}, chapter {number} has {len(chapter.scenes)} scenes, not {spec.scenes}")
    for place, scene in movie.scenes.items():
        written, rendered = len(scene.frames), len(movie.rendered[place].frames)
        if (written, rendered) != (spec.frames, spec.frames):
            where = f"movie {movie.number}, chapter {place[0]}, scene {place[1]}"
            raise Broken(f"{where}: {written} frames written and {rendered} rendered, asked for were {spec.frames}")

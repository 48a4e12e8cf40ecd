"""A finished movie as the store holds it: what the other stages handed over, complete or not at all."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TypeVar

from moviellm.artifacts import ArtifactStore, MovieKeys
from moviellm.dataset import (
    Mends,
    MovieDatasetSpec,
    MovieQuality,
    MovieStyle,
    Provenance,
    Questions,
    RenderedScene,
)
from moviellm.errors import Broken, Unsatisfied
from moviellm.movie import Chapter, CharacterRole, Dropped, Mend, Outline, Question, Scene
from moviellm.wire import from_json, provenance

T = TypeVar("T")

READS_AT_ONCE = 16
NAMED_WHEN_MISSING = 6

SceneNumber = tuple[int, int]


#: The levels of a movie that somebody wrote, as `FinishedMovie.made` names them.
LEVELS = ("outline", "chapters", "scenes", "questions")


@dataclass(frozen=True)
class FinishedMovie:
    """All parts of one movie; scenes and pictures by (chapter, scene).

    `faces` holds what was learnt of main characters, by name; `made` tells by level how its artifacts came about, as
    far as they say; `dropped` counts questions thrown away.
    """

    number: int
    outline: Outline
    style: MovieStyle
    chapters: dict[int, Chapter]
    scenes: dict[SceneNumber, Scene]
    rendered: dict[SceneNumber, RenderedScene]
    questions: tuple[Question, ...]
    dropped: tuple[Dropped, ...] = ()
    quality: MovieQuality | None = None
    imported: tuple[Mend, ...] = ()
    faces: tuple[tuple[str, MovieStyle], ...] = ()
    made: dict[str, tuple[Provenance, ...]] = field(default_factory=dict)


async def load_movie(store: ArtifactStore, keys: MovieKeys, spec: MovieDatasetSpec) -> FinishedMovie:
    """The movie; raises Unsatisfied naming what is missing, Broken for parts that contradict the request."""
    reader = _Reader(store, keys)
    shape = spec.shape
    places = list(shape.scene_numbers())
    chapter_numbers = range(1, shape.chapters + 1)
    outline, style, chapters, scenes, rendered, asked = await asyncio.gather(
        reader.read(keys.outline, Outline, "outline"),
        reader.read(keys.style, MovieStyle),
        reader.read_all([keys.chapter(number) for number in chapter_numbers], Chapter, "chapters"),
        reader.read_all([keys.scene(*place) for place in places], Scene, "scenes"),
        reader.read_all([keys.rendered(*place) for place in places], RenderedScene),
        _questions(reader, keys, spec),
    )
    imported = await reader.find(keys.imported_mends, Mends)
    faces = await _faces(reader, keys, outline) if outline and spec.learn_characters else []
    reader.raise_if_missing()
    movie = FinishedMovie(
        number=keys.movie,
        outline=_present(outline),
        style=_present(style),
        chapters=dict(zip(chapter_numbers, map(_present, chapters), strict=True)),
        scenes=dict(zip(places, map(_present, scenes), strict=True)),
        rendered=dict(zip(places, map(_present, rendered), strict=True)),
        questions=asked.questions,
        dropped=asked.dropped,
        quality=_measured(await reader.find(keys.quality, MovieQuality)),
        imported=imported.mends if imported else (),
        faces=tuple((name, _present(face)) for name, face in faces),
        made=reader.made,
    )
    _check(movie, spec)
    return movie


async def _faces(reader: "_Reader", keys: MovieKeys, outline: Outline) -> list[tuple[str, MovieStyle | None]]:
    names = [one.name for one in outline.characters if one.role is CharacterRole.MAIN]
    found = await reader.read_all([keys.character(number) for number, _ in enumerate(names, 1)], MovieStyle)
    return list(zip(names, found, strict=True))


async def _questions(reader: "_Reader", keys: MovieKeys, spec: MovieDatasetSpec) -> Questions:
    """The questions as the review left them, else those of all parts; what was dropped before counts either way."""
    names = [keys.questions(part) for part in question_parts(spec)]
    reviewed = await reader.find(keys.reviewed, Questions, "questions")
    if reviewed is None:
        parts = [part for part in await reader.read_all(names, Questions, "questions") if part is not None]
        return Questions(tuple(item for part in parts for item in part.questions), _summed(parts))
    before = await asyncio.gather(*(reader.find(name, Questions, "questions") for name in names))
    return Questions(reviewed.questions, _summed([part for part in (*before, reviewed) if part is not None]))


def _summed(parts: list[Questions]) -> tuple[Dropped, ...]:
    counts: Counter[str] = Counter()
    for part in parts:
        for dropped in part.dropped:
            counts[dropped.reason] += dropped.count
    return tuple(Dropped(reason, count) for reason, count in sorted(counts.items()) if count)


def _measured(quality: MovieQuality | None) -> MovieQuality | None:
    return quality if quality and quality.measures.pictures else None


def question_parts(spec: MovieDatasetSpec) -> list[str]:
    """The parts of a movie that questions are asked about, in the order of the story, the order of events last."""
    parts = ["movie"]
    for chapter in range(1, spec.chapters + 1):
        parts.append(f"chapter-{chapter:02}")
        parts.extend(f"scene-{chapter:02}-{scene:02}" for scene in range(1, spec.scenes + 1))
    return [*parts, "order"]


class _Reader:
    """Reads artifacts, a few at once; remembers which are missing, and how those of a level were made, by key."""

    def __init__(self, store: ArtifactStore, keys: MovieKeys) -> None:
        self._store = store
        self._keys = keys
        self._turns = asyncio.Semaphore(READS_AT_ONCE)
        self._missing: list[str] = []
        self._made: dict[str, dict[str, Provenance]] = {level: {} for level in LEVELS}

    @property
    def made(self) -> dict[str, tuple[Provenance, ...]]:
        """How the artifacts of each level were made, in the order of their keys."""
        return {level: tuple(found[key] for key in sorted(found)) for level, found in self._made.items()}

    async def read(self, key: str, cls: type[T], level: str = "") -> T | None:
        """The artifact; None, and remembered, when it is missing."""
        found = await self.find(key, cls, level)
        if found is None:
            self._missing.append(self._name(key))
        return found

    async def find(self, key: str, cls: type[T], level: str = "") -> T | None:
        """The artifact, None when there is none."""
        async with self._turns:
            data = await self._store.find(key)
        if data is None:
            return None
        name = f"{self._name(key)} of movie {self._keys.movie}"
        made = provenance(data, name) if level else None
        if made is not None:
            self._made[level][key] = made
        return from_json(data, cls, name)

    async def read_all(self, keys: list[str], cls: type[T], level: str = "") -> list[T | None]:
        return await asyncio.gather(*(self.read(key, cls, level) for key in keys))

    def raise_if_missing(self) -> None:
        if self._missing:
            raise missing_error(f"movie {self._keys.movie}", self._missing)

    def _name(self, key: str) -> str:
        return key.removeprefix(self._keys.work + "/")


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

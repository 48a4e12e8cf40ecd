"""A requester's own plot: read and mended once at the door, kept beside the request, taken instead of writing."""

from collections.abc import Iterator
from typing import TypeVar

from moviellm import wire
from moviellm.artifacts import ArtifactStore, DatasetKeys
from moviellm.controller.stages import ImportedPlot, Made
from moviellm.dataset import Mends, PlotSpec, Questions
from moviellm.movie import Chapter, Outline, Scene, Work

T = TypeVar("T")

IMPORTED = "imported"
"""What stands for the writer's name in what was not written here."""

_MENDS, _QUESTIONS, _OUTLINE = "mends.json", "questions.json", "outline.json"


def level_of(plot: ImportedPlot) -> str:
    """How far the plot goes: "story" with questions, "script" with scenes or chapters, else "outline"."""
    if plot.questions:
        return "story"
    return "script" if plot.scenes or plot.chapters else "outline"


async def store_plot(store: ArtifactStore, keys: DatasetKeys, plot: ImportedPlot) -> None:
    """Keep every part that the plot has."""
    for name, value in _parts(plot):
        await store.replace(keys.own_plot(name), wire.to_json(value))


def _parts(plot: ImportedPlot) -> Iterator[tuple[str, object]]:
    yield _OUTLINE, plot.outline
    yield _MENDS, Mends(plot.mends)
    yield _QUESTIONS, Questions(plot.questions)
    yield from ((_chapter_name(chapter.number), chapter) for chapter in plot.chapters)
    yield from ((_scene_name(scene.chapter, scene.number), scene) for scene in plot.scenes)


class OwnPlot:
    """The parts of a dataset's own plot; every method answers None for a part that it does not have."""

    def __init__(self, store: ArtifactStore, dataset: str, spec: PlotSpec) -> None:
        self._store = store
        self._keys = DatasetKeys(dataset)
        self._spec = spec

    @property
    def exists(self) -> bool:
        """Whether the requester sent a plot."""
        return bool(self._spec.level)

    async def outline(self) -> Made[Outline] | None:
        """Level 1."""
        return await self._made(_OUTLINE, Outline)

    async def chapter(self, number: int) -> Made[Chapter] | None:
        """Level 2."""
        return await self._made(_chapter_name(number), Chapter)

    async def scene(self, chapter: int, number: int) -> Made[Scene] | None:
        """Level 3."""
        return await self._made(_scene_name(chapter, number), Scene)

    async def questions(self) -> Made[Questions] | None:
        """The questions that came with it."""
        return await self._made(_QUESTIONS, Questions)

    async def mends(self) -> Made[Mends] | None:
        """What was wrong with it."""
        return await self._made(_MENDS, Mends)

    async def _made(self, name: str, cls: type[T]) -> Made[T] | None:
        if not self.exists:
            return None
        key = self._keys.own_plot(name)
        data = await self._store.find(key)
        return None if data is None else Made(wire.from_json(data, cls, key), Work(model=IMPORTED), self._spec.digest)


def _chapter_name(number: int) -> str:
    return f"chapters/{number:02}.json"


def _scene_name(chapter: int, number: int) -> str:
    return f"scenes/{chapter:02}-{number:02}.json"

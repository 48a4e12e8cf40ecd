"""The story of a dataset: what is made from what. Everything else is policy.

A movie is a tree: outline → chapters → scenes, and from these the style, the frames, the questions and the export. No
unit waits for another unless it needs its output, so frames of the first scene are on disk while the last scene is
still being written. Every step asks the store first; running the whole again makes only what is missing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from moviellm.artifacts import DatasetKeys, MovieKeys
from moviellm.controller.maker import Maker
from moviellm.controller.picture_work import PictureWork
from moviellm.controller.stages import Made, Stages
from moviellm.dataset import (
    Exported,
    MovieDatasetSpec,
    MovieStyle,
    Questions,
    RenderedScene,
    Stage,
    derived_seed,
)
from moviellm.movie import Chapter, Outline, Scene

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """What a run makes: the dataset's id, its request, how many movies at once, and which are exported already."""

    dataset: str
    spec: MovieDatasetSpec
    movies_in_flight: int
    exported: frozenset[int] = frozenset()


async def make_dataset(plan: Plan, *, stages: Stages, maker: Maker, pictures: PictureWork) -> None:
    """Make all that is missing of a dataset. Raises Failed after everything that can be made is made."""
    window = asyncio.Semaphore(plan.movies_in_flight)

    async def movie(number: int) -> None:
        if number in plan.exported:
            return
        async with window:
            await MovieStory(plan, number, stages=stages, maker=maker, pictures=pictures).make()

    await all_of(movie(number) for number in range(1, plan.spec.movies + 1))
    await maker.made(
        Stage.EXPORT,
        "whole dataset",
        DatasetKeys(plan.dataset).finished,
        Exported,
        lambda: stages.finish_dataset(plan.dataset, plan.spec),
    )


class MovieStory:
    """One movie, from outline to export."""

    def __init__(self, plan: Plan, number: int, *, stages: Stages, maker: Maker, pictures: PictureWork) -> None:
        self._plan = plan
        self._spec = plan.spec
        self._number = number
        self._keys = MovieKeys(plan.dataset, number)
        self._stages = stages
        self._maker = maker
        self._pictures = pictures

    async def make(self) -> None:
        """Make all that is missing of the movie."""
        outline = await self._outline()
        style = asyncio.ensure_future(self._style(outline))
        chapters = [asyncio.ensure_future(self._chapter(outline, n)) for n in range(1, self._spec.chapters + 1)]
        try:
            await self._all_parts(outline, style, chapters)
        finally:
            for shared in (style, *chapters):
                shared.cancel()
        await self._maker.made(
            Stage.EXPORT,
            f"movie {self._number}",
            self._keys.exported,
            Exported,
            lambda: self._stages.export_movie(self._plan.dataset, self._spec, self._number),
        )

    async def _all_parts(
        self,
        outline: Outline,
        style: "asyncio.Future[MovieStyle]",
        chapters: "Sequence[asyncio.Future[Chapter]]",
    ) -> None:
        await all_of(
            [
                _awaited(style),
                self._questions(
                    "movie", lambda: self._stages.ask_movie(outline, self._spec.shape, self._seed("movie"))
                ),
                self._order_questions(outline, chapters),
                *(self._scenes(outline, chapter, style) for chapter in chapters),
            ]
        )

    async def _outline(self) -> Outline:
        outline = await self._maker.made(
            Stage.SCRIPTING,
            f"movie {self._number}, outline",
            self._keys.outline,
            Outline,
            lambda: self._stages.write_outline(self._spec, self._seed("outline")),
        )
        self._maker.progress.titles[self._number] = outline.title
        return outline

    async def _chapter(self, outline: Outline, number: int) -> Chapter:
        return await self._maker.made(
            Stage.SCRIPTING,
            f"movie {self._number}, chapter {number}",
            self._keys.chapter(number),
            Chapter,
            lambda: self._stages.write_chapter(outline, number, self._spec.scenes, self._seed("chapter", number)),
        )

    async def _scenes(
        self, outline: Outline, chapter: "asyncio.Future[Chapter]", style: "asyncio.Future[MovieStyle]"
    ) -> None:
        plan = await _awaited(chapter)
        await all_of(
            [
                self._questions(
                    f"chapter-{plan.number:02}",
                    lambda: self._stages.ask_chapter(
                        outline, plan, self._spec.shape, self._seed("chapter questions", plan.number)
                    ),
                ),
                *(self._scene(outline, plan, number, style) for number in range(1, self._spec.scenes + 1)),
            ]
        )

    async def _scene(
        self, outline: Outline, chapter: Chapter, number: int, style: "asyncio.Future[MovieStyle]"
    ) -> None:
        scene = await self._maker.made(
            Stage.SCRIPTING,
            f"movie {self._number}, chapter {chapter.number}, scene {number}",
            self._keys.scene(chapter.number, number),
            Scene,
            lambda: self._stages.write_scene(
                outline,
                chapter,
                number,
                self._spec.frames,
                self._spec.dialogue_lines,
                self._seed("scene", chapter.number, number),
            ),
        )
        await all_of([self._frames(outline, scene, style), self._scene_questions(outline, chapter, scene)])

    async def _style(self, outline: Outline) -> MovieStyle:
        return await self._pictures.style(self._number, self._keys, outline)

    async def _frames(self, outline: Outline, scene: Scene, style: "asyncio.Future[MovieStyle]") -> RenderedScene:
        return await self._pictures.frames(self._number, self._keys, outline, scene, await _awaited(style))

    async def _scene_questions(self, outline: Outline, chapter: Chapter, scene: Scene) -> None:
        seed = self._seed("scene questions", scene.chapter, scene.number)
        await self._questions(
            f"scene-{scene.chapter:02}-{scene.number:02}",
            lambda: self._stages.ask_scene(outline, chapter, scene, self._spec.shape, seed),
        )

    async def _movie_questions(self, outline: Outline) -> None:
        seed = self._seed("movie questions")
        await self._questions("movie", lambda: self._stages.ask_movie(outline, self._spec.shape, seed))

    async def _order_questions(self, outline: Outline, chapters: "Sequence[asyncio.Future[Chapter]]") -> None:
        written = tuple([await _awaited(chapter) for chapter in chapters])
        await self._questions(
            "order", lambda: self._stages.ask_order(outline, written, self._spec.shape, self._seed("order"))
        )

    async def _questions(self, part: str, ask: Callable[[], Awaitable[Made[Questions]]]) -> None:
        await self._maker.made(
            Stage.QA, f"movie {self._number}, questions of {part}", self._keys.questions(part), Questions, ask
        )

    def _seed(self, *part: str | int) -> int:
        return derived_seed(self._spec.seed, "movie", self._number, *part)


async def all_of(work: Iterable[Awaitable[Any]]) -> None:
    """Run all, let each end, then raise the first error: one failed unit does not stop what does not need it."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _awaited(future: "asyncio.Future[T]") -> T:
    """Wait for a unit that others wait for too; being cancelled here does not cancel it for them."""
    return await asyncio.shield(future)

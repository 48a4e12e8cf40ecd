"""The story of a dataset: what is made from what. Everything else is policy.

A movie is a tree: outline → chapters → scenes, and from these the style, the frames, the questions and the export. No
unit waits for another unless it needs its output, so frames of the first scene are on disk while the last scene is
still being written. Every step asks the store first; running the whole again makes only what is missing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from moviellm import wire
from moviellm.artifacts import DatasetKeys, MovieKeys
from moviellm.controller.look_work import LookWork, MovieLooks
from moviellm.controller.maker import Maker
from moviellm.controller.own_plot import OwnPlot
from moviellm.controller.picture_work import PictureWork, SeenMovie
from moviellm.controller.stages import Made, Stages
from moviellm.controller.survey import Used
from moviellm.dataset import (
    Exported,
    MovieDatasetSpec,
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


async def make_dataset(
    plan: Plan, *, stages: Stages, maker: Maker, looks: LookWork, pictures: PictureWork, own_plot: OwnPlot
) -> None:
    """Make all that is missing of a dataset. Raises Failed after everything that can be made is made."""
    missing = (number for number in range(1, plan.spec.movies + 1) if number not in plan.exported)
    failures: list[tuple[int, Exception]] = []

    async def movies() -> None:
        for number in missing:
            story = MovieStory(
                plan, number, stages=stages, maker=maker, looks=looks, pictures=pictures, own_plot=own_plot
            )
            try:
                await story.make()
            except Exception as error:
                failures[:] = sorted([*failures, (number, error)], key=lambda failure: failure[0])[:1]

    await all_of(movies() for _ in range(plan.movies_in_flight))
    if failures:
        raise failures[0][1]
    await maker.made(
        Stage.EXPORT,
        "whole dataset",
        DatasetKeys(plan.dataset).finished,
        Exported,
        lambda: stages.finish_dataset(plan.dataset, plan.spec),
    )


class MovieStory:
    """One movie, from outline to export."""

    def __init__(
        self,
        plan: Plan,
        number: int,
        *,
        stages: Stages,
        maker: Maker,
        looks: LookWork,
        pictures: PictureWork,
        own_plot: OwnPlot,
    ) -> None:
        self._plan = plan
        self._spec = plan.spec
        self._number = number
        self._keys = MovieKeys(plan.dataset, number)
        self._stages = stages
        self._maker = maker.of_movie()
        self._looks = looks
        self._pictures = pictures
        self._own_plot = own_plot

    async def make(self) -> None:
        """Make all that is missing of the movie."""
        outline = await self._outline()
        looks = asyncio.ensure_future(self._looks.looks(self._number, self._keys, outline))
        chapters = [asyncio.ensure_future(self._chapter(outline, n)) for n in range(1, self._spec.chapters + 1)]
        scenes = [
            asyncio.ensure_future(self._scene(outline, chapters[chapter - 1], number))
            for chapter, number in self._spec.shape.scene_numbers()
        ]
        try:
            await all_of([self._seen(outline, looks, scenes), self._asked(outline, chapters, scenes)])
        finally:
            for shared in (looks, *chapters, *scenes):
                shared.cancel()
        await self._maker.made(
            Stage.EXPORT,
            f"movie {self._number}",
            self._keys.exported,
            Exported,
            lambda: self._stages.export_movie(self._plan.dataset, self._spec, self._number),
        )
        await self._keep_use()

    async def _keep_use(self) -> None:
        """What the movie has cost, so that whoever takes the dataset up again need not read all of its units."""
        use = self._maker.use
        if use is not None:
            unit, data = f"movie {self._number}, use", wire.to_json(Used.of(use))
            await self._maker.attempt(Stage.EXPORT, unit, lambda: self._maker.store.put(self._keys.use, data))

    # ---- the plot ----

    async def _outline(self) -> Outline:
        async def write() -> Made[Outline]:
            return await self._own_plot.outline() or await self._stages.write_outline(self._spec, self._seed("outline"))

        await self._mends_of_own_plot()
        unit = f"movie {self._number}, outline"
        outline = await self._maker.made(Stage.SCRIPTING, unit, self._keys.outline, Outline, write)
        self._maker.progress.titles[self._number] = outline.title
        return outline

    async def _chapter(self, outline: Outline, number: int) -> Chapter:
        async def write() -> Made[Chapter]:
            seed = self._seed("chapter", number)
            own = await self._own_plot.chapter(number)
            return own or await self._stages.write_chapter(self._spec, outline, number, seed)

        unit = f"movie {self._number}, chapter {number}"
        return await self._maker.made(Stage.SCRIPTING, unit, self._keys.chapter(number), Chapter, write)

    async def _scene(self, outline: Outline, planned: "asyncio.Future[Chapter]", number: int) -> Scene:
        chapter = await _awaited(planned)

        async def write() -> Made[Scene]:
            seed = self._seed("scene", chapter.number, number)
            own = await self._own_plot.scene(chapter.number, number)
            return own or await self._stages.write_scene(self._spec, outline, chapter, number, seed)

        unit = f"movie {self._number}, chapter {chapter.number}, scene {number}"
        return await self._maker.made(Stage.SCRIPTING, unit, self._keys.scene(chapter.number, number), Scene, write)

    async def _mends_of_own_plot(self) -> None:
        """What was wrong with the requester's plot goes with every movie made of it."""
        mends = await self._maker.attempt(Stage.SCRIPTING, f"movie {self._number}, own plot", self._own_plot.mends)
        if mends is not None:
            store = self._maker.store
            await store.put(self._keys.imported_mends, wire.to_json(mends.value))

    # ---- pictures ----

    async def _seen(
        self, outline: Outline, looks: "asyncio.Future[MovieLooks]", scenes: "Sequence[asyncio.Future[Scene]]"
    ) -> None:
        """Every frame, a scene at a time as it is written, then the movie's figures."""

        async def frames(written: "asyncio.Future[Scene]") -> RenderedScene:
            scene, look = await _awaited(written), await _awaited(looks)
            return await self._pictures.frames(self._number, self._keys, outline, scene, look)

        rendered = await all_of(frames(scene) for scene in scenes)
        movie = SeenMovie(outline, tuple(scene.result() for scene in scenes), tuple(rendered), looks.result())
        await self._pictures.measured(self._number, self._keys, movie)

    # ---- questions ----

    async def _asked(
        self,
        outline: Outline,
        chapters: "Sequence[asyncio.Future[Chapter]]",
        scenes: "Sequence[asyncio.Future[Scene]]",
    ) -> None:
        """Questions of every part as soon as it is written, then one look at all of them."""
        asked = [self._about_movie(outline)]
        for number, chapter in enumerate(chapters):
            of_chapter = scenes[number * self._spec.scenes : (number + 1) * self._spec.scenes]
            asked.append(self._about_chapter(outline, chapter))
            asked.extend(self._about_scene(outline, chapter, scene) for scene in of_chapter)
        parts = await all_of([*asked, self._about_order(outline, chapters, scenes)])
        own = await self._maker.attempt(Stage.QA, f"movie {self._number}, own questions", self._own_plot.questions)
        everything = [*parts, own.value] if own else parts
        questions = tuple(question for part in everything for question in part.questions)
        await self._questions("reviewed", lambda: self._stages.review(outline, questions))

    async def _about_movie(self, outline: Outline) -> Questions:
        seed = self._seed("movie questions")
        return await self._questions("movie", lambda: self._stages.ask_movie(self._spec, outline, seed))

    async def _about_chapter(self, outline: Outline, written: "asyncio.Future[Chapter]") -> Questions:
        chapter = await _awaited(written)
        seed = self._seed("chapter questions", chapter.number)
        part = f"chapter-{chapter.number:02}"
        return await self._questions(part, lambda: self._stages.ask_chapter(self._spec, outline, chapter, seed))

    async def _about_scene(
        self, outline: Outline, planned: "asyncio.Future[Chapter]", written: "asyncio.Future[Scene]"
    ) -> Questions:
        chapter, scene = await _awaited(planned), await _awaited(written)
        seed = self._seed("scene questions", scene.chapter, scene.number)
        part = f"scene-{scene.chapter:02}-{scene.number:02}"
        return await self._questions(part, lambda: self._stages.ask_scene(self._spec, outline, chapter, scene, seed))

    async def _about_order(
        self,
        outline: Outline,
        chapters: "Sequence[asyncio.Future[Chapter]]",
        scenes: "Sequence[asyncio.Future[Scene]]",
    ) -> Questions:
        planned = tuple([await _awaited(chapter) for chapter in chapters])
        written = tuple([await _awaited(scene) for scene in scenes])
        seed = self._seed("order")
        return await self._questions(
            "order", lambda: self._stages.ask_order(self._spec, outline, planned, written, seed)
        )

    async def _questions(self, part: str, ask: Callable[[], Awaitable[Made[Questions]]]) -> Questions:
        return await self._maker.made(
            Stage.QA, f"movie {self._number}, questions of {part}", self._keys.questions(part), Questions, ask
        )

    def _seed(self, *part: str | int) -> int:
        return derived_seed(self._spec.seed, "movie", self._number, *part)


async def all_of(work: Iterable[Awaitable[T]]) -> list[T]:
    """Run all, let each end, then raise the first error: one failed unit does not stop what does not need it."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]


async def _awaited(future: "asyncio.Future[T]") -> T:
    """Wait for a unit that others wait for too; being cancelled here does not cancel it for them."""
    return await asyncio.shield(future)

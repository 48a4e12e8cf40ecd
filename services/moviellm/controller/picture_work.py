"""The key frames of a movie's scenes, and the figures of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from moviellm.artifacts import MovieKeys, digest_of
from moviellm.controller.look_work import MovieLooks
from moviellm.controller.maker import Maker
from moviellm.controller.stages import LearnedLooks, Made, PictureOrder, RenderedPicture, RenderOptions, Stages
from moviellm.dataset import (
    NOT_MEASURED,
    MovieDatasetSpec,
    MovieQuality,
    PictureMeasures,
    RenderedFrame,
    RenderedScene,
    Stage,
    StyleMethod,
    derived_seed,
)
from moviellm.errors import Broken, Unsatisfied
from moviellm.movie import LearnedStyle, Outline, Scene, StoredFile, Work, drawing, frame_prompt, styled

NO_SCORER = "NO_SCORER"
"""Why a deployment without a scorer measures nothing; its movies are complete without figures."""

SAMPLE = 48
"""Frames at most that the ablation renders again without the learnt style."""


@dataclass(frozen=True)
class SeenMovie:
    """A movie whose frames are all rendered; `scenes` and `rendered` in the order of the story."""

    outline: Outline
    scenes: tuple[Scene, ...]
    rendered: tuple[RenderedScene, ...]
    looks: MovieLooks

    def files(self) -> tuple[StoredFile, ...]:
        """The frames' pictures."""
        return tuple(frame.file for scene in self.rendered for frame in scene.frames)

    def texts(self) -> tuple[str, ...]:
        """What each frame shows, appearances for names, no style."""
        told = drawing(self.outline.characters)
        return tuple(told(frame.description) for scene in self.scenes for frame in scene.frames)


class PictureWork:
    """Frames of one dataset. `present` holds (movie, frame) of frames that lie in the store already."""

    def __init__(
        self,
        spec: MovieDatasetSpec,
        *,
        stages: Stages,
        maker: Maker,
        negative_prompt: str,
        present: set[tuple[int, int]],
    ) -> None:
        self._spec = spec
        self._stages = stages
        self._maker = maker
        self._present = present
        self._options = _options(spec, negative_prompt)

    # ---- frames ----

    async def frames(
        self, movie: int, keys: MovieKeys, outline: Outline, scene: Scene, looks: MovieLooks
    ) -> RenderedScene:
        """All key frames of the scene; frames that lie in the store are not rendered again."""
        unit = f"movie {movie}, chapter {scene.chapter}, scene {scene.number}"
        orders = self._frame_orders(movie, keys, outline, scene, looks)
        rendered = await self._maker.made(
            Stage.RENDERING,
            unit,
            keys.rendered(scene.chapter, scene.number),
            RenderedScene,
            lambda: self._render(movie, unit, orders, looks.learned),
            counted=False,
        )
        self._present.difference_update((movie, order.number) for order in orders)
        return rendered

    def _frame_orders(
        self, movie: int, keys: MovieKeys, outline: Outline, scene: Scene, looks: MovieLooks
    ) -> tuple[PictureOrder, ...]:
        words = f", {outline.style.words}" if self._spec.style.method is StyleMethod.PROMPT else ""
        style = looks.style.learned.token or outline.style.keyword
        told = drawing(outline.characters)
        shown = drawing(looks.shown(outline)) if looks.faces else None

        def order(description: str, number: int) -> PictureOrder:
            text = told(description)
            return PictureOrder(
                number,
                styled(shown(description) if shown else text, style) + words,
                derived_seed(self._spec.seed, "movie", movie, "frame", number),
                self._maker.store.uri(keys.frame(number)),
                text,
            )

        number_of = self._spec.shape.frame_number
        return tuple(
            order(frame.description, number_of(scene.chapter, scene.number, frame.number)) for frame in scene.frames
        )

    async def _render(
        self, movie: int, unit: str, orders: tuple[PictureOrder, ...], looks: LearnedLooks
    ) -> Made[RenderedScene]:
        pictures: dict[int, RenderedPicture] = {}
        try:
            async for picture in self._stages.render_scene(orders, looks, self._options):
                pictures[picture.number] = picture
                self._maker.moving(Stage.RENDERING, unit)
                self._count(movie, picture)
            if missing := [order.number for order in orders if order.number not in pictures]:
                raise Broken(f"the rendering service left out frames {missing}")
        except BaseException:
            for picture in pictures.values():
                self._maker.held_gpus(Stage.RENDERING, picture.work)
            raise
        frames = tuple(_rendered_frame(order, pictures[order.number]) for order in orders)
        learned = [looks.style.digest, *(look.digest for look in looks.characters)]
        made_from = digest_of([(order.prompt, order.seed) for order in orders], learned, vars(self._options))
        work = _total(list(pictures.values()))
        self._maker.metrics.rendered_scene(work)
        return Made(RenderedScene(frames), work, made_from)

    def _count(self, movie: int, picture: RenderedPicture) -> None:
        self._maker.metrics.rendered_frame(picture.work, existed=picture.existed)
        if (movie, picture.number) not in self._present:
            self._present.add((movie, picture.number))
            self._maker.progress.made(Stage.RENDERING)

    # ---- figures ----

    async def measured(self, movie: int, keys: MovieKeys, seen: SeenMovie) -> MovieQuality:
        """The movie's figures; with the ablation also those of a sample with and without the learnt style."""
        unit = f"movie {movie}, figures"
        return await self._maker.made(
            Stage.RENDERING, unit, keys.quality, MovieQuality, lambda: self._measure(keys, seen), counted=False
        )

    async def _measure(self, keys: MovieKeys, seen: SeenMovie) -> Made[MovieQuality]:
        files, texts, references = seen.files(), seen.texts(), seen.looks.style.references
        try:
            whole = await self._stages.measure(files, texts, references)
        except Unsatisfied as error:
            if error.reason != NO_SCORER:
                raise
            return Made(MovieQuality(NOT_MEASURED), Work(node_pool=""), "")
        if not self._spec.quality.ablation:
            return replace_value(whole, MovieQuality(whole.value))
        numbers = sample(len(files), SAMPLE)
        plain = await self._plain(keys, seen, numbers)
        told = tuple(texts[number] for number in numbers)
        styled = await self._stages.measure(tuple(files[number] for number in numbers), told, references)
        without = await self._stages.measure(plain, told, references)
        return replace_value(whole, MovieQuality(whole.value, styled.value, without.value))

    async def _plain(self, keys: MovieKeys, seen: SeenMovie, numbers: Sequence[int]) -> tuple[StoredFile, ...]:
        """The same frames with the style's words in place of what was learnt: the paper's "no immobilization"."""
        frames = [frame for scene in seen.rendered for frame in scene.frames]
        told = [frame for scene in seen.scenes for frame in scene.frames]
        outline = seen.outline
        orders = tuple(
            PictureOrder(
                frames[number].number,
                frame_prompt(told[number].description, outline.characters, outline.style.keyword),
                frames[number].seed,
                self._maker.store.uri(keys.plain_frame(frames[number].number)),
            )
            for number in numbers
        )
        options = replace(self._options, attempts=1, min_score=0.0)
        pictures = {}
        async for picture in self._stages.render_scene(orders, LearnedLooks(LearnedStyle()), options):
            self._maker.held_gpus(Stage.RENDERING, picture.work)
            pictures[picture.number] = picture.file
        return tuple(pictures[order.number] for order in orders)


def sample(total: int, most: int) -> list[int]:
    """At most `most` indices below `total`: runs of neighbours spread over the whole, as neighbours are compared."""
    if total <= most:
        return list(range(total))
    run = 8
    runs = most // run
    starts = [round(number * (total - run) / (runs - 1)) for number in range(runs)]
    return sorted({start + step for start in starts for step in range(run)})


def replace_value(made: Made[PictureMeasures], value: MovieQuality) -> Made[MovieQuality]:
    """The same cost and provenance for another value."""
    return Made(value, made.work, made.made_from, made.mends)


def _options(spec: MovieDatasetSpec, negative_prompt: str) -> RenderOptions:
    quality, render = spec.quality, spec.render
    return RenderOptions(
        model=spec.model,
        negative_prompt=render.negative_prompt or negative_prompt,
        attempts=quality.attempts,
        min_score=quality.min_score,
        width=render.width,
        height=render.height,
        steps=render.steps,
        guidance_scale=render.guidance_scale,
        profile=render.profile,
        refiner_share=render.refiner_share,
    )


def _rendered_frame(order: PictureOrder, picture: RenderedPicture) -> RenderedFrame:
    work = picture.work
    kept = picture.attempts[-1].seed if picture.attempts else order.seed
    return RenderedFrame(
        number=order.number,
        prompt=order.prompt,
        seed=kept,
        file=picture.file,
        model=work.model,
        node_pool=work.node_pool,
        seconds=round(work.seconds, 3),
        attempts=picture.attempts,
    )


def _total(pictures: list[RenderedPicture]) -> Work:
    """The scene's cost: the sum of its frames' shares of their batches."""
    first = next((p.work for p in pictures if not p.existed), pictures[0].work)
    return replace(
        first,
        seconds=sum(p.work.seconds for p in pictures),
        gpu_seconds=sum(p.work.gpu_seconds for p in pictures),
    )

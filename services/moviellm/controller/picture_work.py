"""The two units of a movie that are made of pictures: its style and the frames of its scenes."""

import hashlib
import json
from dataclasses import dataclass, replace

from moviellm.artifacts import DatasetKeys, MovieKeys, digest
from moviellm.controller.maker import Maker
from moviellm.controller.stages import (
    InversionProgress,
    InversionResult,
    Made,
    PictureOrder,
    RenderedPicture,
    Stages,
    StyleOrder,
)
from moviellm.dataset import MovieDatasetSpec, MovieStyle, RenderedFrame, RenderedScene, Stage, derived_seed
from moviellm.errors import Broken
from moviellm.movie import Outline, Scene, StoredFile, Work, frame_prompt, reference_prompt


@dataclass(frozen=True)
class PictureOptions:
    """The deployment's choices: references a style, steps of inversion (0: the service's own), negative prompt."""

    references: int
    inversion_steps: int
    negative_prompt: str


class PictureWork:
    """Styles and frames of one dataset. `present` holds (movie, frame) of frames that lie in the store already."""

    def __init__(
        self,
        dataset: str,
        spec: MovieDatasetSpec,
        *,
        stages: Stages,
        maker: Maker,
        options: PictureOptions,
        present: set[tuple[int, int]],
    ) -> None:
        self._dataset = dataset
        self._spec = spec
        self._stages = stages
        self._maker = maker
        self._options = options
        self._present = present

    # ---- style ----

    async def style(self, movie: int, keys: MovieKeys, outline: Outline) -> MovieStyle:
        """The movie's learnt style; the same style asked for twice is learnt once."""
        unit = f"movie {movie}, style"
        try:
            return await self._maker.made(
                Stage.INVERSION, unit, keys.style, MovieStyle, lambda: self._learn(unit, outline)
            )
        finally:
            self._maker.progress.partial.pop(unit, None)

    async def _learn(self, unit: str, outline: Outline) -> Made[MovieStyle]:
        order = await (self._order_from_requester(outline) if self._spec.style.pictures else self._order(outline))
        async for update in self._stages.learn_style(order):
            if isinstance(update, InversionResult):
                return Made(_movie_style(update, order), update.work, order.output_uri.rpartition("/")[2])
            self._maker.moving(Stage.INVERSION, unit)
            self._show(unit, update)
        raise Broken("the inversion service ended without a result")

    async def _order(self, outline: Outline) -> StyleOrder:
        """References rendered from the style's description alone, in places of the movie, nobody in them."""
        places = [outline.locations[i % len(outline.locations)] for i in range(self._options.references)]
        prompts = [reference_prompt(place, outline.style) for place in places]
        seed = derived_seed(self._spec.seed, "style", outline.style.keyword)
        made_from = _digest_of(prompts, seed, self._spec.model, self._options.inversion_steps)
        orders = tuple(
            PictureOrder(
                number,
                prompt,
                derived_seed(seed, "reference", number),
                self._maker.store.uri(f"styles/{made_from}/references/{number:03}.jpg"),
            )
            for number, prompt in enumerate(prompts, 1)
        )
        pictures = {p.number: p.file async for p in self._stages.render_references(orders, self._spec.model)}
        references = tuple(pictures[order.number] for order in orders)
        return self._style_order(outline, references, tuple(f"the {place}" for place in places), made_from, seed)

    async def _order_from_requester(self, outline: Outline) -> StyleOrder:
        keys = DatasetKeys(self._dataset)
        references = []
        for number in range(1, self._spec.style.pictures + 1):
            key = keys.picture(number)
            data = await self._maker.store.get(key)
            references.append(StoredFile(self._maker.store.uri(key), digest(data), len(data)))
        seed = derived_seed(self._spec.seed, "style", outline.style.keyword)
        digests = [reference.digest for reference in references]
        made_from = _digest_of(digests, outline.style.words, seed, self._spec.model, self._options.inversion_steps)
        return self._style_order(outline, tuple(references), (), made_from, seed)

    def _style_order(
        self, outline: Outline, references: tuple[StoredFile, ...], captions: tuple[str, ...], made_from: str, seed: int
    ) -> StyleOrder:
        return StyleOrder(
            style=outline.style,
            references=references,
            captions=captions,
            output_uri=self._maker.store.uri(f"styles/{made_from}"),
            seed=seed,
            steps=self._options.inversion_steps,
        )

    def _show(self, unit: str, update: InversionProgress) -> None:
        self._maker.progress.partial[unit] = (Stage.INVERSION, update.step / max(update.steps, 1))
        self._maker.progress.notify()

    # ---- frames ----

    async def frames(
        self, movie: int, keys: MovieKeys, outline: Outline, scene: Scene, style: MovieStyle
    ) -> RenderedScene:
        """All key frames of the scene; frames that lie in the store are not rendered again."""
        unit = f"movie {movie}, chapter {scene.chapter}, scene {scene.number}"
        orders = self._frame_orders(movie, keys, outline, scene, style)
        rendered = await self._maker.made(
            Stage.RENDERING,
            unit,
            keys.rendered(scene.chapter, scene.number),
            RenderedScene,
            lambda: self._render(movie, unit, orders, style),
            counted=False,
        )
        self._present.difference_update((movie, order.number) for order in orders)
        return rendered

    def _frame_orders(
        self, movie: int, keys: MovieKeys, outline: Outline, scene: Scene, style: MovieStyle
    ) -> tuple[PictureOrder, ...]:
        name = style.learned.token or outline.style.keyword
        numbered = [
            (self._spec.shape.frame_number(scene.chapter, scene.number, frame.number), frame) for frame in scene.frames
        ]
        return tuple(
            PictureOrder(
                number,
                frame_prompt(frame.description, outline.characters, name),
                derived_seed(self._spec.seed, "movie", movie, "frame", number),
                self._maker.store.uri(keys.frame(number)),
            )
            for number, frame in numbered
        )

    async def _render(
        self, movie: int, unit: str, orders: tuple[PictureOrder, ...], style: MovieStyle
    ) -> Made[RenderedScene]:
        pictures: dict[int, RenderedPicture] = {}
        stream = self._stages.render_scene(orders, style.learned, self._spec.model, self._options.negative_prompt)
        async for picture in stream:
            pictures[picture.number] = picture
            self._maker.moving(Stage.RENDERING, unit)
            self._count(movie, picture)
        if missing := [order.number for order in orders if order.number not in pictures]:
            raise Broken(f"the rendering service left out frames {missing}")
        frames = tuple(_rendered_frame(order, pictures[order.number]) for order in orders)
        made_from = _digest_of(
            [order.prompt for order in orders], [order.seed for order in orders], style.learned.digest
        )
        return Made(RenderedScene(frames), _total(list(pictures.values())), made_from)

    def _count(self, movie: int, picture: RenderedPicture) -> None:
        outcome = "existed" if picture.existed else "rendered"
        self._maker.metrics.frames.labels(picture.work.node_pool, outcome).inc()
        if (movie, picture.number) not in self._present:
            self._present.add((movie, picture.number))
            self._maker.progress.made(Stage.RENDERING)


def _movie_style(result: InversionResult, order: StyleOrder) -> MovieStyle:
    return MovieStyle(result.learned_style, order.references, result.initial_loss, result.final_loss, result.steps)


def _rendered_frame(order: PictureOrder, picture: RenderedPicture) -> RenderedFrame:
    work = picture.work
    return RenderedFrame(
        order.number, order.prompt, order.seed, picture.file, work.model, work.node_pool, round(work.seconds, 3)
    )


def _total(pictures: list[RenderedPicture]) -> Work:
    """The scene's cost: the sum of its frames' shares of their batches."""
    first = next((p.work for p in pictures if not p.existed), pictures[0].work)
    return replace(
        first,
        seconds=sum(p.work.seconds for p in pictures),
        gpu_seconds=sum(p.work.gpu_seconds for p in pictures),
    )


def _digest_of(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

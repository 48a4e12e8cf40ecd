"""One render request: what lies in the store already, what has to be painted, and a message for each picture."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

from moviellm import wire
from moviellm.artifacts import ArtifactStore, digest
from moviellm.errors import Exhausted
from moviellm.movie import LearnedStyle, StoredFile, Work
from moviellm.rendering.measuring import Measuring
from moviellm.rendering.orders import check_options, check_orders, check_style
from moviellm.rendering.picture import Job, Paint, Painted, PictureOrder, Recipe, RenderedPicture, RenderOptions
from moviellm.rendering.styles import StyleShelf
from moviellm.v1 import movie_pb2
from moviellm.v1 import rendering_service_pb2 as pb

LOOKUPS = 32
"""Pictures of one request that are looked for in the store at a time."""

FIRST_GUESS = 1.0
"""Seconds a picture is taken to cost before one was painted."""


class Tally(Protocol):
    """Hears of every picture that leaves this service."""

    def picture(self, outcome: str, seconds: float) -> None:
        """`outcome` is rendered, existed or failed; `seconds` the picture's share of its batch."""


class RenderingServicer:
    """RenderingService without its door: converts, asks store and painter, converts."""

    def __init__(
        self,
        *,
        store: ArtifactStore,
        styles: StyleShelf,
        paint: Paint,
        recipe: Callable[[RenderOptions], Recipe],
        encode: Callable[[Any], bytes],
        tally: Tally,
        measuring: Measuring,
        model: str,
        node_pool: str,
        max_waiting: int,
    ) -> None:
        self._store = store
        self._styles = styles
        self._paint = paint
        self._recipe = recipe
        self._encode = encode
        self._tally = tally
        self._measuring = measuring
        self._model = model
        self._node_pool = node_pool
        self._max_waiting = max_waiting
        self._seconds_each = FIRST_GUESS
        self.waiting = 0

    async def render_scene(self, request: pb.RenderSceneRequest) -> AsyncIterator[pb.RenderSceneResponse]:
        """RenderScene."""
        orders = [wire.from_message(order, PictureOrder) for order in request.pictures]
        style = wire.from_message(request.learned_style, LearnedStyle)
        options = wire.from_message(request.options, RenderOptions)
        async for picture in self._render(orders, style, options):
            yield pb.RenderSceneResponse(picture=wire.to_message(picture, pb.RenderedPicture))

    async def render_references(
        self, request: pb.RenderReferencesRequest
    ) -> AsyncIterator[pb.RenderReferencesResponse]:
        """RenderReferences."""
        orders = [wire.from_message(order, PictureOrder) for order in request.pictures]
        options = wire.from_message(request.options, RenderOptions)
        async for picture in self._render(orders, LearnedStyle(), options):
            yield pb.RenderReferencesResponse(picture=wire.to_message(picture, pb.RenderedPicture))

    async def measure_pictures(self, request: pb.MeasurePicturesRequest) -> pb.MeasurePicturesResponse:
        """MeasurePictures."""
        pictures = [wire.from_message(file, StoredFile) for file in request.pictures]
        references = [wire.from_message(file, StoredFile) for file in request.references]
        measures, work = await self._measuring.measure(pictures, request.texts, references)
        return pb.MeasurePicturesResponse(
            measures=wire.to_message(measures, pb.PictureMeasures), work=wire.to_message(work, movie_pb2.Work)
        )

    async def _render(
        self, orders: Sequence[PictureOrder], style: LearnedStyle, options: RenderOptions
    ) -> AsyncIterator[RenderedPicture]:
        check_orders(orders, self._store)
        check_options(options, self._model)
        check_style(style, orders, self._store)
        found = await self._look_up(orders)
        for picture in found.values():
            self._tally.picture("existed", 0.0)
            yield picture
        missing = [order for order in orders if order.number not in found]
        if not missing:
            return
        vectors = await self._styles.fetch(style)
        recipe = self._recipe(options)
        self._check_room(len(missing))
        tasks = [self._begin(order, recipe, vectors) for order in missing]
        try:
            for finished in asyncio.as_completed(tasks):
                yield await finished
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _look_up(self, orders: Sequence[PictureOrder]) -> dict[int, RenderedPicture]:
        gate = asyncio.Semaphore(LOOKUPS)

        async def look(order: PictureOrder) -> RenderedPicture | None:
            async with gate:
                data = await self._store.find(self._store.key(order.uri))
            return None if data is None else self._existing(order, data)

        found = await asyncio.gather(*(look(order) for order in orders))
        return {picture.number: picture for picture in found if picture is not None}

    def _check_room(self, count: int) -> None:
        """A request that is larger than the whole queue is let in when nothing else waits."""
        if self.waiting and self.waiting + count > self._max_waiting:
            raise Exhausted(
                f"{self.waiting} pictures wait already, of at most {self._max_waiting}",
                reason="RENDER_QUEUE_FULL",
                retry_after=min(max(1.0, self.waiting * self._seconds_each / 2), 60.0),
            )

    def _begin(self, order: PictureOrder, recipe: Recipe, vectors: Any) -> asyncio.Task[RenderedPicture]:
        task = asyncio.create_task(self._make(order, recipe, vectors))
        self.waiting += 1
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[RenderedPicture]) -> None:
        self.waiting -= 1

    async def _make(self, order: PictureOrder, recipe: Recipe, vectors: Any) -> RenderedPicture:
        try:
            painted = await self._paint(Job(order.prompt, order.seed, recipe, vectors))
        except Exception:
            self._tally.picture("failed", 0.0)
            raise
        self._seconds_each += (painted.seconds - self._seconds_each) / 8
        return await self._keep(order, painted)

    async def _keep(self, order: PictureOrder, painted: Painted) -> RenderedPicture:
        data = await asyncio.to_thread(self._encode, painted.pixels)
        key = self._store.key(order.uri)
        if not await self._store.put(key, data):
            return self._existing(order, await self._store.get(key))
        self._tally.picture("rendered", painted.seconds)
        work = Work(self._node_pool, painted.seconds, painted.gpu_seconds, self._model)
        return RenderedPicture(order.number, StoredFile(order.uri, digest(data), len(data)), work=work)

    def _existing(self, order: PictureOrder, data: bytes) -> RenderedPicture:
        file = StoredFile(order.uri, digest(data), len(data))
        return RenderedPicture(order.number, file, existed=True, work=Work(self._node_pool, model=self._model))

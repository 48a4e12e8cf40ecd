"""One request for pictures: what lies in the store already, what has to be painted, and word of each picture."""

import asyncio
import functools
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from moviellm.artifacts import ArtifactStore
from moviellm.errors import Exhausted
from moviellm.rendering.choice import Choice, Chooser, Lineup, Standard
from moviellm.rendering.gallery import Gallery
from moviellm.rendering.orders import check_learned, check_options, check_orders
from moviellm.rendering.picture import Job, PictureOrder, Recipe, RenderedPicture, Renderer, RenderOptions
from moviellm.rendering.styles import Learned, StyleShelf

FIRST_GUESS = 1.0
"""Seconds a picture is taken to cost before one was painted."""


class Tally(Protocol):
    """Hears of every picture that leaves this service."""

    def picture(self, outcome: str, seconds: float) -> None:
        """`outcome` is rendered, existed or failed; `seconds` what its attempts cost."""

    def attempt(self, verdict: str) -> None:
        """One attempt at a picture was looked at; `verdict` says what is wrong with it, if anything."""


@dataclass(frozen=True, eq=False)
class Shot:
    """An order with everything that its attempts have in common; `text` is what they are scored by."""

    order: PictureOrder
    job: Job
    text: str


class Studio:
    """Renders the pictures of requests. `waiting` counts those of all requests that wait or are being painted."""

    def __init__(
        self,
        *,
        store: ArtifactStore,
        gallery: Gallery,
        styles: StyleShelf,
        chooser: Chooser,
        recipe: Callable[[RenderOptions], Recipe],
        tally: Tally,
        renderer: Renderer,
        max_waiting: int,
    ) -> None:
        self._store = store
        self._gallery = gallery
        self._styles = styles
        self._chooser = chooser
        self._recipe = recipe
        self._tally = tally
        self.renderer = renderer
        self._max_waiting = max_waiting
        self._seconds_each = FIRST_GUESS
        self.waiting = 0

    async def render(
        self, orders: Sequence[PictureOrder], learned: Sequence[Learned], options: RenderOptions
    ) -> AsyncIterator[RenderedPicture]:
        """The pictures, in any order, each when it is in the store.

        Raises InvalidInput, naming the field, Exhausted when too many pictures wait, and what painter and store raise.
        """
        check_orders(orders, self._store)
        check_options(options, self.renderer, can_score=self._chooser.can_score)
        check_learned(learned, orders, self._store)
        lineup = Lineup([order.prompt for order in orders])
        missing = []
        for position, found in enumerate(await self._gallery.find(orders)):
            if found is None:
                missing.append(position)
                continue
            lineup.tell(position, found.fingerprint)
            self._tally.picture("existed", 0.0)
            yield found.picture
        if not missing:
            return
        shots = await self._shots([orders[position] for position in missing], learned, options)
        standard = Standard(options.attempts or 1, options.min_score)
        weight = self._chooser.together(standard)
        self._check_room(len(missing) * weight)
        tasks = [
            self._begin(self._make(shot, standard, lineup, position), weight)
            for shot, position in zip(shots, missing, strict=True)
        ]
        try:
            for finished in asyncio.as_completed(tasks):
                yield await finished
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _shots(
        self, orders: Sequence[PictureOrder], learned: Sequence[Learned], options: RenderOptions
    ) -> list[Shot]:
        vectors = {one.look.token: await self._styles.fetch(one) for one in learned}
        recipe = self._recipe(options)
        shots = []
        for order in orders:
            own = tuple(found for token, found in vectors.items() if token in order.prompt)
            text = order.text or as_words(order.prompt, list(vectors))
            shots.append(Shot(order, Job(order.prompt, order.seed, recipe, own), text))
        return shots

    def _check_room(self, count: int) -> None:
        """A request that is larger than the whole queue is let in when nothing else waits."""
        if self.waiting and self.waiting + count > self._max_waiting:
            raise Exhausted(
                f"{self.waiting} pictures wait already, of at most {self._max_waiting}",
                reason="RENDER_QUEUE_FULL",
                retry_after=min(max(1.0, self.waiting * self._seconds_each / 2), 60.0),
            )

    def _begin(self, picture: Coroutine[Any, Any, RenderedPicture], weight: int) -> asyncio.Task[RenderedPicture]:
        def end(_: object) -> None:
            self.waiting -= weight

        task = asyncio.create_task(picture)
        self.waiting += weight
        task.add_done_callback(end)
        return task

    async def _make(self, shot: Shot, standard: Standard, lineup: Lineup, position: int) -> RenderedPicture:
        try:
            repeats = functools.partial(lineup.repeats, position)
            choice = await self._chooser.best(shot.job, shot.text, standard, repeats)
        except Exception:
            self._tally.picture("failed", 0.0)
            raise
        lineup.tell(position, choice.fingerprint)
        self._count(choice)
        picture = await self._gallery.hang(shot.order, choice)
        if not picture.existed:
            self._tally.picture("rendered", choice.seconds)
        return picture

    def _count(self, choice: Choice) -> None:
        self._seconds_each += (choice.seconds / len(choice.attempts) - self._seconds_each) / 8
        for attempt in choice.attempts:
            self._tally.attempt(attempt.verdict)


def as_words(prompt: str, tokens: Sequence[str]) -> str:
    """The prompt with tokens such as "<gothic>" as plain words, for a scorer that has not learnt them."""
    for token in sorted(tokens, key=len, reverse=True):
        prompt = prompt.replace(token, re.sub(r"[^\w-]+", " ", token).strip())
    return prompt

"""One request for pictures: what lies in the store already, what has to be painted, and word of each picture."""

import asyncio
import functools
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, Protocol

from moviellm.artifacts import ArtifactStore
from moviellm.errors import Exhausted
from moviellm.rendering.choice import Choice, Chooser, Lineup, Standard
from moviellm.rendering.gallery import Gallery
from moviellm.rendering.orders import check_learned, check_options, check_orders
from moviellm.rendering.picture import Job, PictureOrder, Recipe, RenderedPicture, RenderOptions
from moviellm.rendering.styles import Learned, StyleShelf

FIRST_GUESS = 1.0
"""Seconds a picture is taken to cost before one was painted."""


class Tally(Protocol):
    """Hears of every picture that leaves this service."""

    def picture(self, outcome: str, seconds: float) -> None:
        """`outcome` is rendered, existed or failed; `seconds` what its attempts cost."""

    def attempt(self, verdict: str) -> None:
        """One attempt at a picture was looked at; `verdict` says what is wrong with it, if anything."""


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
        model: str,
        max_waiting: int,
    ) -> None:
        self._store = store
        self._gallery = gallery
        self._styles = styles
        self._chooser = chooser
        self._recipe = recipe
        self._tally = tally
        self._model = model
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
        check_options(options, self._model, can_score=self._chooser.can_score)
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
        standard = Standard(options.attempts or 1, options.min_score)
        vectors = {one.look.token: await self._styles.fetch(one) for one in learned}
        recipe = self._recipe(options)
        at_a_time = self._chooser.together(standard)
        self._check_room(len(missing) * at_a_time)
        tasks = []
        for position in missing:
            order = orders[position]
            own = tuple(found for token, found in vectors.items() if token in order.prompt)
            job = Job(order.prompt, order.seed, recipe, own)
            text = order.text or as_words(order.prompt, list(vectors))
            tasks.append(self._begin(self._make(order, job, text, standard, lineup, position), at_a_time))
        try:
            for finished in asyncio.as_completed(tasks):
                yield await finished
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

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

    async def _make(
        self, order: PictureOrder, job: Job, text: str, standard: Standard, lineup: Lineup, position: int
    ) -> RenderedPicture:
        try:
            choice = await self._chooser.best(job, text, standard, functools.partial(lineup.repeats, position))
        except Exception:
            self._tally.picture("failed", 0.0)
            raise
        lineup.tell(position, choice.fingerprint)
        self._count(choice)
        picture = await self._gallery.hang(order, choice)
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

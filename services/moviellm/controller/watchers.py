"""Whoever watches a dataset: an update is put together once for all of them, and they take what other work leaves."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from moviellm.controller.progress import Progress

MOST_UPDATES_A_SECOND = 1000
"""To all watchers together, while the process does nothing else."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
"""Seconds between two updates to the same watcher."""

LEAST_SHARE = 0.02
"""The share of MOST_UPDATES_A_SECOND that watchers have however busy the process is."""

LOOK_EVERY = 1.0
SHARED_SECONDS = 0.1
"""How old an update may be that another watcher was told already; half the shortest pause at most."""


class Watched(Protocol):
    """A dataset, as far as its watchers need it."""

    @property
    def progress(self) -> Progress:
        """What changes, and says so."""
        ...

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        ...


D = TypeVar("D", bound=Watched)


@dataclass(frozen=True)
class Update(Generic[D]):
    """A dataset at one moment (`at`, in the clock's seconds); `changed` is set by the first change after it.

    `told` keeps the answers made of it, by whatever tells them apart.
    """

    dataset: D
    revision: int
    is_final: bool
    changed: asyncio.Event
    at: float
    told: dict[str, bytes] = field(default_factory=dict)


class Pace:
    """How long watchers wait: the more there are, and the busier this thread is with other things, the longer."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, processor: Callable[[], float] = time.thread_time
    ) -> None:
        self._clock, self._processor = clock, processor
        self._looked, self._used = clock(), processor()
        self._idle = 1.0

    def pause(self, watchers: int) -> float:
        """Seconds until the same watcher may be told again."""
        seconds = watchers / (MOST_UPDATES_A_SECOND * max(self._idle_share(), LEAST_SHARE))
        return max(SHORTEST_PAUSE, min(seconds, LONGEST_PAUSE))

    def _idle_share(self) -> float:
        now = self._clock()
        if now - self._looked >= LOOK_EVERY:
            used = self._processor()
            self._idle = 1.0 - (used - self._used) / (now - self._looked)
            self._looked, self._used = now, used
        return self._idle


@dataclass
class _Audience(Generic[D]):
    """Those who watch one dataset, and what they were told last."""

    watchers: int = 0
    latest: Update[D] | None = None


class Watchers(Generic[D]):
    """All watchers of all datasets."""

    def __init__(self, *, pace: Pace | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = pace or Pace()
        self._clock = clock
        self._audiences: dict[int, _Audience[D]] = {}
        self._watchers = 0
        self._closed = asyncio.Event()

    def close(self) -> None:
        """End all pauses: whoever waits asks for the dataset once more, and hears why there is none."""
        self._closed.set()

    async def updates(self, current: Callable[[], D], revision: int) -> AsyncGenerator[Update[D], None]:
        """An update at every change after `revision`, until a final one; `current` may raise why there are no more."""
        dataset = current()
        with self._place(dataset) as audience:
            seen: Update[D] | None = None
            while True:
                update = self._update(audience, current(), seen)
                if seen or update.revision > revision:
                    yield update
                if update.is_final:
                    return
                seen = update
                await self._rest()
                await update.changed.wait()

    @contextlib.contextmanager
    def _place(self, dataset: D) -> Iterator[_Audience[D]]:
        audience = self._audiences.setdefault(id(dataset), _Audience())
        audience.watchers += 1
        self._watchers += 1
        try:
            yield audience
        finally:
            audience.watchers -= 1
            self._watchers -= 1
            if not audience.watchers:
                del self._audiences[id(dataset)]

    def _update(self, audience: _Audience[D], dataset: D, seen: Update[D] | None) -> Update[D]:
        """The dataset as it is now, or as another watcher was told a moment ago, which misses no later change.

        Who has `seen` nothing yet is told what is so now.
        """
        changed, latest, now = dataset.progress.next_change(), audience.latest, self._clock()
        if latest is not None and latest.is_final == dataset.is_final:
            is_young = now - latest.at < SHARED_SECONDS
            if latest.changed is changed or (seen and latest is not seen and is_young):
                return latest
        update = Update(dataset, dataset.progress.revision, dataset.is_final, changed, now)
        audience.latest = update
        return update

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pace.pause(self._watchers)):
                await self._closed.wait()

"""Bounded work in flight: a lane for each stage, which the tenants share by turns."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from moviellm.controller.fair import FairPlaces
from moviellm.controller.metrics import Metrics
from moviellm.controller.progress import Progress
from moviellm.dataset import Stage


class Lanes:
    """At most so many units of each stage at once."""

    def __init__(self, widths: Mapping[Stage, int], *, metrics: Metrics) -> None:
        self._places = {stage: FairPlaces(width) for stage, width in widths.items()}
        self._metrics = metrics

    @asynccontextmanager
    async def place(self, stage: Stage, progress: Progress) -> AsyncIterator[None]:
        """Wait for a place in the stage's lane and hold it."""
        waiting = self._metrics.waiting(stage)
        with waiting.track_inprogress():
            await self._places[stage].acquire(progress.owner)
        progress.in_progress[stage] += 1
        progress.notify()
        try:
            with self._metrics.working(stage, "").track_inprogress():
                yield
        finally:
            self._places[stage].release(progress.owner)
            progress.in_progress[stage] -= 1
            progress.notify()

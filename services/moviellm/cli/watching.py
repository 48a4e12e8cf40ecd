"""A dataset followed over breaks of the connection, and how fast it grows."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from moviellm import errors
from moviellm.cli.connection import connect
from moviellm.cli.views import FINAL, frames_of
from moviellm.v1 import movie_dataset_service_pb2 as pb

Clock = Callable[[], float]


@dataclass(frozen=True)
class Update:
    """News of a watched dataset, or, with `lost` set, why there are none at the moment."""

    dataset: pb.MovieDataset
    lost: str = ""


async def follow(address: str, name: str, *, every: float = 1.0) -> AsyncGenerator[Update, None]:
    """The dataset at each change until it is final; a server that goes away is asked again every `every` seconds.

    Raises our errors; Unavailable only when the first connection fails.
    """
    token, last = "", None
    while True:
        lost = "the server ended the stream"
        try:
            async with connect(address) as client, aclosing(client.watch(name, token)) as responses:
                async for response in responses:
                    token, last = response.resume_token, response.movie_dataset
                    yield Update(last)
                    if last.state in FINAL:
                        return
        except (errors.Unavailable, errors.Interrupted) as error:
            if last is None:
                raise
            lost = error.message
        if last is not None:
            yield Update(last, lost)
        await asyncio.sleep(every)


class Pace:
    """Units a second of each stage over the last `window` seconds, and from them the time that is left."""

    def __init__(self, *, window: float = 30.0, clock: Clock = time.monotonic) -> None:
        self._window = window
        self._clock = clock
        self._samples: dict[int, deque[tuple[float, float]]] = {}

    def note(self, dataset: pb.MovieDataset) -> None:
        """Take in how far the stages are now."""
        now = self._clock()
        for stage in dataset.stages:
            samples = self._samples.setdefault(stage.stage, deque())
            samples.append((now, _made(stage)))
            while len(samples) > 2 and samples[1][0] <= now - self._window:
                samples.popleft()

    def rate(self, stage: int) -> float:
        """Units a second of one stage; falls when nothing comes, 0 when nothing is known."""
        samples = self._samples.get(stage)
        if not samples:
            return 0.0
        (since, first), (_, last) = samples[0], samples[-1]
        elapsed = self._clock() - since
        return max(0.0, last - first) / elapsed if elapsed > 0 else 0.0

    def frames_per_second(self) -> float:
        """Key frames a second."""
        return self.rate(pb.STAGE_RENDERING)

    def seconds_left(self, dataset: pb.MovieDataset) -> float | None:
        """Until the slowest stage is through; None while frames are missing and none have come."""
        frames = frames_of(dataset)
        if frames.total > frames.done and not self.frames_per_second():
            return None
        left = [(stage.total - _made(stage), self.rate(stage.stage)) for stage in dataset.stages]
        known = [units / rate for units, rate in left if rate > 0 and units > 0]
        return max(known, default=None)


def _made(stage: pb.StageProgress) -> float:
    return stage.done + stage.partial * stage.in_progress

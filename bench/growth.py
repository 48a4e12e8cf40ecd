"""Does a frame cost more when there is more of everything? Movies of a dataset, datasets of a controller, watchers.

`MOVIELLM_BENCH_MANY` sets how many there are of each, against 10; 10000 is the long form.
"""

import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.controller import WIDE, microseconds
from bench.figure import Figure
from bench.null_stack import NullStack, Reading, null_stack
from moviellm import rpc, wire
from moviellm.artifacts import ArtifactStore, DatasetKeys
from moviellm.controller.progress import totals
from moviellm.controller.registry import Accepted, Status
from moviellm.dataset import MovieDatasetSpec, State
from moviellm.settings import StoreSettings
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc

FEW, MANY = 10, int(os.environ.get("MOVIELLM_BENCH_MANY", "1000"))
ROUNDS = 3
SMALL = (1, 2, 11)
"""Chapters, scenes and frames of a movie where movies are many."""

WORK = (2, 11, 11)
"""The same of the movies whose frames are weighed while something else is many."""

WEIGHED = 6
WATCHED = 18
"""Movies whose frames are weighed; more of them under watch, so that each watcher hears of them several times."""

STREAMS_A_CHANNEL = 100
DONE = MovieDatasetSpec("a keeper", movies=1)


# ---- movies ----


async def movies() -> list[Reading]:
    """One dataset of many small movies."""
    with tempfile.TemporaryDirectory(prefix="moviellm-bench-") as folder:
        async with null_stack(Path(folder), **WIDE) as stack:
            await stack.create("warm", movies=FEW, sides=SMALL)
            await stack.readings("warm", every=0.1)
            await stack.create("many", movies=MANY, sides=SMALL)
            return await stack.readings("many", every=0.25)


def by_tenths(found: list[Reading]) -> list[list[Reading]]:
    """The readings in ten parts of equally many frames; a part begins where the one before it ended."""
    last, parts, begin = found[-1].frames, list[list[Reading]](), 0
    for tenth in range(1, 11):
        end = next(i for i, reading in enumerate(found) if reading.frames >= tenth * last / 10)
        if found[end].frames > found[begin].frames:
            parts.append(found[begin : end + 1])
            begin = end
    return parts


# ---- datasets ----


async def _past(folder: Path, count: int) -> None:
    """A store with so many complete datasets in it."""
    store = ArtifactStore.open(StoreSettings(url=f"file://{folder}/store"))
    done = {stage.value: units for stage, units in totals(DONE).items()}
    status = wire.to_json(Status(State.SUCCEEDED, 1.0, 1.0, changes=2, done=done, titles={1: "The Light"}))
    for number in range(count):
        keys = DatasetKeys(f"past-{number:06}")
        await store.put(keys.request, wire.to_json(Accepted(DONE, float(number))))
        await store.put(keys.status, status)


async def datasets(count: int) -> tuple[list[list[Reading]], float]:
    """Rounds of the same work in a controller that holds so many datasets, and the seconds it took to start."""
    with tempfile.TemporaryDirectory(prefix="moviellm-bench-") as folder:
        await _past(Path(folder), count)
        started = time.perf_counter()
        async with null_stack(Path(folder), **WIDE) as stack:
            seconds = time.perf_counter() - started
            return [await _weighed(stack, number) for number in range(ROUNDS + 1)][1:], seconds


async def _weighed(stack: NullStack, number: int) -> list[Reading]:
    await stack.create(f"weighed-{number}", movies=WEIGHED, sides=WORK)
    return await stack.readings(f"weighed-{number}", every=0.1)


# ---- watchers ----


async def watchers(count: int) -> list[list[Reading]]:
    """Rounds of the same work with so many watchers of it."""
    with tempfile.TemporaryDirectory(prefix="moviellm-bench-") as folder:
        async with null_stack(Path(folder), **WIDE) as stack:
            await _weighed(stack, 0)
            return [await _watched(stack, number, count) for number in range(1, ROUNDS + 1)]


async def _watched(stack: NullStack, number: int, count: int) -> list[Reading]:
    """The work begins when everybody has been told something once: to open a stream is no part of a frame's cost."""
    name = f"weighed-{number}"
    stack.may_begin.clear()
    await stack.create(name, movies=WATCHED, sides=WORK)
    channels = [rpc.channel(stack.address) for _ in range(0, count, STREAMS_A_CHANNEL)]
    told = [asyncio.Event() for _ in range(count)]
    watching = [
        asyncio.create_task(_watch(channels[one // STREAMS_A_CHANNEL], name, told[one])) for one in range(count)
    ]
    try:
        await asyncio.gather(*(one.wait() for one in told))
        stack.may_begin.set()
        return await stack.readings(name, every=0.1)
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        for channel in channels:
            await channel.close()


async def _watch(channel: Any, name: str, told: asyncio.Event) -> None:
    stub: Any = pb_grpc.MovieDatasetServiceStub(channel)
    with contextlib.suppress(Exception):
        async for _ in stub.WatchMovieDataset(pb.WatchMovieDatasetRequest(name=f"movieDatasets/{name}")):
            told.set()


# ---- figures ----


def measure() -> list[Figure]:
    """What a frame costs among many, as a multiple of what it costs among few; the same of memory."""
    parts = by_tenths(asyncio.run(movies()))
    (few, few_start), (many, many_start) = asyncio.run(datasets(FEW)), asyncio.run(datasets(MANY))
    watched_by_few, watched_by_many = asyncio.run(watchers(FEW)), asyncio.run(watchers(MANY))
    sizes = [statistics.median(reading.resident for reading in part) / 1e6 for part in (parts[0], *parts[-3:])]
    return [
        _times(
            f"a frame's processor time, last of {MANY:,} movies",
            "the first tenth of them",
            [microseconds(parts[0])],
            [microseconds(part) for part in parts[-3:]],
            1.2,
        ),
        _times(f"memory, last of {MANY:,} movies", "the first tenth of them", sizes[:1], sizes[1:], 1.2),
        _times(
            f"a frame's processor time among {MANY:,} datasets",
            f"among {FEW}",
            [microseconds(found) for found in few],
            [microseconds(found) for found in many],
            1.2,
            details={"start_seconds": {str(FEW): few_start, str(MANY): many_start}, "megabytes": _megabytes(few, many)},
        ),
        _times(
            f"a frame's processor time with {MANY:,} watchers",
            f"with {FEW}",
            [microseconds(found) for found in watched_by_few],
            [microseconds(found) for found in watched_by_many],
            1.5,
            details={"megabytes": _megabytes(watched_by_few, watched_by_many)},
        ),
    ]


def _megabytes(few: list[list[Reading]], many: list[list[Reading]]) -> dict[str, float]:
    return {
        str(count): max(reading.resident for found in rounds for reading in found) / 1e6
        for count, rounds in ((FEW, few), (MANY, many))
    }


def _times(
    what: str, baseline: str, few: list[float], many: list[float], bound: float, details: dict[str, Any] | None = None
) -> Figure:
    of_few = statistics.median(few)
    measured = {"few": few, "many": many} | (details or {})
    return Figure(what, baseline, tuple(one / of_few for one in many), "×", bound, at_least=False, details=measured)

"""The controller alone: null services over real gRPC, a real process, a real store.

`MOVIELLM_BENCH_FRAMES` sets how many frames in all; 1000000 is the long form.
"""

import asyncio
import os
import statistics
import tempfile
from pathlib import Path

from bench.figure import Figure
from bench.null_stack import NullStack, Reading, null_stack

FRAMES = int(os.environ.get("MOVIELLM_BENCH_FRAMES", "40000"))
ROUNDS = 4
"""The first one warms up and is the baseline of the memory."""

A_MOVIE = 11 * 11 * 11
WIDE = {
    "movies_in_flight": "6",
    "scripts_in_flight": "16",
    "scenes_in_flight": "16",
    "questions_in_flight": "16",
    "exports_in_flight": "4",
    "max_movies": "10000",
}
"""Enough under way that nothing waits for a place."""


async def rounds() -> list[list[Reading]]:
    """Readings of equal datasets, one after the other, all made by one process."""
    movies = max(1, round(FRAMES / ROUNDS / A_MOVIE))
    with tempfile.TemporaryDirectory(prefix="moviellm-bench-") as folder:
        async with null_stack(Path(folder), **WIDE) as stack:
            return [await _round(stack, f"round-{number}", movies) for number in range(ROUNDS)]


async def _round(stack: NullStack, identifier: str, movies: int) -> list[Reading]:
    await stack.create(identifier, movies=movies)
    return await stack.readings(identifier)


def per_second(found: list[Reading]) -> float:
    """Frames a second between the first and the last reading."""
    first, last = found[0], found[-1]
    return (last.frames - first.frames) / (last.at - first.at)


def microseconds(found: list[Reading]) -> float:
    """Processor time of the controller for one frame, in millionths of a second."""
    first, last = found[0], found[-1]
    return 1e6 * (last.processor - first.processor) / (last.frames - first.frames)


def resident(found: list[Reading]) -> float:
    """Median resident memory in the second half of a round, in MB."""
    return statistics.median(reading.resident for reading in found[len(found) // 2 :]) / 1e6


def measure() -> list[Figure]:
    """Throughput, cost of a frame, and memory as work goes by."""
    warm, *measured = asyncio.run(rounds())
    frames = sum(found[-1].frames for found in (warm, *measured))
    sizes = [resident(found) for found in (warm, *measured)]
    return [
        Figure(
            "controller with null services, real gRPC",
            f"movies of {A_MOVIE} frames; controller and services a process each",
            tuple(map(per_second, measured)),
            unit="frames/s",
            bound=1000,
        ),
        Figure(
            "controller's processor time",
            "the same",
            tuple(map(microseconds, measured)),
            unit="µs a frame",
            bound=1000,
            at_least=False,
        ),
        Figure(
            f"controller's memory over {frames:,} frames",
            f"{sizes[0]:.0f} MB in the first {warm[-1].frames:,}",
            tuple(size / sizes[0] for size in sizes[1:]),
            unit="×",
            bound=1.1,
            at_least=False,
            details={"megabytes": sizes},
        ),
    ]

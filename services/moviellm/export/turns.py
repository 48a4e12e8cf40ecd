"""Many small jobs a few at a time, and blocking ones beside the event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 16


async def in_turns(jobs: Sequence[Callable[[], Awaitable[T]]], at_once: int = AT_ONCE) -> list[T]:
    """The results of all jobs in their order, at most `at_once` of them under way together."""
    turns = asyncio.Semaphore(at_once)

    async def run(job: Callable[[], Awaitable[T]]) -> T:
        async with turns:
            return await job()

    return await asyncio.gather(*map(run, jobs))


async def to_its_end(work: Callable[[], T]) -> T:
    """The result of blocking work in a thread.

    A cancelled caller waits for the work under way, so that no file is pulled from under it.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise

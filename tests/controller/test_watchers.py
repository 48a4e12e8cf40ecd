"""Many watchers: one update for all of them, no change lost, and no more of the process than other work leaves."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from moviellm import errors
from moviellm.controller.progress import Progress
from moviellm.controller.watchers import LONGEST_PAUSE, SHORTEST_PAUSE, Pace, Watchers
from moviellm.dataset import MovieDatasetSpec, Stage
from moviellm.v1 import movie_dataset_service_pb2 as pb


@dataclass
class Film:
    """As much of a dataset as watchers see."""

    progress: Progress = field(default_factory=lambda: Progress(MovieDatasetSpec("a storm")))
    is_final: bool = False

    def end(self):
        self.is_final = True
        self.progress.state_changes += 1
        self.progress.notify()


class AtOnce:
    """No pauses, so that a test waits for changes alone."""

    def pause(self, watchers):
        return 0.0


class Clock:
    """Both clocks of a pace, set by hand."""

    def __init__(self):
        self.now = self.used = 0.0

    def pace(self):
        return Pace(clock=lambda: self.now, processor=lambda: self.used)


def watching(film, *, now=lambda: 0.0):
    return Watchers(pace=AtOnce(), clock=now), lambda: film


async def test_what_one_watcher_was_told_another_is_told_without_putting_it_together_again():
    film = Film()
    watchers, current = watching(film)
    async with aclosing(watchers.updates(current, -1)) as one, aclosing(watchers.updates(current, -1)) as other:
        first = await anext(one)
        assert await anext(other) is first
        film.progress.made(Stage.RENDERING)
        second = await anext(one)
        assert (first.revision, second.revision) == (0, 1)
        film.progress.made(Stage.RENDERING)
        assert await anext(other) is second, "put together a moment ago"
        film.end()
        for watcher in (one, other):
            last = await anext(watcher)
            assert last.is_final
            assert last.revision == 3, "what was made after the update that was shared"
            with pytest.raises(StopAsyncIteration):
                await anext(watcher)


async def test_a_change_after_a_shared_update_wakes_whoever_was_told_it():
    film, time = Film(), 0.0
    watchers, current = watching(film, now=lambda: time)
    async with aclosing(watchers.updates(current, -1)) as one, aclosing(watchers.updates(current, -1)) as other:
        await anext(one)
        await anext(other)
        film.progress.made(Stage.QA)
        shared = await anext(one)
        film.progress.made(Stage.QA)
        assert await anext(other) is shared
        time = 1.0
        assert (await asyncio.wait_for(anext(other), 5)).revision == 2, "no third change was needed"


async def test_who_comes_is_told_what_is_so_now():
    film = Film()
    watchers, current = watching(film)
    async with aclosing(watchers.updates(current, -1)) as one, aclosing(watchers.updates(current, -1)) as other:
        await anext(one)
        film.progress.made(Stage.QA)
        assert (await anext(other)).revision == 1
    async with aclosing(watchers.updates(current, 1)) as late:
        waiting = asyncio.ensure_future(anext(late))
        await asyncio.sleep(0.01)
        assert not waiting.done(), "revision 1 was seen before"
        film.progress.made(Stage.QA)
        assert (await waiting).revision == 2


async def test_closing_ends_long_pauses():
    class Slow:
        def pause(self, watchers):
            return 1000.0

    film, is_open = Film(), True
    watchers = Watchers(pace=Slow())

    def current():
        if not is_open:
            raise errors.Unavailable("closed", reason="SHUTTING_DOWN")
        return film

    async with aclosing(watchers.updates(current, -1)) as one:
        await anext(one)
        waiting = asyncio.ensure_future(anext(one))
        await asyncio.sleep(0.01)
        is_open = False
        film.progress.notify()
        watchers.close()
        with pytest.raises(errors.Unavailable):
            await asyncio.wait_for(waiting, 5)


def test_few_watchers_hear_at_once_and_many_in_turn():
    pace = Clock().pace()
    assert pace.pause(1) == pace.pause(100) == SHORTEST_PAUSE
    assert pace.pause(1000) == 1.0
    assert pace.pause(100_000) == LONGEST_PAUSE


def test_a_busy_process_tells_its_watchers_less():
    clock = Clock()
    pace = clock.pace()
    clock.now, clock.used = 2.0, 1.5
    assert pace.pause(1000) == pytest.approx(4.0), "a quarter of the processor is left"
    clock.now, clock.used = 4.0, 3.5
    assert pace.pause(1000) == LONGEST_PAUSE
    assert pace.pause(1) == SHORTEST_PAUSE
    clock.now = 6.0
    assert pace.pause(1000) == 1.0


async def test_watchers_of_one_dataset_are_sent_the_same_bytes(controller):
    """And each what follows its own token."""
    await controller.create()
    streams = [asyncio.create_task(controller.watched()) for _ in range(20)]
    ends = {(await stream)[-1].SerializeToString(deterministic=True) for stream in streams}
    assert len(ends) == 1
    last = pb.WatchMovieDatasetResponse.FromString(ends.pop())
    assert last.movie_dataset.state == pb.MovieDataset.STATE_SUCCEEDED
    assert await controller.watched(token=last.resume_token) == []

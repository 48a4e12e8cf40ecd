"""Limits a minute are kept by all calls together, on a clock that only waiting moves."""

import asyncio

import pytest

from moviellm.llm.pace import Pace, Paused


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        assert seconds > 0
        await asyncio.sleep(0)
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


def pace_of(clock, **limits):
    return Pace(clock=clock, sleep=clock.sleep, **limits)


async def sent(pace, *tokens, patience=20.0):
    """The seconds after the start at which requests of these sizes went, all asked for at once."""
    turns = await asyncio.gather(*(pace.turn(size, patience=patience) for size in tokens))
    return [turn.at - 1000.0 for turn in turns]


async def test_without_limits_nobody_waits(clock):
    assert await sent(pace_of(clock), *[10**9] * 50) == [0.0] * 50


async def test_no_minute_holds_more_requests_than_the_limit(clock):
    assert await sent(pace_of(clock, requests_per_minute=2), 1, 1, 1, 1, 1) == [0, 0, 60, 60, 120]


async def test_no_minute_holds_more_tokens_than_the_limit(clock):
    assert await sent(pace_of(clock, tokens_per_minute=100), 60, 40, 30, 80, 20) == [0, 0, 60, 120, 120]


async def test_only_what_left_the_minute_makes_room(clock):
    pace = pace_of(clock, requests_per_minute=2)
    await sent(pace, 1)
    clock.now += 45
    assert await sent(pace, 1, 1, 1) == [45, 60, 105]


async def test_a_request_larger_than_the_limit_goes_alone_in_its_minute(clock):
    assert await sent(pace_of(clock, tokens_per_minute=100), 10, 500, 10) == [0, 60, 120]


async def test_the_true_number_of_tokens_counts_once_it_is_known(clock):
    pace = pace_of(clock, tokens_per_minute=100)
    (await pace.turn(90, patience=20)).tokens = 20
    assert await sent(pace, 80) == [0]
    (await pace.turn(0, patience=20)).tokens = 100
    assert await sent(pace, 1) == [60]


async def test_a_pause_holds_everybody_and_the_longest_counts(clock):
    pace = pace_of(clock)
    pace.pause(7)
    pace.pause(3)
    assert await sent(pace, 1, 1, 1) == [7, 7, 7]
    assert pace.pause_left() == 0


async def test_a_pause_beyond_patience_is_told_with_what_is_left_of_it(clock):
    pace = pace_of(clock)
    pace.pause(50)
    clock.now += 20
    with pytest.raises(Paused) as caught:
        await pace.turn(1, patience=20)
    assert caught.value.seconds == 30
    assert await sent(pace, 1, patience=30) == [50]


async def test_who_stops_waiting_leaves_the_place_to_the_next():
    pace = Pace(requests_per_minute=1)
    await pace.turn(1, patience=20)
    waiting = asyncio.create_task(pace.turn(1, patience=20))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    pace.pause(50)
    with pytest.raises(Paused):
        await asyncio.wait_for(pace.turn(1, patience=20), 5)

"""Tenants share places by turns: many requests of one never hold up another's."""

import asyncio
import random
from collections import Counter

import pytest

from moviellm.controller.fair import FairPlaces


async def through(places, owner, log, *, steps=1):
    async with places.place(owner):
        log.append(owner)
        for _ in range(steps):
            await asyncio.sleep(0)


async def test_a_thousand_of_one_owner_delay_anothers_first_by_one_turn():
    places, log = FairPlaces(2), []
    many = [asyncio.create_task(through(places, "greedy", log)) for _ in range(1000)]
    await asyncio.sleep(0)
    few = [asyncio.create_task(through(places, "modest", log)) for _ in range(10)]
    await asyncio.gather(*many, *few)
    last = max(place for place, owner in enumerate(log) if owner == "modest")
    assert last <= 2 + 2 * 10 + 2, "they take turns from the moment both wait"
    assert places.waiting == 0


async def test_kept_places_are_there_even_where_others_hold_all():
    places, log = FairPlaces(1, kept=1), []
    await places.acquire("greedy")
    await places.acquire("modest")
    waiting = [asyncio.create_task(through(places, owner, log)) for owner in ("greedy", "modest")]
    await asyncio.sleep(0.01)
    assert log == []
    places.release("modest")
    await asyncio.sleep(0.01)
    assert log == ["modest"]
    places.release("greedy")
    await asyncio.gather(*waiting)


@pytest.mark.parametrize("seed", range(5))
async def test_whoever_is_cancelled_leaves_no_place_behind(seed):
    """Owners come, wait and give up at random; never more than the width are inside, and in the end nobody is."""
    choose = random.Random(seed)
    places, inside, most = FairPlaces(3), Counter(), []

    async def visit(owner):
        async with places.place(owner):
            inside[owner] += 1
            most.append(inside.total())
            try:
                for _ in range(choose.randrange(4)):
                    await asyncio.sleep(0)
            finally:
                inside[owner] -= 1

    visits = []
    for _ in range(300):
        visits.append(asyncio.create_task(visit(choose.choice("abc"))))
        if choose.random() < 0.4:
            choose.choice(visits).cancel()
        if choose.random() < 0.5:
            await asyncio.sleep(0)
    await asyncio.gather(*visits, return_exceptions=True)
    assert max(most) == 3
    assert places.waiting == 0
    async with asyncio.timeout(1):
        for _ in range(3):
            await places.acquire("a")

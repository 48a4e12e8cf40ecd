"""A thousand requests at once: each is accepted or refused with when to come back, none is lost, nobody starves."""

import asyncio
import itertools
from collections import Counter

import psutil
import pytest
from fake_stages import FakeStages
from small_controller import Controller

from moviellm import errors
from moviellm.artifacts import ArtifactStore
from moviellm.controller.registry import Registry
from moviellm.dataset import MovieDatasetSpec, State
from moviellm.settings import StoreSettings
from moviellm.v1 import movie_dataset_service_pb2 as pb

MANY = 1000
ROOM = 800
BYTES_EACH = 150_000
SPEC = MovieDatasetSpec("a storm", movies=1, chapters=1, scenes=1, frames=1)


async def test_a_thousand_at_once_are_accepted_or_refused_and_none_is_lost(store):
    async def nothing(dataset, spec, progress, found):
        await asyncio.Event().wait()

    controller = Controller(store, FakeStages(store))
    controller.registry._make = nothing
    controller.registry._most_unfinished = ROOM
    await controller.start()
    process = psutil.Process()
    before = process.memory_info().rss
    results = await asyncio.gather(
        *(controller.create(f"set-{number}", chapters=1, scenes=1, frames=1) for number in range(MANY)),
        return_exceptions=True,
    )
    grown = process.memory_info().rss - before
    refused = [result for result in results if isinstance(result, Exception)]
    accepted = {result.name for result in results if not isinstance(result, Exception)}
    assert len(accepted) == ROOM
    assert {type(error) for error in refused} == {errors.Exhausted}
    assert all(error.retry_after for error in refused)
    assert grown / MANY < BYTES_EACH
    listed = await controller.ask("ListMovieDatasets", pb.ListMovieDatasetsRequest(page_size=MANY))
    assert {dataset.name for dataset in listed.movie_datasets} == accepted
    await controller.stop()

    again = Registry(store=store, make=nothing, datasets_in_flight=4)
    await again.load()
    assert {f"movieDatasets/{dataset.identifier}" for dataset in again.page(MANY, None)} == accepted
    await again.close()


@pytest.mark.parametrize("width", [1, 4])
async def test_a_tenant_with_few_requests_is_served_beside_one_with_many(tmp_path, width):
    """Two hundred of one tenant first, then ten of another: those are done before thirty of the others are."""
    order, turns, hold = [], itertools.count(), asyncio.Event()

    async def make(dataset, spec, progress, found):
        await hold.wait()
        for _ in range(3):
            await asyncio.sleep(0)
        order.append((next(turns), dataset.partition("-")[0]))

    store = ArtifactStore.open(StoreSettings(url=f"file://{tmp_path}"))
    registry = Registry(store=store, make=make, datasets_in_flight=width)
    for number in range(200):
        await registry.create(f"greedy-{number}", SPEC, owner="greedy")
    for number in range(10):
        await registry.create(f"modest-{number}", SPEC, owner="modest")
    hold.set()
    tasks = [dataset.task for dataset in registry.page(1000, None)]
    await asyncio.gather(*tasks)
    last = max(place for place, tenant in order if tenant == "modest")
    assert last < 10 + 2 * 10 + 3 * width
    assert Counter(tenant for _, tenant in order) == {"greedy": 200, "modest": 10}
    assert all(dataset.status.state is State.SUCCEEDED for dataset in registry.page(1000, None))
    await registry.close()

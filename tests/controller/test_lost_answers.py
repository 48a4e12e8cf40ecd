"""A store that does what it is told and whose answers are lost: nobody's request is lost, or accepted twice."""

import pytest

from moviellm import errors
from moviellm.artifacts import ArtifactStore
from moviellm.controller.registry import Registry
from moviellm.dataset import MovieDatasetSpec
from moviellm.settings import StoreSettings

SPEC = MovieDatasetSpec("a storm", movies=1, chapters=1, scenes=1, frames=1)


class DeafStore(ArtifactStore):
    """Writes, and says that it did not answer, for the next `lost` objects of which the key ends so."""

    ending = ""
    lost = 0
    deaf = False

    async def put(self, key, data):
        written = await super().put(key, data)
        if self.lost and key.endswith(self.ending):
            self.lost -= 1
            raise errors.Unavailable("no answer")
        return written

    async def find(self, key):
        if self.deaf and key.endswith(self.ending):
            raise errors.Unavailable("no answer")
        return await super().find(key)


@pytest.fixture
async def registry(tmp_path):
    async def make(dataset, spec, progress, found):
        return None

    store = DeafStore.open(StoreSettings(url=f"file://{tmp_path}"))
    store.ending = "request.json"
    registry = Registry(store=store, make=make, datasets_in_flight=1)
    registry.test_store = store
    yield registry
    await registry.close()


async def test_a_request_whose_writing_was_not_answered_is_accepted(registry):
    registry.test_store.lost = 1
    dataset = await registry.create("demo", SPEC)
    assert registry.get("demo") is dataset
    with pytest.raises(errors.AlreadyExists):
        await registry.create("demo", SPEC)


async def test_asked_again_it_gives_the_first_dataset(registry):
    registry.test_store.lost, registry.test_store.deaf = 1, True
    with pytest.raises(errors.Unavailable):
        await registry.create("demo", SPEC, request_id="mine")
    registry.test_store.deaf = False
    dataset = await registry.create("other-name", SPEC, request_id="mine")
    assert dataset.identifier == "demo"
    assert registry.page(10, None) == [dataset]


async def test_a_name_that_was_taken_without_anybody_knowing_is_a_dataset_like_others(registry):
    registry.test_store.lost, registry.test_store.deaf = 1, True
    with pytest.raises(errors.Unavailable):
        await registry.create("demo", SPEC)
    registry.test_store.deaf = False
    with pytest.raises(errors.AlreadyExists):
        await registry.create("demo", SPEC)
    assert registry.get("demo").accepted.spec == SPEC


async def test_more_than_the_controller_holds_is_refused_with_when_to_ask_again(tmp_path):
    import asyncio

    async def make(dataset, spec, progress, found):
        await asyncio.Event().wait()

    store = ArtifactStore.open(StoreSettings(url=f"file://{tmp_path}"))
    registry = Registry(store=store, make=make, datasets_in_flight=1, most_unfinished=2)
    for name in ("one", "two"):
        await registry.create(name, SPEC)
    with pytest.raises(errors.Exhausted, match="no more are accepted") as caught:
        await registry.create("three", SPEC)
    assert caught.value.retry_after > 0
    await registry.cancel("one")
    await registry.create("three", SPEC)
    await registry.close()

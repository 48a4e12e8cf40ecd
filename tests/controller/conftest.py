"""A controller over a real store, real gRPC at its door, and stage services in memory."""

import pytest
from fake_stages import FakeStages
from small_controller import Controller

from moviellm.artifacts import ArtifactStore
from moviellm.settings import StoreSettings


@pytest.fixture
def store(tmp_path):
    return ArtifactStore.open(StoreSettings(url=f"file://{tmp_path}"))


@pytest.fixture
async def controllers(store):
    """Makes controllers over one store, as restarts would; those still running are stopped at the end."""
    started = []

    async def make(**options):
        started.append(await Controller(store, FakeStages(store), **options).start())
        return started[-1]

    yield make
    for controller in started:
        await controller.stop()


@pytest.fixture
async def controller(controllers):
    return await controllers()

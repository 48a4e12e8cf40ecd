"""A hand on the cluster that the current context points to, and a stage in a namespace of it."""

import os

import pytest
from real_cluster import administrator, stage_of

from moviellm.artifacts import ArtifactStore
from moviellm.settings import StoreSettings

IS_WANTED = os.environ.get("MOVIELLM_CLUSTER_TESTS") == "1"
collect_ignore_glob = [] if IS_WANTED else ["test_cluster_*.py"]


@pytest.fixture
def store(tmp_path):
    return ArtifactStore.open(StoreSettings(url=f"file://{tmp_path}"))


@pytest.fixture
async def hand():
    hand = await administrator()
    yield hand
    await hand.close()


@pytest.fixture
async def stage(hand, store):
    async with stage_of(hand, store) as stage:
        yield stage

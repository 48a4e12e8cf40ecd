import asyncio

import pytest
from export_fixtures import SPEC, spec_with, stage_at, write_dataset

from moviellm.dataset import FORMATS
from moviellm.export.dataset_folder import Limits


@pytest.fixture
async def stage(tmp_path):
    """The service over a store that holds a finished dataset, nothing exported yet."""
    async with stage_at(tmp_path) as running:
        await write_dataset(running.store)
        yield running


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """The folder of an exported dataset, for tests that only look."""
    return asyncio.run(export_into(tmp_path_factory.mktemp("exported")))


@pytest.fixture(scope="session")
def every_format(tmp_path_factory):
    """The folder of a dataset exported to all formats, ten movies of which one validates and one tests."""
    spec = spec_with(movies=10, chapters=1, formats=tuple(FORMATS))
    limits = Limits(shard_megabytes=1, sample_frames=4, validation_share=0.1, test_share=0.1)
    return asyncio.run(export_into(tmp_path_factory.mktemp("formats"), spec, limits))


async def export_into(folder, spec=SPEC, limits=None):
    async with stage_at(folder, limits=limits) as running:
        await write_dataset(running.store, spec)
        await running.export_all(spec)
        return running.files()

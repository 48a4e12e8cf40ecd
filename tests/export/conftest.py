import asyncio

import pytest
from export_fixtures import stage_at, write_dataset


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


async def export_into(folder):
    async with stage_at(folder) as running:
        await write_dataset(running.store)
        await running.export_all()
        return running.files()

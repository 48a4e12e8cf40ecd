import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from export_fixtures import stage_at, write_dataset


@pytest.fixture
async def stage(tmp_path):
    """The service over a store that holds a finished dataset, nothing exported yet."""
    async with stage_at(tmp_path) as running:
        await write_dataset(running.store)
        yield running

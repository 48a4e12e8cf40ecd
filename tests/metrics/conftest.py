"""Tools that come with Prometheus."""

import shutil

import pytest


def _tool(name):
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed; `apt-get install prometheus` brings it, and this test then runs")
    return path


@pytest.fixture
def promtool():
    return _tool("promtool")


@pytest.fixture
def prometheus():
    return _tool("prometheus")

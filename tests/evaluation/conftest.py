"""Answer sets as files, and items to judge."""

import json

import pytest

from moviellm.evaluation.pairing import Item


@pytest.fixture
def write(tmp_path):
    """Write a file (text as it is, anything else as JSON) and return its path."""

    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


@pytest.fixture
def item():
    """An item by its number; the texts differ from number to number."""

    def item(number=1, movie="m", kind="plot", candidate="she sails", baseline="she swims"):
        return Item(
            f"q{number}", movie, kind, f"What does Mara do in scene {number}?", "She rows.", candidate, baseline
        )

    return item

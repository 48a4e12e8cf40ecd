"""The layouts that the documentation shows are read as it says."""

import re
from pathlib import Path

import pytest

from moviellm.evaluation.answers import Role
from moviellm.evaluation.pairing import paired
from moviellm.evaluation.reading import read_answers

PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"
LAYOUTS = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_answers_the_first(layout, write):
    reference = read_answers(write("reference.json", LAYOUTS[0]), Role.REFERENCE)
    given = [read_answers(write(f"{role}.json", layout), role) for role in (Role.CANDIDATE, Role.BASELINE)]
    (item,) = paired(reference, *given).items
    assert (item.id, item.kind, item.reference) == ("demo-0001-plot-1", "plot", "To find Tom.")
    assert item.candidate.endswith("Tom.")


def test_every_layout_is_shown():
    assert len(LAYOUTS) == 5

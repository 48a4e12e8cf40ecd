"""docs/plots.md: its table is the checker's, its examples are plots."""

import json
import re

import pytest
from rules_page import PAGE, page

from moviellm.movie import Shape
from moviellm.scripting.own_plot.imported_plot import ImportRequest, import_plot

EXAMPLES = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def test_the_table_is_the_checkers():
    assert page(PAGE.read_text()) == PAGE.read_text(), "run tests/rules_page.py"


@pytest.mark.parametrize(("number", "scenes", "questions"), [(0, 0, 0), (1, 1, 0), (2, 1, 1)])
def test_the_examples_can_be_imported(number, scenes, questions):
    assert len(EXAMPLES) == 3
    json.loads(EXAMPLES[number])
    plot = import_plot(ImportRequest(EXAMPLES[number].encode(), "a lighthouse", Shape(0, 0, 0), 1))
    assert (len(plot.scenes), len(plot.questions)) == (scenes, questions)
    assert plot.outline.characters[0].name.startswith("Clara")


def test_the_examples_are_mended_as_the_page_says():
    plot = import_plot(ImportRequest(EXAMPLES[2].encode(), "a lighthouse", Shape(0, 0, 0), 1))
    first, second = plot.scenes[0].frames
    assert first.description == "Clara Whitfield is kneeling with a calm face in the attic"
    assert second.description.startswith("Clara Whitfield holding a lamp with a happy face")
    assert plot.questions[0].answer == "A lamp."

"""Prompts are files; a requester's own take their places, and what cannot be used is refused with what is allowed."""

import re

import pytest

from moviellm.errors import InvalidInput
from moviellm.movie import Prompt
from moviellm.scripting.by_model import prompts


@pytest.mark.parametrize("name", prompts.NAMES)
def test_every_file_says_its_version_and_its_placeholders(name):
    template = prompts.template(name)
    found = set(re.findall(r"\$(\w+)", template.text))
    assert found <= template.known
    assert template.needed <= found
    assert re.fullmatch(rf"{name}@\d+ sha256:[0-9a-f]{{12}}", template.label)
    assert "<!--" not in template.text
    filled = template.filled(**{placeholder: "X" for placeholder in template.known})
    assert "$" not in filled


@pytest.mark.parametrize(
    ("name", "text", "field", "allowed"),
    [
        ("scenes", "x", "name", "outline, chapter, scene, again, part, frame"),
        ("scene", "$frames frames and $lines lines", "text", "must hold $location"),
        ("scene", "$frames $lines $location $mood", "text", "got $mood"),
        ("scene", "$frames $lines $location for 5$", "text", "write $$ for a dollar sign"),
        ("scene", "  ", "text", "must have 1 to"),
        ("outline", "$chapters " + "x" * 20_001, "text", "must have 1 to"),
    ],
)
def test_a_prompt_that_cannot_be_used_is_refused(name, text, field, allowed):
    with pytest.raises(InvalidInput) as caught:
        prompts.chosen([Prompt("again", "Again, please."), Prompt(name, text)])
    assert caught.value.field == f"prompts[1].{field}"
    assert allowed in caught.value.allowed


def test_a_prompt_of_ones_own_is_known_by_its_digest():
    own = prompts.chosen([Prompt("outline", "Tell $chapters chapters for $$5.")])["outline"]
    assert own.filled(chapters=3, style="", places="", appearance="") == "Tell 3 chapters for $5."
    assert own.label.startswith("outline@own sha256:")
    versioned = prompts.chosen([Prompt("outline", "<!-- version: 7 -->\nTell $chapters chapters for $$5.")])["outline"]
    assert versioned.label == own.label.replace("own", "7")
    assert prompts.chosen([])["outline"] == prompts.template("outline")

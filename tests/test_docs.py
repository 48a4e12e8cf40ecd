"""What the documentation says can be typed, can be typed."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from moviellm.cli.commands import app

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def commands():
    for page in PAGES:
        for block in blocks(page, "bash"):
            for line in block.splitlines():
                words = shlex.split(line, comments=True)
                while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                    words.pop(0)
                if words and words[0] == "moviellm":
                    yield pytest.param(words[1:], id=" ".join(words))


def make_targets():
    text = " ".join(block for page in PAGES for block in [page.read_text()])
    return sorted(
        set(re.findall(r"`make ([a-z0-9]+)", text)) | set(re.findall(r"^make ([a-z0-9]+)", text, re.MULTILINE))
    )


@pytest.mark.parametrize("words", list(commands()))
def test_commands_parse(words):
    group = typer.main.get_command(app)
    context = group.make_context("moviellm", list(words), resilient_parsing=True)
    name, command, rest = group.resolve_command(context, list(words))
    command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("target", make_targets())
def test_make_targets_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_exist(page):
    known = (ROOT / "docs" / "settings.md").read_text()
    for variable in re.findall(
        r"\bMOVIELLM_(?:STORE|CONTROLLER|SCRIPTING|INVERSION|RENDERING|QA|EXPORT)_[A-Z_]+", page.read_text()
    ):
        assert f"`{variable}`" in known, variable

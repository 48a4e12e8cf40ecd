"""The prompts, as files beside this one, with $names to be filled in."""

from importlib import resources
from string import Template


def prompt(name: str, **values: object) -> str:
    """The text of prompts/<name>.md with the values filled in; a "$" within a value means nothing."""
    text = resources.files("moviellm.qa").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")
    return Template(text).substitute(values)

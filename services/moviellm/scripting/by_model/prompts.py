"""The prompts of the openai writer: readable template files in `prompts/`, or the requester's own in their place.

The first line of a file is a comment that says its version and its $placeholders.
"""

import functools
import hashlib
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from moviellm.errors import InvalidInput
from moviellm.movie import Prompt

NAMES = ("outline", "chapter", "scene", "again", "part", "frame")
_LONGEST = 20_000
_HEAD = re.compile(r"\A\s*<!--(?P<fields>.*?)-->\s*", re.DOTALL)


@dataclass(frozen=True)
class Template:
    """A prompt with $placeholders; `needed` ones must stand in the text, `known` ones may."""

    name: str
    version: str
    text: str
    needed: frozenset[str]
    known: frozenset[str]

    @property
    def label(self) -> str:
        """Name, version and the beginning of the digest: `scene@2 sha256:0123456789ab`."""
        return f"{self.name}@{self.version} sha256:{hashlib.sha256(self.text.encode()).hexdigest()[:12]}"

    def filled(self, **values: object) -> str:
        """The text with all placeholders filled in."""
        return string.Template(self.text).substitute({name: str(value) for name, value in values.items()})


class Prompts:
    """The templates of one request."""

    def __init__(self, templates: Mapping[str, Template]) -> None:
        self._templates = templates

    def __getitem__(self, name: str) -> Template:
        return self._templates[name]


def chosen(own: Sequence[Prompt]) -> Prompts:
    """The files' templates with the requester's `own` in their places.

    Raises InvalidInput, naming `prompts[i].name` or `prompts[i].text` and what is allowed.
    """
    templates = {name: template(name) for name in NAMES}
    for index, prompt in enumerate(own):
        if prompt.name not in templates:
            raise InvalidInput(f"prompts[{index}].name", f"must be one of {', '.join(NAMES)}")
        templates[prompt.name] = _checked(prompt, templates[prompt.name], f"prompts[{index}].text")
    return Prompts(templates)


@functools.cache
def template(name: str) -> Template:
    """The template file of that name."""
    text = resources.files("moviellm.scripting").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")
    head, body = _parted(text)
    needed = frozenset(head.get("needs", "").split())
    return Template(name, head["version"], body, needed, needed | frozenset(head.get("may use", "").split()))


def _checked(prompt: Prompt, ours: Template, field: str) -> Template:
    head, body = _parted(prompt.text)
    allowed = ", ".join(f"${name}" for name in sorted(ours.known)) or "no placeholders"
    if not body.strip() or len(body) > _LONGEST:
        raise InvalidInput(field, f"must have 1 to {_LONGEST} characters")
    parsed = string.Template(body)
    if not parsed.is_valid():
        raise InvalidInput(field, f"may hold {allowed}; write $$ for a dollar sign")
    found = frozenset(parsed.get_identifiers())
    if found - ours.known:
        unknown = ", ".join(f"${name}" for name in sorted(found - ours.known))
        raise InvalidInput(field, f"may hold {allowed}, got {unknown}; write $$ for a dollar sign")
    if ours.needed - found:
        raise InvalidInput(field, f"must hold {', '.join(f'${name}' for name in sorted(ours.needed - found))}")
    return Template(prompt.name, head.get("version", "own"), body, ours.needed, ours.known)


def _parted(text: str) -> tuple[dict[str, str], str]:
    """The fields of the comment in the first line, and the text after it."""
    found = _HEAD.match(text)
    if found is None:
        return {}, text
    pairs = (field.split(":", 1) for field in found["fields"].split(";") if ":" in field)
    return {name.strip(): value.strip() for name, value in pairs}, text[found.end() :]

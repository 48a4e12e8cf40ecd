"""The prompts: readable files beside this one, a deployment's or a requester's own in their places.

The first line of a file is a comment with its version; $names are filled in.
"""

import hashlib
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from moviellm.errors import InvalidInput
from moviellm.movie import Prompt

OWN = "questions"
"""The prompt that a request may replace: the rules that every question must keep."""

_LONGEST = 20_000
_HEAD = re.compile(r"\A\s*<!--(?P<fields>.*?)-->\s*", re.DOTALL)


@dataclass(frozen=True)
class Template:
    """A prompt with $placeholders; a "$" within what is filled in means nothing."""

    name: str
    version: str
    text: str

    @property
    def label(self) -> str:
        """Name, version and the beginning of the digest: `questions@2 sha256:0123456789ab`."""
        return f"{self.name}@{self.version} sha256:{hashlib.sha256(self.text.encode()).hexdigest()[:12]}"

    def filled(self, **values: object) -> str:
        """The text with all placeholders filled in."""
        return string.Template(self.text).substitute({name: str(value) for name, value in values.items()})


class Templates:
    """The prompts of a deployment: those of the package, or files of the same name in its own `folder`."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._read: dict[str, Template] = {}

    def __getitem__(self, name: str) -> Template:
        if name not in self._read:
            self._read[name] = _template(name, self._text(name))
        return self._read[name]

    def rules(self, own: Sequence[Prompt] = ()) -> Template:
        """The rules for questions, the requester's where `own` holds them; prompts of other names are for others.

        Raises InvalidInput for a text that cannot be filled in.
        """
        for index, prompt in enumerate(own):
            if prompt.name == OWN:
                return _checked(prompt, f"prompts[{index}].text")
        return self[OWN]

    def _text(self, name: str) -> str:
        own = self._folder / f"{name}.md" if self._folder else None
        if own is not None and own.is_file():
            return own.read_text(encoding="utf-8")
        return resources.files("moviellm.qa").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")


def _template(name: str, text: str, version: str = "own") -> Template:
    head = _HEAD.match(text)
    if head is None:
        return Template(name, version, text)
    fields = dict(field.split(":", 1) for field in head["fields"].split(";") if ":" in field)
    known = {key.strip(): value.strip() for key, value in fields.items()}
    return Template(name, known.get("version", version), text[head.end() :])


def _checked(prompt: Prompt, field: str) -> Template:
    template = _template(prompt.name, prompt.text)
    if not template.text.strip() or len(template.text) > _LONGEST:
        raise InvalidInput(field, f"must have 1 to {_LONGEST} characters")
    parsed = string.Template(template.text)
    if not parsed.is_valid() or parsed.get_identifiers():
        raise InvalidInput(field, "may hold no placeholders; write $$ for a dollar sign")
    return template

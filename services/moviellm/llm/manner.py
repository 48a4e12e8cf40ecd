"""How an endpoint is asked for an object: by schema where it takes one, in plainer manners where it does not.

What an endpoint takes is found out by asking it, and remembered: a manner is given up only after a plainer one has
worked where it failed. The endpoint's words only decide what is tried first.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

_REFUSED = (400, 415, 422)
_CRASHED = (500, 501)
_NAMES_FORM = re.compile(r"response.?format|json.?schema|json.?object|structured|guided|grammar", re.IGNORECASE)
_RESPONSE_FORMAT = re.compile(r"response.?format", re.IGNORECASE)
_NAMES_TYPE = re.compile(r"schema|type|object|json", re.IGNORECASE)
_LIMITS = ("max_tokens", "max_completion_tokens")
_DROPPED_FIRST = ("temperature", *_LIMITS, "seed")


class Form(IntEnum):
    """What stands in `response_format`, richest first; all but SCHEMA have the schema in the system message too."""

    SCHEMA = 0  # a strict JSON schema
    OBJECT_BY_SCHEMA = 1  # JSON mode with a schema, as llama.cpp's servers take it
    OBJECT = 2  # JSON mode
    WORDS = 3  # nothing


@dataclass(frozen=True)
class Manner:
    """What of the protocol's options a request uses; `without` names those that the endpoint does not take.

    `spelled`: the schema is in the system message, too, for an endpoint that takes one and does not heed it.
    """

    form: Form = Form.SCHEMA
    without: frozenset[str] = frozenset()
    spelled: bool = False

    def options(self, schema: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
        """The options of the request: those wanted that the endpoint takes, and the form; "title" names the schema."""
        options = {name: wanted[name] for name in self.used(wanted)}
        if "max_completion_tokens" in options:
            options.pop("max_tokens", None)
        if self.form is Form.SCHEMA:
            named = {"name": str(schema["title"]), "schema": dict(schema), "strict": True}
            options["response_format"] = {"type": "json_schema", "json_schema": named}
        elif self.form is Form.OBJECT_BY_SCHEMA:
            options["response_format"] = {"type": "json_object", "schema": dict(schema)}
        elif self.form is Form.OBJECT:
            options["response_format"] = {"type": "json_object"}
        return options

    def used(self, wanted: Mapping[str, Any]) -> list[str]:
        """The names of the wanted options that are sent; the limit of tokens goes by one of its two names."""
        names = [name for name in wanted if name not in self.without]
        if all(name in names for name in _LIMITS):
            names.remove(_LIMITS[1])
        return names

    def system(self, text: str, schema: Mapping[str, Any], *, plain: bool = False) -> str:
        """The system message, with the schema in it where the endpoint does not take it otherwise, unless `plain`."""
        if plain or (self.form is Form.SCHEMA and not self.spelled):
            return text
        return f"{text}\nThe JSON object must follow this JSON schema:\n{json.dumps(dict(schema))}"

    def dropping(self, option: str) -> "Manner":
        """The same without one more option."""
        return replace(self, without=self.without | {option})


@dataclass
class Ladder:
    """One question's way from the richest manner to one that the endpoint takes.

    `proven`: the manner has worked for this schema; `sound`: it has for some schema, so a crash has another cause.
    `crashes` counts them, and begins with one where the endpoint is known to crash over options.
    """

    manner: Manner
    wanted: Mapping[str, Any]
    proven: bool
    sound: bool
    crashes: int = 0
    refused: list[Manner] = field(default_factory=list)

    def after(self, status: int, said: str) -> bool:
        """Whether to ask again at once in a plainer manner after an answer of this status.

        A crash (500, or a connection that breaks: status 0) may be the endpoint's way to refuse what it does not know.
        It counts when it names an option or comes twice; then the plainest form is tried at once, and if that crashes
        too, the endpoint is simply broken.
        """
        if status in _REFUSED and not self.proven:
            return self._step(said)
        if status not in (0, *_CRASHED) or self.sound:
            return False
        if self._named(said):
            return self._step(said)
        self.crashes += 1
        if self.crashes == 1:
            return False
        return self._step("") if self.manner.form is Form.WORDS else self._to(Form.WORDS)

    @property
    def exhausted(self) -> bool:
        """Whether richer manners have crashed and the plainest did too."""
        return self.crashes > 1

    def _named(self, said: str) -> bool:
        return bool(_NAMES_FORM.search(said)) or any(re.search(rf"\b{name}\b", said) for name in self._used())

    def _step(self, said: str) -> bool:
        options = [name for name in _DROPPED_FIRST if name in self._used()]
        named = [name for name in options if re.search(rf"\b{name}\b", said)]
        if named or (self.manner.form is Form.WORDS and options):
            self.refused.append(self.manner)
            self.manner = self.manner.dropping((named or options)[0])
            return True
        if self.manner.form is Form.WORDS:
            return False
        if _RESPONSE_FORMAT.search(said) and not _NAMES_TYPE.search(_RESPONSE_FORMAT.sub("", said)):
            between = (Form(form) for form in range(self.manner.form + 1, Form.WORDS))
            self.refused += [replace(self.manner, form=form) for form in between]
            return self._to(Form.WORDS)
        return self._to(Form(self.manner.form + 1))

    def _to(self, form: Form) -> bool:
        self.refused.append(self.manner)
        self.manner = replace(self.manner, form=form)
        return True

    def _used(self) -> list[str]:
        return self.manner.used(self.wanted)


class Manners:
    """What is known of an endpoint; shared by all questions to it."""

    def __init__(self) -> None:
        self._without: frozenset[str] = frozenset()
        self._refused: set[tuple[Form, str]] = set()
        self._proven: set[tuple[Form, frozenset[str], str]] = set()
        self._crashes = False
        self._heeded = self._ignored = 0

    def richest(self, asked: str, *, plain: bool = False) -> Manner:
        """The richest manner that may work for questions of this name; words where `plain` ones do as well."""
        refused = {form for form, name in self._refused if name in ("", asked)}
        form = next(form for form in Form if form not in refused)
        spelled = self._ignored > max(1, self._heeded)
        if plain and (spelled or form is not Form.SCHEMA):
            form = Form.WORDS
        return Manner(form, self._without, spelled)

    def heard(self, manner: Manner, *, heeded: bool) -> None:
        """A reply to a request with nothing but a schema kept to it, or did not; endpoints may take and ignore it."""
        if manner.form is Form.SCHEMA and not manner.spelled:
            self._heeded += heeded
            self._ignored += not heeded

    def ladder(self, asked: str, wanted: Mapping[str, Any], *, plain: bool = False, spelled: bool = False) -> Ladder:
        """Where to begin with a question of this name and these options."""
        manner = self.richest(asked, plain=plain)
        manner = replace(manner, spelled=manner.spelled or spelled)
        used = frozenset(manner.used(wanted))
        known = {name for form, sent, name in self._proven if form is manner.form and used <= sent}
        return Ladder(manner, wanted, proven=asked in known, sound=bool(known), crashes=int(self._crashes))

    def learn(self, asked: str, ladder: Ladder) -> bool:
        """The ladder's manner has worked, those it refused have not; whether that is news about what is refused.

        Only what two manners differ in by one thing is concluded, so several questions may be needed to know all.
        A form that works for other questions is given up for this one only.
        """
        worked, before = ladder.manner, (self._without, len(self._refused))
        self._proven.add((worked.form, frozenset(worked.used(ladder.wanted)), asked))
        self._crashes = self._crashes or (ladder.exhausted and bool(ladder.refused))
        for refused in ladder.refused:
            if refused.without == worked.without and refused.form is not worked.form:
                elsewhere = any(form is refused.form for form, _, _ in self._proven)
                self._refused.add((refused.form, asked if elsewhere else ""))
            elif refused.form is worked.form and len(worked.without - refused.without) == 1:
                self._without |= worked.without
        return before != (self._without, len(self._refused))

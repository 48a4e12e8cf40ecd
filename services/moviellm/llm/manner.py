"""How an endpoint is asked for an object: by schema where it takes one, in plainer manners where it does not."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

_REFUSED = (400, 422)
_CRASHED = 500
_NAMES_OPTIONS = re.compile(r"response.?format|json.?schema|\bseed\b", re.IGNORECASE)
_NAMES_SEED = re.compile(r"\bseed\b", re.IGNORECASE)
_NAMES_SCHEMA = re.compile(r"schema|type", re.IGNORECASE)
_ABOUT_OPTIONS = re.compile(
    r"schema|response.?format|json|structured|guided|grammar|\bseed\b|support|unknown|unrecogni[sz]ed|unexpected|extra"
    r"|invalid (argument|request|param|value|type|input)|validation|bad request",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Manner:
    """What of the protocol's options a request uses. schema: strict JSON schema; json: JSON mode; words: neither."""

    form: Literal["schema", "json", "words"] = "schema"
    seeded: bool = True

    def options(self, schema: Mapping[str, Any], seed: int) -> dict[str, Any]:
        """The options of the request; the schema's "title" names it."""
        options: dict[str, Any] = {"seed": seed % 2**31} if self.seeded else {}
        if self.form == "schema":
            named = {"name": str(schema["title"]), "schema": dict(schema), "strict": True}
            options["response_format"] = {"type": "json_schema", "json_schema": named}
        elif self.form == "json":
            options["response_format"] = {"type": "json_object"}
        return options

    def system(self, text: str, schema: Mapping[str, Any]) -> str:
        """The system message, with the schema in words where the endpoint does not take it otherwise."""
        if self.form == "schema":
            return text
        return f"{text}\nThe JSON object must follow this JSON schema:\n{json.dumps(dict(schema))}"

    def after(self, status: int, said: str) -> "Manner | None":
        """The next plainer manner after a refusal; None after one that is about something else, or the plainest.

        Some servers crash over options they do not know, so a 500 counts where it names them.
        """
        about_options = status in _REFUSED and (not said or _ABOUT_OPTIONS.search(said))
        if not about_options and not (status == _CRASHED and _NAMES_OPTIONS.search(said)):
            return None
        if self.seeded and (_NAMES_SEED.search(said) or self.form == "words"):
            return replace(self, seeded=False)
        if self.form == "schema" and _NAMES_SCHEMA.search(said):
            return replace(self, form="json")
        return None if self.form == "words" else replace(self, form="words")

"""Reading a requester's JSON: bounded in size and depth, and every complaint names the path of what is wrong."""

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from moviellm.dataset import MAX_PLOT_BYTES
from moviellm.errors import InvalidInput
from moviellm.movie import Mend
from moviellm.scripting.checker import plain_text

FIELD = "plot"
MAX_DEPTH = 24
MAX_ITEMS = 20_000
MAX_TEXT = 20_000
MAX_MENDS = 4_000
_SHOWN = 200


class Ledger:
    """The mends so far; texts are shortened, and after 4,000 of them the rest are only counted."""

    def __init__(self) -> None:
        self._mends: list[Mend] = []
        self._more = 0

    def note(self, rule: str, where: str, was: str, now: str = "") -> None:
        """Write down that a rule was broken and what was done about it."""
        if was == now:
            return
        if len(self._mends) >= MAX_MENDS:
            self._more += 1
        else:
            self._mends.append(Mend(rule, where, shown(was), shown(now)))

    @property
    def mends(self) -> tuple[Mend, ...]:
        """All of them, in the order in which they were found."""
        more = (Mend("mends-listed", "plot", f"{self._more} further mends of the same kinds"),) if self._more else ()
        return (*self._mends, *more)


def shown(text: str) -> str:
    """The text as a report shows it."""
    text = re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "\ufffd", text)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


class Node:
    """A value of the JSON with the way to it; what it is asked for and is not, it refuses."""

    def __init__(self, value: Any, path: str, ledger: Ledger) -> None:
        self.value = value
        self.path = path
        self.ledger = ledger

    def refuse(self, allowed: str) -> NoReturn:
        """Raise InvalidInput for this place."""
        raise InvalidInput(self.path, allowed)

    @property
    def is_missing(self) -> bool:
        """Whether nothing stands here."""
        return self.value is None or self.value in ("", [], {})

    def get(self, *names: str) -> "Node":
        """The first of the fields that is there, in any case of letters; a missing one is a Node without value."""
        if self.value is None:
            return Node(None, f"{self.path}.{names[0]}", self.ledger)
        if not isinstance(self.value, dict):
            self.refuse("must be an object")
        small = {str(key).strip().lower(): key for key in reversed(self.value)}
        for name in names:
            if name.lower() in small and self.value[small[name.lower()]] is not None:
                key = small[name.lower()]
                return Node(self.value[key], f"{self.path}.{shown(str(key))}", self.ledger)
        return Node(None, f"{self.path}.{names[0]}", self.ledger)

    def fields(self) -> "Iterator[tuple[str, Node]]":
        """Names and values of an object."""
        if not isinstance(self.value, dict):
            self.refuse("must be an object")
        for key, value in self.value.items():
            yield str(key), Node(value, f"{self.path}.{shown(str(key))}", self.ledger)

    def items(self) -> "tuple[Node, ...]":
        """The elements of a list; none where nothing stands. One text or object stands for a list of one."""
        if self.is_missing:
            return ()
        if isinstance(self.value, str | dict):
            return (self,)
        if not isinstance(self.value, list):
            self.refuse("must be a list")
        return tuple(Node(value, f"{self.path}[{i}]", self.ledger) for i, value in enumerate(self.value))

    def text(self, most: int = MAX_TEXT) -> str:
        """The text, cleaned of what may not go into training data; empty where nothing stands."""
        if self.value is None:
            return ""
        if isinstance(self.value, bool) or not isinstance(self.value, str | int | float):
            self.refuse("must be text")
        text = str(self.value)
        if len(text) > most:
            self.refuse(f"must have at most {most} characters, got {len(text)}")
        clean = plain_text.cleaned(text)
        if plain_text.fault(text):
            self.ledger.note("text-plain", self.path, text, clean)
        return clean

    def texts(self, most: int = 500) -> tuple[str, ...]:
        """A list of texts; one text is split at its commas."""
        if isinstance(self.value, str):
            return tuple(part for part in (part.strip() for part in self.text().split(",")) if part)
        return tuple(text for text in (item.text(most) for item in self.items()) if text)

    def number(self, default: int) -> int:
        """A whole number, also one written as text."""
        if self.value is None:
            return default
        value = self.value
        if isinstance(value, str) and re.fullmatch(r"\s*\d{1,6}\s*", value):
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not -(10**6) < value < 10**6:
            self.refuse("must be a whole number")
        return value


def read(data: bytes, ledger: Ledger) -> Node:
    """The object at the top. Raises InvalidInput for what is too large, too deep or no JSON object."""
    if len(data) > MAX_PLOT_BYTES:
        raise InvalidInput(FIELD, f"must have at most {MAX_PLOT_BYTES} bytes (8 MiB), got {len(data)}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(FIELD, f"must be UTF-8 text, byte {error.start} is not") from error
    _check_depth(text)
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidInput(FIELD, f"must be JSON; it cannot be read{where}") from error
    if not isinstance(value, dict):
        raise InvalidInput(FIELD, "must be a JSON object")
    return Node(value, FIELD, ledger)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _check_depth(text: str) -> None:
    """Refuse nesting bombs before a parser descends into them."""
    depth = commas = 0
    for found in re.finditer(r'"(?:[^"\\]+|\\.)*+"?|[\[{\]},]', text, re.DOTALL):
        mark = found.group()[0]
        if mark == ",":
            commas += 1
        elif mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
        if depth > MAX_DEPTH:
            raise InvalidInput(FIELD, f"must be nested at most {MAX_DEPTH} levels deep")
        if commas > 10 * MAX_ITEMS:
            raise InvalidInput(FIELD, f"must have at most {10 * MAX_ITEMS} values")

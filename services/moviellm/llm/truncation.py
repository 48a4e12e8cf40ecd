"""JSON that stops half-way, closed where it was last whole."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_SENTENCE_END = re.compile(r"[.!?…][\"'”’)]*(?=\s|$)")
_DEEPEST = 100
_CLOSING = {"{": "}", "[": "]"}


@dataclass
class _Scan:
    """Where a reader of JSON stands: the brackets that are open, and the last place where all before it was whole.

    No bracket opens or closes after that place.
    """

    open: list[str] = field(default_factory=list)
    after_colon: bool = False
    text_from: int = -1
    safe: int = 0
    closed: bool = False

    @property
    def in_value(self) -> bool:
        """Whether a text here would be a value, not a key."""
        return self.after_colon or bool(self.open and self.open[-1] == "[")


def completions(text: str) -> Iterator[str]:
    """The text itself where its brackets close; else up to its last whole sentence, and up to its last whole value.

    Texts are those between double quotes; what is broken in other ways is left as it is, and nothing comes of brackets
    without end.
    """
    scan = _scanned(text)
    if len(scan.open) > _DEEPEST:
        return
    if scan.closed or not scan.open:
        yield text
        return
    if scan.text_from >= 0 and scan.in_value:
        begun = text[scan.text_from :]
        ends = [match.end() for match in _SENTENCE_END.finditer(begun)]
        if ends:
            yield text[: scan.text_from] + begun[: ends[-1]] + '"' + _closing(scan.open)
    if scan.safe:
        yield text[: scan.safe] + _closing(scan.open)


def _closing(brackets: list[str]) -> str:
    return "".join(_CLOSING[bracket] for bracket in reversed(brackets))


def _scanned(text: str) -> _Scan:
    scan, place = _Scan(), 0
    while place < len(text) and not scan.closed:
        sign = text[place]
        if scan.text_from >= 0:
            if sign == "\\":
                place += 1
            elif sign == '"':
                _text_ends(scan, place)
        elif sign == '"':
            scan.text_from = place + 1
        else:
            _mark(scan, sign, place)
        place += 1
    return scan


def _text_ends(scan: _Scan, place: int) -> None:
    if scan.in_value:
        scan.safe = place + 1
    scan.text_from = -1


def _mark(scan: _Scan, sign: str, place: int) -> None:
    if sign in "{[":
        scan.open.append(sign)
        scan.after_colon = False
        scan.safe = place + 1
    elif sign in "}]" and scan.open:
        scan.open.pop()
        scan.after_colon = False
        scan.safe = place + 1
        scan.closed = not scan.open
    elif sign == ",":
        scan.safe = place
        scan.after_colon = False
    elif sign == ":":
        scan.after_colon = True

"""Markdown that says what it was given, whatever the texts hold."""

import re
from collections.abc import Iterable, Sequence

_ESCAPED = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]#|~$!"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})


def escaped(text: str) -> str:
    """The text in one line, free of Markdown and HTML."""
    return " ".join(text.split()).translate(_ESCAPED)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in cells)}|" for cells in lines)


def fenced(text: str, language: str = "") -> str:
    """The text as it is, in a block with a fence that it does not contain."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def code(text: str) -> str:
    """The text as code within a line; may hold anything."""
    return f"`` {' '.join(text.split()).replace('|', '¦')} ``" if "`" in text or "|" in text else f"`{text}`"


def counted(number: int, noun: str) -> str:
    """`1 movie`, `1,331 key frames`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

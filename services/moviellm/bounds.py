"""How large the parts of any request may be, wherever they stand: looked at before anything else is done with it.

Rooms check what their own fields mean; these bounds keep what they do with them affordable.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from moviellm.errors import InvalidInput

MAX_TEXT = 40_000
"""Characters of a text; prompts of a requester's own are the longest."""

MAX_ITEMS = 10_000
"""Entries of a list."""

MAX_SIDE = 64
"""Chapters of a movie, scenes of a chapter, frames and lines of a scene."""

_NAME = 500
_TELLING = 20_000

#: Tighter bounds by message and field: of a number its most, of a list its entries, of a text its characters.
_TIGHTER: Mapping[str, Mapping[str, int]] = {
    "Shape": {"chapters": MAX_SIDE, "scenes": MAX_SIDE, "frames": MAX_SIDE},
    "Style": {"keyword": _NAME, "phrases": 64, "adjectives": 64},
    "Character": {
        "name": _NAME,
        "aliases": MAX_SIDE,
        "appearance": 2_000,
        "clothing_color": _NAME,
        "occupation": _NAME,
    },
    "Fact": {"who": _NAME, "deed": 2_000, "reason": 2_000, "means": 2_000, "place": _NAME},
    "Outline": {
        "title": _NAME,
        "theme": 2_000,
        "overview": _TELLING,
        "locations": 256,
        "characters": MAX_SIDE,
        "chapters": MAX_SIDE,
        "facts": 256,
    },
    "ChapterOutline": {"title": _NAME, "locations": 64, "content": _TELLING, "facts": 256},
    "Chapter": {"scenes": MAX_SIDE},
    "ScenePlan": {"location": _NAME, "content": _TELLING, "facts": 256},
    "Scene": {"frames": MAX_SIDE, "dialogue": MAX_SIDE},
    "Frame": {"description": 4_000, "characters": MAX_SIDE},
    "Line": {"speaker": _NAME, "text": 4_000},
    "Question": {"question": 4_000, "answer": _TELLING, "choices": 16},
    "AskOrderRequest": {"chapters": MAX_SIDE, "scenes": MAX_SIDE * MAX_SIDE},
}


def check(message: Message) -> None:
    """Raise InvalidInput, naming the field, for a text, a list or a number beyond its bound, or one that is none."""
    for path, problem in _problems(message, ""):
        raise InvalidInput(path, problem)


def _problems(message: Message, path: str) -> Iterator[tuple[str, str]]:
    tighter = _TIGHTER.get(message.DESCRIPTOR.name, {})
    for field, value in message.ListFields():
        here = f"{path}.{field.name}" if path else field.name
        most = tighter.get(field.name)
        if not field.is_repeated:
            yield from _of_one(field, value, here, most)
        elif len(value) > (most or MAX_ITEMS):
            yield here, f"must have at most {most or MAX_ITEMS} entries, got {len(value)}"
        elif not (field.message_type and field.message_type.GetOptions().map_entry):
            for index, item in enumerate(value):
                yield from _of_one(field, item, f"{here}[{index}]", None)


def _of_one(field: FieldDescriptor, value: Any, path: str, most: int | None) -> Iterator[tuple[str, str]]:
    if isinstance(value, Message):
        yield from _problems(value, path)
    elif isinstance(value, str):
        if len(value) > (most or MAX_TEXT):
            yield path, f"must have at most {most or MAX_TEXT} characters, got {len(value)}"
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield path, f"must be a finite number, got {value}"
    elif most is not None and not isinstance(value, bytes) and value > most:
        yield path, f"must be at most {most}, got {value}"

"""A part of a script as a language model would send it: without numbers and without what the request says anyway."""

import json
from dataclasses import asdict
from typing import Any

from moviellm.movie import Chapter, Outline, Scene

_NUMBERED = {"chapters", "scenes", "frames"}
_LEFT_OUT = {"theme", "number", "chapter"}


def as_reply(value: Outline | Chapter | Scene) -> str:
    """The JSON text of a reply."""
    reply: dict[str, Any] = _without(asdict(value), *_LEFT_OUT)
    for level in _NUMBERED & reply.keys():
        reply[level] = [_without(item, "number") for item in reply[level]]
    return json.dumps(reply, ensure_ascii=False)


def _without(item: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: content for key, content in item.items() if key not in keys}

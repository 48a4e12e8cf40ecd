"""Texts that cannot corrupt labels.

Loaders replace "<image>" and "<video>" by pictures, cut at "</s>", read "<|im_start|>" as the start of a turn and mask
labels at "ASSISTANT:", wherever these stand. A text of ours that holds one of them would silently spoil its record.
Every tokenizer has special tokens of its own, so whatever looks like one is made harmless: its angle brackets become
square ones, a role's colon a dash, and the text stays readable.
"""

import re
from typing import Any

_INVISIBLE = re.compile("[\u200b\u200c\u2060\ufeff]")
_TAG = re.compile(r"[<＜]\s*(/?\s*[^\s<>＜＞]{1,64})\s*[>＞]")
_INSTRUCTION = re.compile(r"\[\s*(/?)\s*(INST|SYS)\s*\]", re.IGNORECASE)
_ROLE = re.compile(r"\b(ASSISTANT|USER|HUMAN|GPT|SYSTEM|BOT)\s*[:：]", re.IGNORECASE)
_TRAINERS_OWN = ("image", "video", "audio", "s")


def harmless(text: str) -> str:
    """The text without the words that trainers act upon; surrounding blanks go, too."""
    text, before = _INVISIBLE.sub("", text), ""
    while text != before:
        text, before = _TAG.sub(lambda match: f"[{''.join(match.group(1).split())}]", text), text
    text = _INSTRUCTION.sub(lambda match: f"({match.group(1)}{match.group(2)})", text)
    return _ROLE.sub(lambda match: f"{match.group(1)} –", text).strip()


def harmless_prompt(text: str, token: str) -> str:
    """A picture prompt made harmless but for the learnt style's token, unless that is a word trainers act upon."""
    if not token or token.strip("</>").lower() in _TRAINERS_OWN:
        return harmless(text)
    return token.join(harmless(f"x{part}x")[1:-1] for part in text.split(token))


def harmless_deep(value: Any) -> Any:
    """JSON with every text in it made harmless."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, dict):
        return {name: harmless_deep(item) for name, item in value.items()}
    return [harmless_deep(item) for item in value] if isinstance(value, list | tuple) else value

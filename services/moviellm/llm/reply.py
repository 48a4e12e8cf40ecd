"""One JSON object out of what a language model wrote, which is seldom the object alone."""

import json
import re
from collections.abc import Iterator
from typing import Any

_FENCED = re.compile(r"```\w*\s*(\{.*\})\s*```", re.DOTALL)


class Unusable(Exception):
    """A reply cannot be used; the message completes "Your reply cannot be used: …" and is sent to the model."""


def object_of(text: str) -> dict[str, Any]:
    """The object in the text, with or without thoughts before it, a code fence or words around it.

    Raises Unusable, saying what is wrong.
    """
    wrong = "it is not one JSON object"
    for candidate in _candidates(text):
        try:
            value = json.loads(candidate)
            json.dumps(value, ensure_ascii=False).encode()
        except json.JSONDecodeError as error:
            wrong = f"it is not valid JSON: {error.msg} at character {error.pos}"
        except UnicodeEncodeError:
            wrong = "it holds half of a surrogate pair, which is no character"
        except RecursionError:
            wrong = "it is nested too deeply"
        else:
            if isinstance(value, dict):
                return value
            break
    raise Unusable(wrong if "{" in without_thoughts(text) else "it is not one JSON object")


def without_thoughts(text: str) -> str:
    """The text after the model's thinking aloud, for models that close it with </think>."""
    return text.rsplit("</think>", 1)[-1].strip()


def _candidates(text: str) -> Iterator[str]:
    """From the text as it is to the widest part of it that could be an object."""
    if text.lstrip().startswith("{"):
        yield text
    said = without_thoughts(text)
    yield said
    if fenced := _FENCED.search(said):
        yield fenced[1]
    start, end = said.find("{"), said.rfind("}")
    if 0 <= start < end:
        yield said[start : end + 1]

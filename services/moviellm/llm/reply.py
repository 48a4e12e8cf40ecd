"""What comes back of a question to a language model: a value and its cost, or the reason why there is none."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from moviellm import errors

T = TypeVar("T")

_FENCED = re.compile(r"```\w*\s*(\{.*\})\s*```", re.DOTALL)


class Unusable(Exception):
    """A reply cannot be used; the message completes "Your reply cannot be used: …" and is sent to the model."""


@dataclass(frozen=True)
class Reply(Generic[T]):
    """What the model's object was read as, and the tokens of all attempts; a cached one cost none."""

    value: T
    prompt_tokens: int
    completion_tokens: int
    cached: bool = False


@dataclass
class Bill:
    """A running account that questions write their cost on as they go, so that it stands even where they fail."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0

    def add(self, prompt_tokens: int, completion_tokens: int) -> None:
        """One more call that was answered with a completion."""
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        self.calls += 1


class NothingUsable(errors.Unavailable):
    """The model answered every attempt with something that cannot be used.

    `why` says what was wrong with the last, as the model was told; `bill` is what all attempts cost. Whoever asked may
    ask for something smaller.
    """

    reason = "LLM_INVALID_REPLY"

    def __init__(self, message: str, *, why: str, bill: Bill) -> None:
        super().__init__(message)
        self.why = why
        self.bill = bill


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

"""What comes back of a question to a language model: a value and its cost, or the reason why there is none."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from moviellm import errors

T = TypeVar("T")


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

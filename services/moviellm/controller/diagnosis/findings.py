"""What was found where somebody looked at a deployment."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from moviellm.controller.troubles import remedy_for
from moviellm.errors import MovieLLMError


class Verdict(StrEnum):
    """How a finding is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: the part, what of it, how it is, and what to do; `seconds` is how long it took."""

    part: str
    check: str
    verdict: Verdict
    message: str
    remedy: str = ""
    seconds: float = 0.0


class Concern(Exception):
    """It works, and should be looked after: the message says why, `remedy` what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


async def found(
    part: str, check: str, look: Callable[[], Awaitable[str]], *, clock: Callable[[], float] = time.monotonic
) -> Finding:
    """Look, and say what was found: `look` returns a sentence, or raises a Concern or one of our errors."""
    began = clock()
    try:
        message, verdict, remedy = await look(), Verdict.OK, ""
    except Concern as concern:
        message, verdict, remedy = concern.message, Verdict.WARNING, concern.remedy
    except MovieLLMError as error:
        message, verdict, remedy = error.message, Verdict.FAILED, remedy_for(error)
    return Finding(part, check, verdict, message, remedy, clock() - began)

"""What the client of an OpenAI-compatible endpoint raises, as our errors; no message holds a key or a password."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, unquote, urlsplit

import openai

from moviellm import errors

Failure = openai.OpenAIError | TimeoutError

PROMPT_TOO_LONG = "LLM_PROMPT_TOO_LONG"

_LONGEST_WAIT = 86400.0
_QUOTED = 300
_SHORTEST_SECRET = 4
_BAD = r"(invalid|incorrect|missing|not valid|expired)"
_ABOUT_KEY = re.compile(rf"{_BAD}\b.{{0,40}}\bapi.?key|\bapi.?key.{{0,40}}\b{_BAD}", re.I)
_ABOUT_MODEL = re.compile(r"\bmodel\b.{0,80}(not found|not exist|unknown|no such)|(invalid|unknown) model\b", re.I)
_ABOUT_LENGTH = re.compile(r"context.{0,20}(length|size|window)|too (long|many tokens)|maximum.{0,20}tokens", re.I)
_ABOUT_FORM = re.compile(r"response.?format|schema", re.I)
_SPENT = ("insufficient_quota", "billing_hard_limit_reached")


@dataclass(frozen=True)
class Endpoint:
    """Who is asked, for messages. `now` is the time of day, for waits that are named as a date."""

    base_url: str = field(repr=False)
    model: str
    key: str = field(repr=False)
    now: Callable[[], float] = time.time

    def error_of(self, error: Failure) -> errors.MovieLLMError:
        """Denied, Unsatisfied and Exhausted for what the endpoint says, Unavailable where it fails or is silent."""
        if not isinstance(error, openai.APIStatusError):
            return self._unreachable("does not answer in time" if silent(error) else "does not answer")
        status, wait = error.status_code, self._retry_after(error.response.headers)
        if status == 429 and error.code not in _SPENT:
            return self.at_its_limit(wait)
        if status >= 500 or status == 408:
            return self._unreachable(f"fails with status {status}", wait)
        return self._refusal(status, str(error.code), said(error))

    def at_its_limit(self, seconds: float | None) -> errors.Exhausted:
        """The endpoint wants no more calls for these seconds."""
        return errors.Exhausted(f"{self} is at its rate limit", reason="LLM_RATE_LIMITED", retry_after=seconds)

    def __str__(self) -> str:
        parts = urlsplit(self.base_url)
        shown = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
        return f"the language model endpoint {shown}"

    def redacted(self, text: str) -> str:
        """The endpoint's words without our secrets."""
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def _refusal(self, status: int, code: str, words: str) -> errors.Permanent:
        if status in (401, 403) or (status == 400 and _ABOUT_KEY.search(words)):
            return errors.Denied(f"{self} refuses the key", reason="LLM_UNAUTHORIZED")
        if status == 404 or code == "model_not_found" or (status in (400, 422) and _ABOUT_MODEL.search(words)):
            unknown = f"{self} does not know the model {self.model}, or its address is wrong"
            return errors.Unsatisfied(unknown, reason="LLM_MODEL_UNKNOWN")
        if status == 402 or code in _SPENT:
            return errors.Unsatisfied(f"{self} wants to be paid before it goes on", reason="LLM_CREDIT_SPENT")
        reason = "LLM_REQUEST_REFUSED"
        if status == 413 or code == "context_length_exceeded" or _too_long(words):
            reason = PROMPT_TOO_LONG
        refused = f"{self} refuses the request with status {status}: {self.redacted(words)[:_QUOTED]}"
        return errors.Unsatisfied(refused, reason=reason)

    def _unreachable(self, how: str, retry_after: float | None = None) -> errors.Unavailable:
        return errors.Unavailable(f"{self} {how}", reason="LLM_UNREACHABLE", retry_after=retry_after)

    def _secrets(self) -> set[str]:
        parts = urlsplit(self.base_url)
        found = {self.key, parts.password or "", parts.username or "", *(value for _, value in parse_qsl(parts.query))}
        found |= {unquote(secret) for secret in found}
        return {secret for secret in found if len(secret) >= _SHORTEST_SECRET}

    def _retry_after(self, headers: Mapping[str, str]) -> float | None:
        """Seconds from a number of them or from a date, as RFC 9110 has it; None where there is neither."""
        named = headers.get("retry-after", "")
        try:
            seconds = float(named)
        except ValueError:
            try:
                seconds = parsedate_to_datetime(named).timestamp() - self.now()
            except (ValueError, TypeError, OverflowError):
                return None
        return min(max(0.0, seconds), _LONGEST_WAIT) if seconds == seconds else None


def _too_long(words: str) -> bool:
    return bool(_ABOUT_LENGTH.search(words)) and not _ABOUT_FORM.search(words)


def said(error: Failure) -> str:
    """The endpoint's own words: the error's message where it keeps to the protocol, else all it sent."""
    if not isinstance(error, openai.APIStatusError):
        return ""
    body = error.body
    if isinstance(body, dict) and body.get("message"):
        return str(body["message"])
    return str(body) if body else error.response.text.strip()


def status_of(error: Failure) -> int:
    """The status of an answer, 0 for a connection that was broken off before one, -1 for none at all."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code
    return -1 if silent(error) or nobody_there(error) else 0


def silent(error: Failure) -> bool:
    """Whether the endpoint took too long."""
    return isinstance(error, openai.APITimeoutError | TimeoutError)


def nobody_there(error: Failure) -> bool:
    """Whether no connection could be made."""
    return isinstance(error, openai.APIConnectionError) and type(error.__cause__).__name__ == "ConnectError"

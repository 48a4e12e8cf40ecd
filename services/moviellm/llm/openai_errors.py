"""What the client of an OpenAI-compatible endpoint raises, as our errors; no message holds a key or a password."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import openai

from moviellm import errors

_LONGEST_WAIT = 86400.0
_QUOTED = 300


@dataclass(frozen=True)
class Endpoint:
    """Who is asked, for messages."""

    base_url: str
    model: str
    key: str = field(repr=False)

    def error_of(self, error: openai.OpenAIError) -> errors.MovieLLMError:
        """Denied, Unsatisfied and Exhausted for what the endpoint says, Unavailable where it fails or is silent."""
        if not isinstance(error, openai.APIStatusError):
            slow = isinstance(error, openai.APITimeoutError)
            return self._unreachable("does not answer in time" if slow else "does not answer")
        status, wait = error.status_code, _retry_after(error.response.headers)
        if status in (401, 403):
            return errors.Denied(f"{self} refuses the key", reason="LLM_UNAUTHORIZED")
        if status == 404 or error.code == "model_not_found":
            unknown = f"{self} does not know the model {self.model}, or its address is wrong"
            return errors.Unsatisfied(unknown, reason="LLM_MODEL_UNKNOWN")
        if status == 429:
            return errors.Exhausted(f"{self} is at its rate limit", reason="LLM_RATE_LIMITED", retry_after=wait)
        if status >= 500 or status == 408:
            return self._unreachable(f"fails with status {status}", wait)
        refused = f"{self} refuses the request with status {status}: {self._quoted(said(error))}"
        return errors.Unsatisfied(refused, reason="LLM_REQUEST_REFUSED")

    def __str__(self) -> str:
        parts = urlsplit(self.base_url)
        shown = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
        return f"the language model endpoint {shown}"

    def _unreachable(self, how: str, retry_after: float | None = None) -> errors.Unavailable:
        return errors.Unavailable(f"{self} {how}", reason="LLM_UNREACHABLE", retry_after=retry_after)

    def _quoted(self, text: str) -> str:
        return (text.replace(self.key, "***") if self.key else text)[:_QUOTED]


def said(error: openai.APIStatusError) -> str:
    """The endpoint's own words: the error's message where it keeps to the protocol, else all it sent."""
    body = error.body
    if isinstance(body, dict) and body.get("message"):
        return str(body["message"])
    return str(body) if body else error.response.text.strip()


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        return min(max(0.0, float(headers["retry-after"])), _LONGEST_WAIT)
    except (KeyError, ValueError):
        return None

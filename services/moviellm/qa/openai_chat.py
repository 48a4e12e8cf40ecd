"""One question to a language model, one checked JSON object back; any endpoint that speaks OpenAI's chat completions.

Knows nothing of what is talked about. The official client does the talking and never retries by itself: whoever calls
the service decides that, from the error.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import openai
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from moviellm import errors

T = TypeVar("T")

_CHECK_SECONDS = 10.0
_CONNECT_SECONDS = 10.0
_NO_KEY = "none"


@dataclass(frozen=True)
class Reply(Generic[T]):
    """What the model's object was read as, and the tokens of all attempts."""

    value: T
    prompt_tokens: int
    completion_tokens: int


class Unusable(Exception):
    """A reply cannot be used; the message completes "Your reply cannot be used: …" and is sent to the model."""


class OpenAIChat:
    """A model at an endpoint. `attempts` bounds how often one question is asked until its reply is usable.

    All methods raise moviellm.errors: Denied for a refused key, Unsatisfied for an unknown model or a refused request,
    Exhausted for a rate limit, Unavailable for an endpoint that does not answer or answers nonsense. Messages name the
    endpoint and never the key.
    """

    def __init__(
        self, *, base_url: str, model: str, api_key: str = "", timeout_seconds: float = 120.0, attempts: int = 3
    ) -> None:
        self.model = model
        self._endpoint = _without_credentials(base_url)
        self._key = api_key
        self._attempts = attempts
        timeout = openai.Timeout(timeout_seconds, connect=min(timeout_seconds, _CONNECT_SECONDS))
        self._client = openai.AsyncOpenAI(base_url=base_url, api_key=api_key or _NO_KEY, timeout=timeout, max_retries=0)

    async def ask(
        self, schema: Mapping[str, Any], system: str, user: str, read: Callable[[dict[str, Any]], T], *, seed: int = 0
    ) -> Reply[T]:
        """Ask for an object of the JSON schema, whose "title" names it.

        `read` makes the value of the object or raises Unusable; then the model is told why and asked again.
        """
        messages: list[ChatCompletionMessageParam] = [
            {"role": "system", "content": system},
            {"role": "user", "content": user},
        ]
        prompt_tokens = completion_tokens = 0
        reason = ""
        for _ in range(self._attempts):
            completion = await self._complete(messages, schema, seed)
            usage = getattr(completion, "usage", None)
            prompt_tokens += usage.prompt_tokens if usage else 0
            completion_tokens += usage.completion_tokens if usage else 0
            try:
                return Reply(read(_object_of(completion)), prompt_tokens, completion_tokens)
            except Unusable as error:
                reason = str(error)
            messages += [
                {"role": "assistant", "content": _text_of(completion) or "(nothing)"},
                {"role": "user", "content": f"Your reply cannot be used: {reason}. Reply again, whole and corrected."},
            ]
        raise errors.Unavailable(
            f"the language model {self.model} at {self._endpoint} gave no usable reply in {self._attempts} attempts; "
            f"the last: {reason}",
            reason="LLM_INVALID_REPLY",
        )

    async def check(self) -> None:
        """Raise while the endpoint does not answer or refuses the key; an endpoint without a list of models is fine."""
        try:
            await self._client.models.list(timeout=_CHECK_SECONDS)
        except openai.APIStatusError as error:
            ours = self._error_of(error)
            if isinstance(ours, errors.Denied | errors.Unavailable):
                raise ours from None
        except openai.APIConnectionError as error:
            raise self._error_of(error) from None

    async def _complete(
        self, messages: list[ChatCompletionMessageParam], schema: Mapping[str, Any], seed: int
    ) -> object:
        try:
            return await self._client.chat.completions.create(
                model=self.model,
                messages=messages,
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": str(schema["title"]), "schema": dict(schema), "strict": True},
                },
                seed=seed % 2**31,
            )
        except (openai.APIStatusError, openai.APIConnectionError) as error:
            raise self._error_of(error) from None
        except (openai.APIResponseValidationError, ValueError):
            return None

    def _error_of(self, error: openai.APIStatusError | openai.APIConnectionError) -> errors.MovieLLMError:
        if not isinstance(error, openai.APIStatusError):
            slow = isinstance(error, openai.APITimeoutError)
            return self._unreachable("does not answer in time" if slow else "does not answer")
        status = error.status_code
        if status in (401, 403):
            return errors.Denied(
                f"the language model endpoint {self._endpoint} refuses the key", reason="LLM_UNAUTHORIZED"
            )
        if status == 404:
            return errors.Unsatisfied(
                f"the language model endpoint {self._endpoint} does not know the model {self.model}, "
                "or its address is wrong",
                reason="LLM_MODEL_UNKNOWN",
            )
        if status == 429:
            return errors.Exhausted(
                f"the language model endpoint {self._endpoint} is at its rate limit",
                reason="LLM_RATE_LIMITED",
                retry_after=_retry_after(error.response.headers),
            )
        if status >= 500 or status == 408:
            return self._unreachable(f"answers with status {status}", _retry_after(error.response.headers))
        return errors.Unsatisfied(
            f"the language model endpoint {self._endpoint} refuses the request with status {status}: "
            f"{self._without_key(str(error.message))[:300]}",
            reason="LLM_REQUEST_REFUSED",
        )

    def _unreachable(self, how: str, retry_after: float | None = None) -> errors.Unavailable:
        message = f"the language model endpoint {self._endpoint} {how}"
        return errors.Unavailable(message, reason="LLM_UNREACHABLE", retry_after=retry_after)

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def _object_of(completion: object) -> dict[str, Any]:
    if not isinstance(completion, ChatCompletion) or not completion.choices:
        raise Unusable("it is no chat completion")
    choice = completion.choices[0]
    if choice.message.refusal:
        raise Unusable("it is a refusal")
    if choice.finish_reason == "length":
        raise Unusable("it was cut off at the length limit; be briefer")
    text = re.sub(r"^\s*```(?:json)?\s*|\s*```\s*$", "", choice.message.content or "")
    try:
        value = json.loads(text)
    except ValueError:
        raise Unusable("it is not one JSON object") from None
    if not isinstance(value, dict):
        raise Unusable("it is not one JSON object")
    return value


def _text_of(completion: object) -> str:
    if not isinstance(completion, ChatCompletion) or not completion.choices:
        return ""
    return completion.choices[0].message.content or ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()

"""One question to a language model, one checked JSON object back; any endpoint that speaks OpenAI's chat completions.

Knows nothing of what is talked about. The official client does the talking and never retries by itself: whoever calls
the service decides that, from the error.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import openai
import structlog
from openai.types.chat import ChatCompletionMessageParam

from moviellm import errors
from moviellm.llm.manner import Manner
from moviellm.llm.openai_errors import Endpoint, said
from moviellm.llm.reply import Unusable, object_of, without_thoughts

log = structlog.get_logger()
T = TypeVar("T")

_CHECK_SECONDS = 10.0
_CONNECT_SECONDS = 10.0
_NO_KEY = "none"
_NOTHING = "(nothing)"


@dataclass(frozen=True)
class Reply(Generic[T]):
    """What the model's object was read as, and the tokens of all attempts."""

    value: T
    prompt_tokens: int
    completion_tokens: int


class OpenAIChat:
    """A model at an endpoint. `attempts` bounds how often one question is asked until its reply is usable.

    All methods raise moviellm.errors: Denied for a refused key, Unsatisfied for an unknown model or a refused request,
    Exhausted for a rate limit, Unavailable for an endpoint that does not answer or answers nonsense. Messages name the
    endpoint and never the key.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str = "",
        timeout_seconds: float = 120.0,
        max_concurrency: int = 8,
        attempts: int = 3,
    ) -> None:
        self.model = model
        self._endpoint = Endpoint(base_url, model, api_key)
        self._attempts = attempts
        self._turns = asyncio.Semaphore(max_concurrency)
        self._manner = Manner()
        self._check_seconds = min(timeout_seconds, _CHECK_SECONDS)
        timeout = openai.Timeout(timeout_seconds, connect=min(timeout_seconds, _CONNECT_SECONDS))
        self._client = openai.AsyncOpenAI(base_url=base_url, api_key=api_key or _NO_KEY, timeout=timeout, max_retries=0)

    async def ask(
        self, schema: Mapping[str, Any], system: str, user: str, read: Callable[[dict[str, Any]], T], *, seed: int = 0
    ) -> Reply[T]:
        """Ask for an object of the JSON schema, whose "title" names it.

        `read` makes the value of the object or raises Unusable; then the model is told why and asked again.
        """
        turns: list[ChatCompletionMessageParam] = [{"role": "user", "content": user}]
        prompt_tokens = completion_tokens = 0
        reason = ""
        for attempt in range(1, self._attempts + 1):
            completion = await self._complete(schema, system, turns, seed)
            prompt_tokens += _tokens(completion, "prompt_tokens")
            completion_tokens += _tokens(completion, "completion_tokens")
            text = _NOTHING
            try:
                text = _text_of(completion)
                return Reply(read(object_of(text)), prompt_tokens, completion_tokens)
            except Unusable as error:
                reason = str(error)
            log.warning("the model's reply cannot be used", asked=schema["title"], attempt=attempt, why=reason)
            turns += [
                {"role": "assistant", "content": without_thoughts(text) or _NOTHING},
                {"role": "user", "content": _correction(reason)},
            ]
        raise errors.Unavailable(
            f"{self._endpoint} gave no usable reply of the model {self.model} in {self._attempts} attempts; "
            f"the last: {reason}",
            reason="LLM_INVALID_REPLY",
        )

    async def check(self) -> None:
        """Raise while the endpoint does not answer or refuses the key; an endpoint without a list of models is fine."""
        try:
            await self._client.models.list(timeout=self._check_seconds)
        except (openai.APIStatusError, openai.APIConnectionError) as error:
            ours = self._endpoint.error_of(error)
            if isinstance(ours, errors.Denied | errors.Unavailable):
                raise ours from None
        except (openai.OpenAIError, json.JSONDecodeError, UnicodeDecodeError):
            return

    async def _complete(
        self, schema: Mapping[str, Any], system: str, turns: list[ChatCompletionMessageParam], seed: int
    ) -> object:
        """A completion, asked for in a plainer manner where the endpoint refuses ours; what it takes is remembered."""
        asked = manner = self._manner
        while True:
            instructions: ChatCompletionMessageParam = {"role": "system", "content": manner.system(system, schema)}
            try:
                completion = await self._request([instructions, *turns], manner.options(schema, seed))
            except openai.APIStatusError as error:
                plainer = manner.after(error.status_code, said(error))
                if plainer is None:
                    raise self._endpoint.error_of(error) from None
                manner = plainer
                continue
            if manner is not asked:
                log.warning(f"{self._endpoint} refuses options; asking plainer", form=manner.form, seeded=manner.seeded)
                self._manner = manner
            return completion

    async def _request(self, messages: list[ChatCompletionMessageParam], options: dict[str, Any]) -> object:
        """Whatever the endpoint answers with success; None for what is no JSON."""
        async with self._turns:
            try:
                return await self._client.chat.completions.create(model=self.model, messages=messages, **options)
            except openai.APIConnectionError as error:
                raise self._endpoint.error_of(error) from None
            except (openai.APIResponseValidationError, json.JSONDecodeError, UnicodeDecodeError, RecursionError):
                return None


def _correction(reason: str) -> str:
    return (
        f"Your reply cannot be used: {reason}. Reply with the whole JSON object again, corrected, and keep all rules."
    )


def _tokens(completion: object, kind: str) -> int:
    count = getattr(getattr(completion, "usage", None), kind, None)
    return count if isinstance(count, int) else 0


def _text_of(completion: object) -> str:
    """What the model wrote; raises Unusable for no completion, a refusal and a reply that was cut off."""
    if not hasattr(completion, "choices"):
        raise Unusable("it is no chat completion")
    choice = next(iter(completion.choices or ()), None)
    message = getattr(choice, "message", None)
    if message is None:
        raise Unusable("it is not a chat completion with a message")
    finish = getattr(choice, "finish_reason", None)
    if getattr(message, "refusal", None) or finish == "content_filter":
        raise Unusable("it is a refusal")
    if finish == "length":
        raise Unusable("it was cut off at the length limit; write more briefly")
    content = getattr(message, "content", None)
    return content.encode("utf-8", "replace").decode() if isinstance(content, str) else ""

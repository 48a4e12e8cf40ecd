"""One question to a language model, one checked JSON object back; any endpoint that speaks OpenAI's chat completions.

Knows nothing of what is talked about.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self, TypeVar

import structlog
from openai.types.chat import ChatCompletionMessageParam

from moviellm import errors
from moviellm.llm.cache import Remembered, ReplyCache, digest_of
from moviellm.llm.mending import without_thoughts
from moviellm.llm.openai_errors import PROMPT_TOO_LONG, Endpoint
from moviellm.llm.openai_line import Answer, Line, Question, cut_off, written
from moviellm.llm.pace import Clock, Pace, Sleep
from moviellm.llm.reply import Bill, NothingUsable, Reply, Unusable
from moviellm.llm.retrying import Jitter, Patience, Trials
from moviellm.llm.settings import LlmSettings
from moviellm.llm.understanding import understood
from moviellm.llm.unheard import Unheard

__all__ = ["Bill", "NothingUsable", "OpenAIChat", "Reply"]

log = structlog.get_logger()
T = TypeVar("T")

_NOTHING = "(nothing)"
_CUT_OFF = "it was cut off at the length limit; write more briefly"
_QUOTED_BACK = 6000


class OpenAIChat:
    """A model at an endpoint, one for all callers of a process so that they keep its limits together.

    Raises moviellm.errors: Denied for a refused key, Unsatisfied for an unknown model, a refused request or a prompt
    that is too long (LLM_PROMPT_TOO_LONG), Exhausted for a rate limit beyond `patience_seconds`, Unavailable for an
    endpoint that does not answer, and its kind NothingUsable for nonsense. Messages name the endpoint, never a key.
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
        requests_per_minute: int = 0,
        tokens_per_minute: int = 0,
        patience_seconds: float = 20.0,
        backoff_seconds: float = 0.5,
        max_tokens: int = 0,
        cache: ReplyCache | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        jitter: Jitter = random.random,
    ) -> None:
        """`attempts` bounds how often one question is asked until its reply is usable; limits of 0 are none."""
        self.model = model
        self._endpoint = Endpoint(base_url, model, api_key)
        self._attempts = attempts
        self._max_tokens = max_tokens
        self._cache = Remembered(cache)
        self._unheard = Unheard(are_kept=cache is not None)
        pace = Pace(
            requests_per_minute=requests_per_minute, tokens_per_minute=tokens_per_minute, clock=clock, sleep=sleep
        )
        self._line = Line(
            endpoint=self._endpoint,
            pace=pace,
            patience=Patience(longest_wait=patience_seconds, first=backoff_seconds),
            timeout=timeout_seconds,
            max_concurrency=max_concurrency,
            clock=clock,
            sleep=sleep,
            jitter=jitter,
        )

    @classmethod
    def configured(cls, settings: LlmSettings, *, cache: ReplyCache | None = None) -> Self:
        """The model that the settings describe; the cache is left out where they say so."""
        return cls(
            base_url=settings.llm_base_url,
            model=settings.llm_model,
            api_key=settings.api_key(),
            timeout_seconds=settings.llm_timeout_seconds,
            max_concurrency=settings.llm_max_concurrency,
            requests_per_minute=settings.llm_requests_per_minute,
            tokens_per_minute=settings.llm_tokens_per_minute,
            patience_seconds=settings.llm_patience_seconds,
            max_tokens=settings.llm_max_tokens,
            cache=cache if settings.llm_cache else None,
        )

    async def ask(
        self,
        schema: Mapping[str, Any],
        system: str,
        user: str,
        read: Callable[[dict[str, Any]], T],
        *,
        seed: int = 0,
        attempts: int | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        bill: Bill | None = None,
        words: str = "",
    ) -> Reply[T]:
        """Ask for an object of the JSON schema, whose "title" names it.

        `read` makes the value of the object or raises Unusable; then the model is told why and asked again. `bill` is
        written on after every completion, so it tells the cost where the question fails, too. With `words`, a reply
        that is no JSON is taken as the object's field of that name: small models answer best in plain words.
        """
        options = self._options(seed, max_tokens, temperature)
        sampling: dict[str, Any] = {name: options[name] for name in ("seed", "temperature") if name in options}
        key = digest_of(self.model, system, user, schema, sampling)
        await self._unheard.ended(key)
        kept = await self._cache.find(key)
        if kept is not None:
            try:
                return Reply(read(kept), 0, 0, cached=True)
            except Unusable:
                log.info("a kept reply does not do any more; asking anew", asked=schema["title"])

        async def asked_and_kept() -> Reply[T]:
            question = Question(schema, system, options, plain=bool(words))
            value, reply, own = await self._asked(question, user, read, attempts, bill, words)
            await self._cache.put(key, reply)
            return Reply(value, own.prompt_tokens, own.completion_tokens)

        return await self._unheard.heard(key, asked_and_kept())

    def messages_tokens(self, schema: Mapping[str, Any], system: str, user: str) -> int:
        """The prompt tokens that one such question would cost now, as the endpoint counts them."""
        return self._line.messages_tokens(Question(schema, system), [{"role": "user", "content": user}])

    def text_tokens(self, text: str) -> int:
        """The completion tokens that a reply of this text would cost, as the endpoint counts them."""
        return self._line.text_tokens(text)

    async def check(self) -> None:
        """Raise while the endpoint does not answer or refuses the key; an endpoint without a list of models is fine."""
        await self._line.check()

    async def _asked(
        self,
        question: Question,
        user: str,
        read: Callable[[dict[str, Any]], T],
        attempts: int | None,
        shared: Bill | None,
        words: str,
    ) -> tuple[T, dict[str, Any], Bill]:
        """The value, the object it was read from, and the cost of all attempts."""
        first: ChatCompletionMessageParam = {"role": "user", "content": user}
        turns = [first]
        own, trials, reason = Bill(), self._line.trials(), ""
        attempts = attempts or self._attempts
        for attempt in range(1, attempts + 1):
            answer = await self._answer(question, turns, trials)
            for bill in (own, shared):
                if bill is not None:
                    bill.add(answer.prompt_tokens, answer.completion_tokens)
            try:
                value, reply = understood(_text_of(answer.completion), question.schema, read, words=words)
                return value, reply, own
            except Unusable as error:
                reason = _CUT_OFF if cut_off(answer.completion) else self._endpoint.redacted(str(error))
            question = replace(question, spelled=answer.heeded is False)
            log.warning("the model's reply cannot be used", asked=question.title, attempt=attempt, why=reason)
            turns = [first, *_correction(written(answer.completion), reason)]
        message = (
            f"{self._endpoint} gave no usable reply of the model {self.model} in {attempts} attempts; "
            f"the last: {reason}"
        )
        raise NothingUsable(message, why=reason, bill=own)

    async def _answer(self, question: Question, turns: list[ChatCompletionMessageParam], trials: Trials) -> Answer:
        """An answer to all turns, or to the first alone where a small model has no room for its own last reply."""
        try:
            return await self._line.complete(question, turns, trials)
        except errors.Unsatisfied as error:
            if len(turns) == 1 or error.reason != PROMPT_TOO_LONG:
                raise
        return await self._line.complete(question, turns[:1], trials)

    def _options(self, seed: int, max_tokens: int | None, temperature: float | None) -> dict[str, Any]:
        options: dict[str, Any] = {"seed": seed % 2**31}
        if temperature is not None:
            options["temperature"] = temperature
        if limit := max_tokens or self._max_tokens:
            options |= {"max_tokens": limit, "max_completion_tokens": limit}
        return options


def _correction(text: str, reason: str) -> tuple[ChatCompletionMessageParam, ChatCompletionMessageParam]:
    """The last reply alone, so that a conversation of many attempts does not outgrow a small model."""
    again = (
        f"Your reply cannot be used: {reason}. Reply with the whole JSON object again, corrected, and keep all rules."
    )
    quoted = without_thoughts(text)[:_QUOTED_BACK] or _NOTHING
    return {"role": "assistant", "content": quoted}, {"role": "user", "content": again}


def _text_of(completion: object) -> str:
    """What the model wrote; raises Unusable for no completion and for a refusal."""
    if not hasattr(completion, "choices"):
        raise Unusable("it is no chat completion")
    choice = next(iter(completion.choices or ()), None)
    message = getattr(choice, "message", None)
    if message is None:
        raise Unusable("it is not a chat completion with a message")
    if getattr(message, "refusal", None) or getattr(choice, "finish_reason", None) == "content_filter":
        raise Unusable("it is a refusal")
    return written(completion)

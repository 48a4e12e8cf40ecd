"""The way to an endpoint: one completion, whatever of rate limits, crashes and refused options lies in between."""

import asyncio
import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import openai
import structlog
from openai.types.chat import ChatCompletionMessageParam

from moviellm import errors
from moviellm.llm.manner import Form, Ladder, Manner, Manners
from moviellm.llm.mending import strict, without_thoughts
from moviellm.llm.openai_errors import Endpoint, Failure, nobody_there, said, silent, status_of
from moviellm.llm.pace import Clock, Pace, Paused, Sleep
from moviellm.llm.retrying import Jitter, Patience, Trials
from moviellm.llm.tokens import Calibration, estimated_tokens

log = structlog.get_logger()

_CHECK_SECONDS = 10.0
_CONNECT_SECONDS = 10.0
_NO_KEY = "none"
_CRASHED = 500
_TOKENS_A_MESSAGE = 4
_MAY_BE_ABOUT_OPTIONS = ("LLM_REQUEST_REFUSED", "LLM_UNREACHABLE")
_NOT_JSON = (openai.APIResponseValidationError, json.JSONDecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True)
class Question:
    """What is asked for: the schema, whose "title" names it, the instructions, and the options wanted.

    `plain`: an answer in plain words does as well; `spelled`: the schema must be said in words, too.
    """

    schema: Mapping[str, Any]
    system: str
    options: Mapping[str, Any] = field(default_factory=dict)
    plain: bool = False
    spelled: bool = False

    @property
    def title(self) -> str:
        """The schema's name."""
        return str(self.schema["title"])


@dataclass(frozen=True)
class Answer:
    """A completion as it came, None for what is no JSON, and what it cost.

    `heeded`: whether it is an object with the schema's fields; None where that cannot be said.
    """

    completion: object
    prompt_tokens: int
    completion_tokens: int
    heeded: bool | None


class Line:
    """Asks for completions. All times in seconds; raises what OpenAIChat raises but NothingUsable."""

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        pace: Pace,
        patience: Patience,
        timeout: float,
        max_concurrency: int,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        jitter: Jitter = random.random,
    ) -> None:
        self._endpoint = endpoint
        self._pace = pace
        self._patience = patience
        self._timeout = timeout
        self._clock, self._sleep, self._jitter = clock, sleep, jitter
        self._turns = asyncio.Semaphore(max_concurrency)
        self._manners = Manners()
        self._prompts, self._completions = Calibration(), Calibration()
        self._usual: dict[str, int] = {}
        self._client = _client(endpoint, timeout)
        self._check_seconds = min(timeout, _CHECK_SECONDS)
        self._has_spoken = False

    def trials(self) -> Trials:
        """What one question may fail before it is given up."""
        return Trials(self._patience, jitter=self._jitter)

    def messages_tokens(self, question: Question, turns: list[ChatCompletionMessageParam]) -> int:
        """The tokens that the question would send, by all that is known now."""
        return self._prompts.of(_guessed(question, turns, self._manners.richest(question.title, plain=question.plain)))

    def text_tokens(self, text: str) -> int:
        """The tokens that the model would write the text with, by all that is known now."""
        return self._completions.of(estimated_tokens(text))

    async def complete(self, question: Question, turns: list[ChatCompletionMessageParam], trials: Trials) -> Answer:
        """A completion, asked for in a plainer manner where the endpoint refuses ours; what it takes is remembered."""
        ladder = self._manners.ladder(question.title, question.options, plain=question.plain, spelled=question.spelled)
        while True:
            answer = await self._send(question, turns, ladder.manner)
            if isinstance(answer, Answer):
                break
            # Outside the handler: our error must not carry the client's, whose words may hold secrets.
            await self._bear(answer, ladder, trials)
        if answer.heeded is not None:
            self._manners.heard(ladder.manner, heeded=answer.heeded)
        if self._manners.learn(question.title, ladder):
            form, without = ladder.manner.form.name.lower(), sorted(ladder.manner.without)
            log.warning(f"{self._endpoint} does not take all options", form=form, without=without)
        return answer

    async def check(self) -> None:
        """Raise while the endpoint does not answer or refuses the key; an endpoint without a list of models is fine."""
        try:
            await self._client.models.list(timeout=self._check_seconds)
        except (openai.APIStatusError, openai.APIConnectionError) as error:
            ours = self._endpoint.error_of(error)
            # Some servers crash over the list alone, for want of a network or a disk that holds others.
            fine = status_of(error) == _CRASHED and await self._speaks()
            if isinstance(ours, errors.Denied | errors.Unavailable) and not fine:
                raise ours from None
        except (openai.OpenAIError, *_NOT_JSON):
            return

    async def _speaks(self) -> bool:
        """Whether the endpoint has completed something already, or does so now."""
        if not self._has_spoken:
            hello: ChatCompletionMessageParam = {"role": "user", "content": "Say yes."}
            try:
                await self._client.with_options(timeout=self._check_seconds).chat.completions.create(
                    model=self._endpoint.model, messages=[hello], max_tokens=1
                )
            except (openai.OpenAIError, *_NOT_JSON):
                return False
            self._has_spoken = True
        return True

    async def _bear(self, error: Failure | Paused, ladder: Ladder, trials: Trials) -> None:
        """Step down the ladder, or wait as long as is wise; raises our error where asking again is not."""
        if isinstance(error, Paused):
            raise self._endpoint.at_its_limit(error.seconds)
        ours = self._endpoint.error_of(error)
        if ours.reason in _MAY_BE_ABOUT_OPTIONS and ladder.after(status_of(error), said(error)):
            return
        if isinstance(ours, errors.Temporary) and ours.retry_after:
            self._pace.pause(ours.retry_after)
        if isinstance(ours, errors.Unavailable) and (ladder.exhausted or nobody_there(error)):
            raise ours
        wait = trials.wait_after(ours, silent=silent(error))
        log.info("asking again", why=ours.message, seconds=round(wait, 2))
        if isinstance(ours, errors.Exhausted):
            self._pace.pause(wait)
        else:
            await self._sleep(wait)

    async def _send(
        self, question: Question, turns: list[ChatCompletionMessageParam], manner: Manner
    ) -> Answer | Failure | Paused:
        try:
            return await self._sent(question, turns, manner)
        except (openai.APIStatusError, openai.APIConnectionError, TimeoutError, Paused) as error:
            return error

    async def _sent(self, question: Question, turns: list[ChatCompletionMessageParam], manner: Manner) -> Answer:
        guessed = _guessed(question, turns, manner)
        async with self._turns:
            expected = self._prompts.of(guessed) + self._usual.get(question.title, 0)
            turn = await self._pace.turn(expected, patience=self._patience.longest_wait)
            started = self._clock()
            completion = await self._request(question, turns, manner)
            self._has_spoken = True
            answer = self._counted(question, guessed, completion)
            turn.tokens = answer.prompt_tokens + answer.completion_tokens
        log.debug(
            "the model answered",
            asked=question.title,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            seconds=round(self._clock() - started, 3),
        )
        return answer

    async def _request(self, question: Question, turns: list[ChatCompletionMessageParam], manner: Manner) -> object:
        """Whatever the endpoint answers with success; None for what is no JSON."""
        system: ChatCompletionMessageParam = {
            "role": "system",
            "content": manner.system(question.system, question.schema, plain=question.plain),
        }
        options = manner.options(question.schema, question.options)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._client.chat.completions.create(
                    model=self._endpoint.model, messages=[system, *turns], **options
                )
        except _NOT_JSON:
            return None

    def _counted(self, question: Question, guessed: int, completion: object) -> Answer:
        """The tokens as the endpoint counts them, or as we guess where it does not."""
        text = written(completion)
        prompt, wrote = _usage(completion, "prompt_tokens"), _usage(completion, "completion_tokens")
        if prompt is None:
            prompt = self._prompts.of(guessed)
        else:
            self._prompts.learn(guessed, prompt)
        if wrote is None:
            wrote = self.text_tokens(text)
        elif text:
            self._completions.learn(estimated_tokens(text), wrote)
        self._usual[question.title] = max(wrote, self._usual.get(question.title, 0) * 3 // 4)
        return Answer(completion, prompt, wrote, _heeded(completion, question.schema))


def written(completion: object) -> str:
    """What the model wrote, empty where there is nothing."""
    choice = next(iter(getattr(completion, "choices", None) or ()), None)
    content = getattr(getattr(choice, "message", None), "content", None)
    return content.encode("utf-8", "replace").decode() if isinstance(content, str) else ""


def cut_off(completion: object) -> bool:
    """Whether the model was stopped at a limit of length."""
    choice = next(iter(getattr(completion, "choices", None) or ()), None)
    return getattr(choice, "finish_reason", None) == "length"


def _heeded(completion: object, schema: Mapping[str, Any]) -> bool | None:
    """Whether what was written is an object by the schema, or the beginning of one; None where nobody can say."""
    text = written(completion)
    if not text:
        return None
    if cut_off(completion):
        return None if without_thoughts(text).startswith("{") else False
    found, _ = strict(text)
    return isinstance(found, dict) and found.keys() >= set(schema.get("required", ()))


def _usage(completion: object, kind: str) -> int | None:
    count = getattr(getattr(completion, "usage", None), kind, None)
    return count if isinstance(count, int) and count > 0 else None


def _guessed(question: Question, turns: list[ChatCompletionMessageParam], manner: Manner) -> int:
    """Our guess of the request's tokens; the schema counts however it is sent."""
    texts = [
        manner.system(question.system, question.schema, plain=question.plain),
        *(str(turn.get("content", "")) for turn in turns),
    ]
    if manner.form is Form.SCHEMA:
        texts.append(json.dumps(dict(question.schema)))
    return sum(estimated_tokens(text) + _TOKENS_A_MESSAGE for text in texts)


def _client(endpoint: Endpoint, timeout: float) -> openai.AsyncOpenAI:
    """The official client, which never retries by itself; an address may carry a query."""
    parts = urlsplit(endpoint.base_url)
    return openai.AsyncOpenAI(
        base_url=parts._replace(query="", fragment="").geturl(),
        default_query=dict(parse_qsl(parts.query)),
        api_key=endpoint.key or _NO_KEY,
        timeout=openai.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
        max_retries=0,
    )

"""A Writer that asks an OpenAI-compatible endpoint, and does not take its word for anything."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import openai
import structlog

from moviellm import errors
from moviellm.movie import Chapter, Outline, Scene
from moviellm.scripting import look, prompts, replies, rules
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest, Written

log = structlog.get_logger()
T = TypeVar("T")

ATTEMPTS = 3
_CHECK_TIMEOUT = 10.0


class _SchemaRefusedError(Exception):
    """The endpoint does not take this request; perhaps it takes one without a schema."""


class OpenAIWriter:
    """Asks for JSON by schema, checks every reply by the rules, and asks again, with the reason, at most three times.

    Raises Denied, Unsatisfied, Exhausted and Unavailable with reasons LLM_…; no message holds the key.
    """

    def __init__(
        self, *, base_url: str, model: str, api_key: str, timeout_seconds: float = 120.0, max_concurrency: int = 8
    ) -> None:
        self._base_url = base_url
        self._model = model
        self._client = openai.AsyncOpenAI(
            base_url=base_url, api_key=api_key or "none", timeout=timeout_seconds, max_retries=0
        )
        self._check_timeout = min(_CHECK_TIMEOUT, timeout_seconds)
        self._turns = asyncio.Semaphore(max_concurrency)
        self._takes_schemas = True

    async def outline(self, request: OutlineRequest) -> Written[Outline]:
        """Level 1."""
        style = look.named(request.preset) if request.preset else None
        if style is None and request.description:
            style = look.described(request.description)

        def checked(text: str) -> Outline:
            outline = replies.outline_of(replies.parsed(text, replies.OutlineReply), request.theme, style)
            rules.check_outline(outline, request)
            return outline

        return await self._write(prompts.outline(request), replies.OutlineReply, checked, request.seed)

    async def chapter(self, request: ChapterRequest) -> Written[Chapter]:
        """Level 2."""

        def checked(text: str) -> Chapter:
            chapter = replies.chapter_of(replies.parsed(text, replies.ChapterReply), request.chapter)
            rules.check_chapter(chapter, request)
            return chapter

        return await self._write(prompts.chapter(request), replies.ChapterReply, checked, request.seed)

    async def scene(self, request: SceneRequest) -> Written[Scene]:
        """Level 3."""

        def checked(text: str) -> Scene:
            reply = replies.parsed(text, replies.SceneReply)
            scene = replies.scene_of(reply, request.chapter.number, request.scene)
            rules.check_scene(scene, request)
            return scene

        return await self._write(prompts.scene(request), replies.SceneReply, checked, request.seed)

    async def check(self) -> None:
        """Ask the endpoint for its models; one that keeps no list but answers is good enough."""
        try:
            await self._client.with_options(timeout=self._check_timeout).models.list()
        except openai.NotFoundError:
            return
        except openai.OpenAIError as error:
            self._fail(error)

    async def _write(
        self, prompt: tuple[str, str], reply: type[replies.Reply], checked: Callable[[str], T], seed: int
    ) -> Written[T]:
        messages = [{"role": "system", "content": prompt[0]}, {"role": "user", "content": prompt[1]}]
        sent = received = 0
        rule = ""
        for attempt in range(1, ATTEMPTS + 1):
            answer = await self._complete(messages, reply, seed)
            usage = getattr(answer, "usage", None)
            sent += getattr(usage, "prompt_tokens", 0) or 0
            received += getattr(usage, "completion_tokens", 0) or 0
            text = ""
            try:
                text = _text_of(answer)
                return Written(checked(text), self._model, sent, received)
            except rules.RuleBroken as error:
                rule = error.message
                log.warning("the model's reply breaks a rule", attempt=attempt, rule=rule, reply=reply.__name__)
            messages += [{"role": "assistant", "content": text}, {"role": "user", "content": prompts.correction(rule)}]
        raise errors.Unavailable(
            f"the model {self._model} broke the rules {ATTEMPTS} times, at last this one: {rule}",
            reason="LLM_INVALID_REPLY",
        )

    async def _complete(self, messages: list[dict[str, str]], reply: type[replies.Reply], seed: int) -> Any:
        """One answer; asks without a schema where the endpoint refuses schemas, and remembers that."""
        async with self._turns:
            if self._takes_schemas:
                try:
                    return await self._request(messages, _schema_options(reply, seed))
                except _SchemaRefusedError:
                    pass
            schema = json.dumps(replies.json_schema(reply))
            asked = f"{messages[0]['content']}\nThe JSON object must follow this JSON schema:\n{schema}"
            try:
                answer = await self._request([{"role": "system", "content": asked}, *messages[1:]], {})
            except _SchemaRefusedError as refused:
                raise errors.Unsatisfied(
                    f"the LLM endpoint {self._base_url} refuses the request: {refused}", reason="LLM_REQUEST_REFUSED"
                ) from refused
            if self._takes_schemas:
                log.warning("the endpoint refuses JSON schemas; asking in words from now on", base_url=self._base_url)
                self._takes_schemas = False
            return answer

    async def _request(self, messages: list[dict[str, str]], options: dict[str, Any]) -> Any:
        try:
            return await self._client.chat.completions.create(
                model=self._model,
                messages=messages,  # type: ignore[arg-type]
                **options,
            )
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            raise _SchemaRefusedError(_said(error)) from error
        except json.JSONDecodeError:
            return None
        except openai.OpenAIError as error:
            self._fail(error)

    def _fail(self, error: openai.OpenAIError) -> NoReturn:
        """Raise our error for the client's."""
        where = f"the LLM endpoint {self._base_url}"
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            raise errors.Denied(f"{where} refuses the API key", reason="LLM_UNAUTHORIZED") from None
        if isinstance(error, openai.NotFoundError):
            raise errors.Unsatisfied(
                f"{where} knows no model {self._model}, or has no chat completions there", reason="LLM_MODEL_UNKNOWN"
            ) from None
        if isinstance(error, openai.RateLimitError):
            raise errors.Exhausted(
                f"{where} is over its quota", reason="LLM_RATE_LIMITED", retry_after=_retry_after(error)
            ) from None
        if isinstance(error, openai.APITimeoutError):
            raise errors.Unavailable(f"{where} does not answer in time", reason="LLM_UNREACHABLE") from None
        if isinstance(error, openai.APIStatusError) and error.status_code < 500:
            raise errors.Unsatisfied(
                f"{where} answers with status {error.status_code}", reason="LLM_REQUEST_REFUSED"
            ) from None
        if isinstance(error, openai.APIStatusError):
            raise errors.Unavailable(
                f"{where} fails with status {error.status_code}", reason="LLM_UNREACHABLE"
            ) from None
        raise errors.Unavailable(f"{where} does not answer", reason="LLM_UNREACHABLE") from None


def _schema_options(reply: type[replies.Reply], seed: int) -> dict[str, Any]:
    schema = {"name": reply.__name__, "schema": replies.json_schema(reply), "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": schema}, "seed": seed % 2**31}


def _text_of(answer: Any) -> str:
    """The text of a completion; raises RuleBroken for one without text, refused or cut off."""
    choices = getattr(answer, "choices", None)
    if not choices:
        raise rules.RuleBroken("the reply is not a chat completion")
    message = choices[0].message
    if choices[0].finish_reason == "length":
        raise rules.RuleBroken("the reply was cut off; write more briefly")
    if getattr(message, "refusal", None):
        raise rules.RuleBroken("the model refused to write this")
    text = str(message.content or "")
    return text.rsplit("</think>", 1)[-1]


def _retry_after(error: openai.APIStatusError) -> float | None:
    try:
        return max(0.0, float(error.response.headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _said(error: openai.APIStatusError) -> str:
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or f"status {error.status_code}")[:300]

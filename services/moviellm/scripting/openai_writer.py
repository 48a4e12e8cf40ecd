"""A Writer that asks a language model, and does not take its word for anything."""

from collections.abc import Callable
from typing import Any, TypeVar

from moviellm.llm.openai_chat import OpenAIChat
from moviellm.llm.reply import Unusable
from moviellm.movie import Chapter, Outline, Scene
from moviellm.scripting import look, prompts, replies, rules
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest, Written

T = TypeVar("T")


class OpenAIWriter:
    """Asks for JSON by schema and checks every reply by the rules; a model that breaks one is told which.

    Raises what OpenAIChat raises.
    """

    def __init__(self, *, chat: OpenAIChat) -> None:
        self._chat = chat

    async def outline(self, request: OutlineRequest) -> Written[Outline]:
        """Level 1."""
        style = look.named(request.preset) if request.preset else None
        if style is None and request.description:
            style = look.described(request.description)

        def checked(reply: dict[str, Any]) -> Outline:
            outline = replies.outline_of(replies.parsed(reply, replies.OutlineReply), request.theme, style)
            rules.check_outline(outline, request)
            return outline

        return await self._write(prompts.outline(request), replies.OutlineReply, checked, request.seed)

    async def chapter(self, request: ChapterRequest) -> Written[Chapter]:
        """Level 2."""

        def checked(reply: dict[str, Any]) -> Chapter:
            chapter = replies.chapter_of(replies.parsed(reply, replies.ChapterReply), request.chapter)
            rules.check_chapter(chapter, request)
            return chapter

        return await self._write(prompts.chapter(request), replies.ChapterReply, checked, request.seed)

    async def scene(self, request: SceneRequest) -> Written[Scene]:
        """Level 3."""

        def checked(reply: dict[str, Any]) -> Scene:
            parsed = replies.parsed(reply, replies.SceneReply)
            scene = replies.scene_of(parsed, request.chapter.number, request.scene)
            rules.check_scene(scene, request)
            return scene

        return await self._write(prompts.scene(request), replies.SceneReply, checked, request.seed)

    async def check(self) -> None:
        """Raise while the endpoint does not answer or refuses the key."""
        await self._chat.check()

    async def _write(
        self, prompt: tuple[str, str], reply: type[replies.Reply], checked: Callable[[dict[str, Any]], T], seed: int
    ) -> Written[T]:
        def read(value: dict[str, Any]) -> T:
            try:
                return checked(value)
            except rules.RuleBroken as error:
                raise Unusable(error.message) from error

        answer = await self._chat.ask(replies.json_schema(reply), *prompt, read, seed=seed)
        return Written(answer.value, self._chat.model, answer.prompt_tokens, answer.completion_tokens)

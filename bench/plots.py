"""A full movie's script from a language model's endpoint that misbehaves, against one that does not."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from bench.figure import Figure
from moviellm import errors
from moviellm.llm.openai_chat import OpenAIChat
from moviellm.movie import Chapter, Outline, Shape
from moviellm.scripting.by_model.experience import Experience
from moviellm.scripting.by_model.openai_writer import OpenAIWriter
from moviellm.scripting.by_model.rehearsal import Rehearsal
from moviellm.scripting.checker import rules
from moviellm.scripting.writer import ChapterRequest, EstimateRequest, OutlineRequest, SceneRequest, Written
from tests.openai_endpoint import Endpoint, Mischief, completion, serving
from tests.storytelling_model import StorytellingModel

THEME = "a love story about a duchess and a commoner"
SHAPE = Shape(11, 11, 11)
LINES = 6
SHARE = 0.3
SEEDS = (1, 2, 3)
TRIES = 5
TIMEOUT_SECONDS = 3.0


@dataclass
class Run:
    """One movie: what it took and what came of it."""

    calls: int = 0
    breaches: int = 0
    tokens: int = 0
    estimated: int = 0


class Script:
    """The parts of one movie, asked for as the controller does: concurrently, temporary errors again."""

    def __init__(self, chat: OpenAIChat, experience: Experience) -> None:
        self._writer = OpenAIWriter(chat=chat, experience=experience)
        self.run = Run()

    async def write(self) -> None:
        """All three levels."""
        request = OutlineRequest(THEME, SHAPE.chapters, 7)
        outline: Outline = await self._part(self._writer.outline, request, rules.breaches_of_outline)
        numbers = range(1, SHAPE.chapters + 1)
        await asyncio.gather(*(self._chapter(outline, number) for number in numbers))

    async def _chapter(self, outline: Outline, number: int) -> None:
        request = ChapterRequest(outline, number, SHAPE.scenes, 100 * number)
        chapter: Chapter = await self._part(self._writer.chapter, request, rules.breaches_of_chapter)
        numbers = range(1, SHAPE.scenes + 1)
        await asyncio.gather(*(self._scene(outline, chapter, scene) for scene in numbers))

    async def _scene(self, outline: Outline, chapter: Chapter, number: int) -> None:
        seed = 10_000 * chapter.number + 100 * number
        request = SceneRequest(outline, chapter, number, SHAPE.frames, LINES, seed)
        await self._part(self._writer.scene, request, rules.breaches_of_scene)

    async def _part(self, write: Callable[[Any], Any], request: Any, breaches: Callable[..., Any]) -> Any:
        for attempt in range(1, TRIES + 1):
            try:
                written: Written[Any] = await write(request)
                break
            except errors.Temporary as error:
                if attempt == TRIES:
                    raise
                await asyncio.sleep(min(1.0, error.retry_after or 0.1))
        self.run.tokens += written.prompt_tokens + written.completion_tokens
        self.run.breaches += len(breaches(written.value, request))
        return written.value


def honest(model: StorytellingModel) -> Callable[[dict[str, Any]], Any]:
    """The model with a count of tokens that is not ours: up to eight letters, three digits, two marks each."""

    def count(text: str) -> int:
        return len(re.findall(r"[^\W\d_]{1,8}|\d{1,3}|[^\w\s]{1,2}|\n", text))

    def answer(request: dict[str, Any]) -> Any:
        text = model(request)
        prompt = sum(count(message["content"]) + 4 for message in request["messages"])
        prompt += count(json.dumps(request.get("response_format", {})))
        return 200, completion(text, usage=(prompt, count(text)))

    return answer


async def movie(answer: Callable[[dict[str, Any]], Any]) -> Run:
    """The run of one movie, estimated before it is written."""
    with serving(Endpoint([answer])) as endpoint:
        chat = OpenAIChat(base_url=endpoint.url, model="bench", timeout_seconds=TIMEOUT_SECONDS, backoff_seconds=0.05)
        experience = Experience()
        script = Script(chat, experience)
        estimate = await Rehearsal(counts=chat, experience=experience).estimate(EstimateRequest(THEME, SHAPE, LINES))
        await script.write()
        script.run.calls = len(endpoint.requests)
        script.run.estimated = estimate.prompt_tokens + estimate.completion_tokens
        return script.run


def measure() -> list[Figure]:
    """Calls, broken rules and the estimate's error of an 11 × 11 × 11 movie."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    clean = asyncio.run(movie(honest(StorytellingModel())))
    bad = [asyncio.run(movie(Mischief(StorytellingModel(), share=SHARE, seed=seed))) for seed in SEEDS]
    shape = f"{SHAPE.chapters} × {SHAPE.scenes} × {SHAPE.frames}"
    return [
        Figure(
            f"calls for a {shape} script, {SHARE:.0%} of replies bad",
            f"{clean.calls} calls of a clean run",
            tuple(run.calls / clean.calls for run in bad),
            unit="× the calls",
            bound=2,
            at_least=False,
            details={"calls": [run.calls for run in bad], "clean_calls": clean.calls},
        ),
        Figure(
            f"rules broken in the {shape} script",
            f"{clean.breaches} of a clean run",
            tuple(float(run.breaches) for run in bad),
            unit="breaches",
            bound=0,
            at_least=False,
        ),
        Figure(
            "error of the script's estimated tokens",
            f"{clean.tokens:,} tokens used",
            (100 * abs(clean.estimated - clean.tokens) / clean.tokens,),
            unit="%",
            bound=15,
            at_least=False,
            details={"estimated": clean.estimated, "used": clean.tokens},
        ),
    ]

"""What a script will cost before it is written: the embedded storyteller writes one of the same shape, and the prompts
that would be sent and the replies that would come are counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from moviellm.movie import Chapter, Outline
from moviellm.scripting import conditions, replies, reply_samples
from moviellm.scripting.experience import Experience
from moviellm.scripting.prompts import Prompts, chosen
from moviellm.scripting.storyteller import MODEL, Storyteller
from moviellm.scripting.writer import ChapterRequest, EstimateRequest, OutlineRequest, SceneRequest, TokenEstimate

SAMPLES = 3
"""Chapters, and scenes of each of them, that are rehearsed; the others cost the same."""

SEEDS = (1, 2)


class TokenCounts(Protocol):
    """What the language model's endpoint counts; OpenAIChat is one."""

    model: str

    def messages_tokens(self, schema: Any, system: str, user: str) -> int:
        """The prompt tokens of one question."""
        ...

    def text_tokens(self, text: str) -> int:
        """The completion tokens of a reply."""
        ...


class NoCost:
    """The Estimator of the embedded storyteller."""

    async def estimate(self, request: EstimateRequest) -> TokenEstimate:
        """Nothing."""
        return TokenEstimate(0, 0, MODEL)


@dataclass(frozen=True)
class _Cost:
    prompt: float
    completion: float


class Rehearsal:
    """The Estimator of a language model; `experience` corrects it by what finished parts have cost."""

    def __init__(self, *, counts: TokenCounts, experience: Experience) -> None:
        self._counts = counts
        self._experience = experience

    async def estimate(self, request: EstimateRequest) -> TokenEstimate:
        """The mean of several rehearsals, a sample of chapters and scenes each."""
        prompts = chosen(request.prompts)
        prompt = completion = 0.0
        for seed in SEEDS:
            for level, times, cost in await self._rehearsed(request, prompts, seed):
                prompt += times * cost.prompt * self._experience.factor(level, "prompt") / len(SEEDS)
                completion += times * cost.completion * self._experience.factor(level, "completion") / len(SEEDS)
        return TokenEstimate(round(prompt), round(completion), self._counts.model)

    async def _rehearsed(self, request: EstimateRequest, prompts: Prompts, seed: int) -> list[tuple[str, float, _Cost]]:
        """Level, how many parts of the movie stand for it, and the cost of one such part."""
        teller, shape = Storyteller(), request.shape
        asked = OutlineRequest(request.theme, shape.chapters, seed)
        outline = (await teller.outline(asked)).value
        found = [("outline", 1.0, self._cost(replies.OutlineReply, conditions.outline(asked, prompts), outline))]
        numbers = list(_sampled(shape.chapters))
        for number in numbers:
            wanted = ChapterRequest(outline, number, shape.scenes, seed)
            chapter = (await teller.chapter(wanted)).value
            cost = self._cost(replies.ChapterReply, conditions.chapter(wanted, prompts), chapter)
            found.append(("chapter", shape.chapters / len(numbers), cost))
            found += await self._scenes(request, prompts, outline, chapter, seed, len(numbers))
        return found

    async def _scenes(
        self, request: EstimateRequest, prompts: Prompts, outline: Outline, chapter: Chapter, seed: int, chapters: int
    ) -> list[tuple[str, float, _Cost]]:
        shape, numbers = request.shape, list(_sampled(request.shape.scenes))
        found = []
        for number in numbers:
            wanted = SceneRequest(outline, chapter, number, shape.frames, request.dialogue_lines, seed)
            scene = (await Storyteller().scene(wanted)).value
            cost = self._cost(replies.SceneReply, conditions.scene(wanted, prompts), scene)
            found.append(("scene", shape.chapters * shape.scenes / (chapters * len(numbers)), cost))
        return found

    def _cost(self, reply: type[replies.Reply], said: tuple[str, str], value: Any) -> _Cost:
        sent = self._counts.messages_tokens(replies.json_schema(reply), *said)
        return _Cost(sent, self._counts.text_tokens(reply_samples.as_reply(value)))


def _sampled(count: int) -> Iterator[int]:
    """Up to SAMPLES 1-based numbers, evenly spread, with the first and the last one."""
    least = min(SAMPLES, count)
    for index in range(least):
        yield 1 + round(index * (count - 1) / max(1, least - 1))

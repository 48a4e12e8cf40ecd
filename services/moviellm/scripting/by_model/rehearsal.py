"""What a script will cost before it is written: the embedded storyteller writes one of the same shape, and the prompts
that would be sent and the replies that would come are counted.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from moviellm.movie import Chapter, Outline
from moviellm.scripting.by_model import conditions, replies, reply_samples
from moviellm.scripting.by_model.chapter_level import ChapterLevel
from moviellm.scripting.by_model.experience import Cost, Experience
from moviellm.scripting.by_model.outline_level import OutlineLevel
from moviellm.scripting.by_model.prompts import Prompts, chosen
from moviellm.scripting.storyteller.storyteller import MODEL, Storyteller
from moviellm.scripting.writer import ChapterRequest, EstimateRequest, OutlineRequest, SceneRequest, TokenEstimate

SAMPLES = 3
"""Chapters, and scenes of each of them, that are rehearsed; the others cost the same."""

SEEDS = (1, 2)
"""One rehearsal each; stories differ in length."""


class TokenCounts(Protocol):
    """What the language model's endpoint would count; OpenAIChat is one."""

    model: str

    def messages_tokens(self, schema: Mapping[str, Any], system: str, user: str) -> int:
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
            for level, times, rehearsed in await self._rehearsed(request, prompts, seed):
                cost = self._experience.corrected(level, rehearsed)
                prompt += times * cost.prompt / len(SEEDS)
                completion += times * cost.completion / len(SEEDS)
        return TokenEstimate(round(prompt), round(completion), self._counts.model)

    async def _rehearsed(self, request: EstimateRequest, prompts: Prompts, seed: int) -> list[tuple[str, float, Cost]]:
        """Level, for how many parts of the movie the sample stands, and its cost."""
        teller, shape = Storyteller(), request.shape
        asked = OutlineRequest(request.theme, shape.chapters, seed)
        outline = OutlineLevel(asked, prompts).mended((await teller.outline(asked)).value)
        said = conditions.outline(asked, prompts)
        found = [("outline", 1.0, self._cost(replies.OutlineReply, said, outline, shape.chapters + 2))]
        numbers = list(_sampled(shape.chapters))
        for number in numbers:
            wanted = ChapterRequest(outline, number, shape.scenes, seed)
            chapter = ChapterLevel(wanted, prompts).mended((await teller.chapter(wanted)).value)
            said = conditions.chapter(wanted, prompts)
            cost = self._cost(replies.ChapterReply, said, chapter, shape.scenes)
            found.append(("chapter", shape.chapters / len(numbers), cost))
            scenes = await self._scenes(request, prompts, outline, chapter, seed)
            times = shape.chapters * shape.scenes / (len(numbers) * len(scenes))
            found += [("scene", times, cost) for cost in scenes]
        return found

    async def _scenes(
        self, request: EstimateRequest, prompts: Prompts, outline: Outline, chapter: Chapter, seed: int
    ) -> list[Cost]:
        shape, lines, costs = request.shape, request.dialogue_lines, []
        for number in _sampled(shape.scenes):
            wanted = SceneRequest(outline, chapter, number, shape.frames, lines, seed)
            scene = (await Storyteller().scene(wanted)).value
            said = conditions.scene(wanted, prompts)
            costs.append(self._cost(replies.SceneReply, said, scene, shape.frames + lines))
        return costs

    def _cost(self, reply: type[replies.Reply], said: tuple[str, str], value: Any, pieces: int) -> Cost:
        sent = self._counts.messages_tokens(replies.json_schema(reply), *said)
        return Cost(pieces, sent, self._counts.text_tokens(reply_samples.as_reply(value)))


def _sampled(count: int) -> Iterator[int]:
    """Up to SAMPLES 1-based numbers, evenly spread, with the first and the last one."""
    least = min(SAMPLES, count)
    for index in range(least):
        yield 1 + round(index * (count - 1) / max(1, least - 1))

"""A script's tokens are known before it is written, within 15 %; over real HTTP, from servers that count honestly."""

import json
import re

import pytest
from openai_endpoint import Endpoint, completion, serving
from storytelling_model import StorytellingModel

from moviellm.errors import InvalidInput
from moviellm.llm.openai_chat import OpenAIChat
from moviellm.movie import Prompt, Shape
from moviellm.scripting.by_model.experience import Cost, Experience
from moviellm.scripting.by_model.openai_writer import OpenAIWriter
from moviellm.scripting.by_model.rehearsal import NoCost, Rehearsal
from moviellm.scripting.writer import ChapterRequest, EstimateRequest, OutlineRequest, SceneRequest


def counted(text, letters):
    """Tokens as a tokenizer would count them that knows words of so many letters."""
    return len(re.findall(rf"[A-Za-z]{{1,{letters}}}|\d{{1,3}}|[^\sA-Za-z0-9]{{1,2}}", text))


def honest(model, letters=9):
    def answer(request):
        text = model(request)
        prompt = sum(counted(message["content"], letters) + 4 for message in request["messages"])
        prompt += counted(json.dumps(request.get("response_format", {})), letters)
        return 200, completion(text, usage=(prompt, counted(text, letters)))

    return answer


async def written(writer, theme, shape, lines):
    outline = await writer.outline(OutlineRequest(theme, shape.chapters, 7))
    parts = [outline]
    for number in range(1, shape.chapters + 1):
        chapter = await writer.chapter(ChapterRequest(outline.value, number, shape.scenes, 70 + number))
        parts.append(chapter)
        for scene in range(1, shape.scenes + 1):
            wanted = SceneRequest(outline.value, chapter.value, scene, shape.frames, lines, 700 + 10 * number + scene)
            parts.append(await writer.scene(wanted))
    return sum(part.prompt_tokens for part in parts), sum(part.completion_tokens for part in parts)


@pytest.mark.parametrize("letters", [9, 4])
async def test_an_estimate_is_within_15_percent_of_what_is_used(letters):
    """With 4 letters a token the counts are far from any guess before the first reply: then it is the second movie."""
    experience = Experience()
    with serving(Endpoint([honest(StorytellingModel(), letters)])) as endpoint:
        chat = OpenAIChat(base_url=endpoint.url, model="tiny")
        writer, estimator = (
            OpenAIWriter(chat=chat, experience=experience),
            Rehearsal(counts=chat, experience=experience),
        )
        if letters == 4:
            await written(writer, "a robot learns to dance", Shape(2, 2, 4), 2)
        shape = Shape(3, 3, 6)
        estimate = await estimator.estimate(EstimateRequest("two thieves steal a painting", shape, 5))
        prompt, reply = await written(writer, "two thieves steal a painting", shape, 5)
    assert estimate.model == "tiny"
    assert estimate.prompt_tokens == pytest.approx(prompt, rel=0.15)
    assert estimate.completion_tokens == pytest.approx(reply, rel=0.15)


async def test_prompts_of_ones_own_are_counted_and_checked():
    with serving(Endpoint([""])) as endpoint:
        chat = OpenAIChat(base_url=endpoint.url, model="tiny")
        estimator = Rehearsal(counts=chat, experience=Experience())
        plain = EstimateRequest("a duchess", Shape(2, 2, 2), 2)
        long = "Write $frames frames and $lines lines in the $location. " + "Take care of every word. " * 200
        usual = await estimator.estimate(plain)
        more = await estimator.estimate(EstimateRequest("a duchess", Shape(2, 2, 2), 2, (Prompt("scene", long),)))
        with pytest.raises(InvalidInput, match="prompts"):
            await estimator.estimate(EstimateRequest("a duchess", Shape(2, 2, 2), 2, (Prompt("scene", "x"),)))
        assert endpoint.requests == []
    assert more.prompt_tokens > usual.prompt_tokens + 4 * 500
    assert more.completion_tokens == usual.completion_tokens


async def test_the_storyteller_costs_nothing():
    estimate = await NoCost().estimate(EstimateRequest("a duchess", Shape(11, 11, 11), 6))
    assert (estimate.prompt_tokens, estimate.completion_tokens, estimate.model) == (0, 0, "storyteller")


def test_what_parts_have_cost_outweighs_the_rehearsal_in_time():
    experience = Experience()
    rehearsed = Cost(10, 100, 200)
    assert experience.corrected("scene", rehearsed) == rehearsed
    experience.learn("scene", Cost(5, 0, 0))
    assert experience.corrected("scene", rehearsed) == rehearsed
    for _ in range(38):
        experience.learn("scene", Cost(5, 300, 300))
    corrected = experience.corrected("scene", rehearsed)
    assert corrected.prompt == pytest.approx(290)
    assert corrected.completion == pytest.approx(0.95 * 600 + 0.05 * 200)
    assert experience.corrected("chapter", rehearsed) == rehearsed

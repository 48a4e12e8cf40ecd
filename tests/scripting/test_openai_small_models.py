"""Whole movies from models that misbehave, that are very small, or that say nothing at all; over real HTTP."""

import asyncio
import json
import re

import pytest
from openai_endpoint import Endpoint, Mischief, completion, serving
from storytelling_model import SENTENCES, NgramModel, StorytellingModel, TinyModel

from moviellm import errors
from moviellm.llm.openai_chat import OpenAIChat
from moviellm.scripting.by_model.openai_writer import OpenAIWriter
from moviellm.scripting.by_model.persistence import (
    DISTRUST,
    PART_ATTEMPTS,
    PIECE_ATTEMPTS,
    PIECE_TOKENS,
    PIECE_TRIES,
    most_completions,
)
from moviellm.scripting.checker import rules
from moviellm.scripting.storyteller import chapter as chapters
from moviellm.scripting.storyteller import outline as outlines
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

THEME = "a love story about a duchess and a commoner"
KNOWN = {rule.name for rule in rules.RULES}


async def movie(endpoint, chapters, scenes, frames, lines=4):
    """All parts of a movie as they were written, each checked; chapters and scenes at once, as the controller asks."""
    chat = OpenAIChat(base_url=endpoint.url, model="tiny", timeout_seconds=1, backoff_seconds=0.01)
    writer = OpenAIWriter(chat=chat)
    request = OutlineRequest(THEME, chapters, 7)
    outline = await writer.outline(request)
    assert not rules.breaches_of_outline(outline.value, request)

    async def chapter(number):
        request = ChapterRequest(outline.value, number, scenes, 8 + number)
        written = await writer.chapter(request)
        assert not rules.breaches_of_chapter(written.value, request)
        return [written, *await asyncio.gather(*(scene(written.value, index) for index in range(1, scenes + 1)))]

    async def scene(chapter, index):
        request = SceneRequest(outline.value, chapter, index, frames, lines, 100 * chapter.number + index)
        written = await writer.scene(request)
        assert not rules.breaches_of_scene(written.value, request)
        return written

    told = await asyncio.gather(*(chapter(number) for number in range(1, chapters + 1)))
    return [outline, *(part for parts in told for part in parts)]


async def test_a_server_that_misbehaves_costs_less_than_twice_the_calls():
    model = Mischief(StorytellingModel(), share=0.3, seed=3)
    with serving(Endpoint([model])) as endpoint:
        parts = await movie(endpoint, 3, 5, 6)
    assert len(parts) == 1 + 3 + 15
    assert sum(model.done.values()) - model.done["good"] >= 4
    assert len(endpoint.requests) <= 2 * len(parts)


@pytest.mark.parametrize("window", [3000, 30_000])
async def test_a_tiny_model_ends_in_a_valid_movie(window):
    with serving(Endpoint([TinyModel(window)])) as endpoint:
        parts = await movie(endpoint, 2, 2, 5, lines=3)
    assert len(endpoint.requests) <= most_completions(4) + 2 * most_completions(2) + 4 * most_completions(8)
    outline, scenes = parts[0].value, [part.value for part in parts if hasattr(part.value, "frames")]
    assert len(scenes) == 4
    assert all(re.search(r"\w", line.text) for scene in scenes for line in scene.dialogue)
    assert "{" not in str([outline, scenes])
    assert {mend.rule for part in parts for mend in part.mends} <= KNOWN
    assert all(mend.where for part in parts for mend in part.mends)


async def test_a_tiny_model_that_never_stops_is_cut_to_its_first_sentences():
    def cut_off(text):
        return 200, completion(text, "length")

    with serving(Endpoint([TinyModel(cut_off=cut_off)])) as endpoint:
        parts = await movie(endpoint, 1, 1, 4, lines=2)
    scene = parts[-1].value
    assert all(
        "And she" not in text for text in [*(f.description for f in scene.frames), *(x.text for x in scene.dialogue)]
    )
    alone = [r for r in endpoint.requests if "Answer with the sentence alone" in r["messages"][0]["content"]]
    assert all(r.get("max_tokens", r.get("max_completion_tokens")) == PIECE_TOKENS for r in alone)


async def test_a_window_too_small_for_any_piece_is_named_with_the_rule():
    with (
        serving(Endpoint([TinyModel(50)])) as endpoint,
        pytest.raises(errors.Unsatisfied, match=r"maximum context length.*overview-whole") as caught,
    ):
        await movie(endpoint, 1, 1, 1)
    assert caught.value.reason == "LLM_PROMPT_TOO_LONG"
    assert len(endpoint.requests) <= 12


async def test_what_a_tiny_model_says_is_kept_where_it_can_be():
    with serving(Endpoint([TinyModel(3000)])) as endpoint:
        parts = await movie(endpoint, 1, 1, 7, lines=3)
    scene = parts[-1].value
    said = " ".join(frame.description for frame in scene.frames)
    assert re.search(r"very happy and she is smiling|walking in the", said)
    kept = [line.text for line in scene.dialogue if any(line.text.strip(".").lower() in t.lower() for t in SENTENCES)]
    assert kept, scene.dialogue


async def test_a_model_of_word_statistics_ends_in_a_valid_movie():
    model = NgramModel()
    with serving(Endpoint([lambda request: (200, completion(model(request), "length"))])) as endpoint:
        parts = await movie(endpoint, 2, 2, 6, lines=4)
    assert len(endpoint.requests) <= most_completions(4) + 2 * most_completions(2) + 4 * most_completions(10)
    frames = [frame.description for part in parts for frame in getattr(part.value, "frames", ())]
    assert len(frames) == 24
    assert len(set(frames)) > 18


@pytest.mark.parametrize("answer", ["", "}{ ]] 0 0 0", {"unexpected": None}, (400, {"error": {"message": "too long"}})])
async def test_a_model_that_says_nothing_ends_in_an_error_at_the_first_piece(answer):
    with serving(Endpoint([answer])) as endpoint, pytest.raises(errors.MovieLLMError) as caught:
        await movie(endpoint, 2, 2, 5)
    assert len(endpoint.requests) <= 12 + PART_ATTEMPTS + PIECE_TRIES * PIECE_ATTEMPTS
    if not isinstance(answer, tuple):
        assert "overview-whole" in caught.value.message
        assert caught.value.reason == "LLM_INVALID_REPLY"


async def test_a_rule_that_a_model_never_keeps_is_named():
    """Nothing can be kept of dialogue that is only a label of training data."""
    story = StorytellingModel()

    def stubborn(request):
        if "storyboard" in request["messages"][0]["content"]:
            return {"frames": [], "dialogue": []}
        if "part of a movie script" in request["messages"][0]["content"]:
            return "no"
        if "says in this scene" in request["messages"][0]["content"]:
            return "<image> <image> ASSISTANT: <image>"
        return story(request)

    with serving(Endpoint([stubborn])) as endpoint, pytest.raises(errors.MovieLLMError) as caught:
        await movie(endpoint, 1, 1, 4)
    assert "dialogue-" in caught.value.message
    assert len(endpoint.requests) <= 2 + most_completions(8)


async def test_a_model_that_never_gives_a_whole_part_is_not_asked_for_one_for_ever():
    outline = outlines.write(OutlineRequest(THEME, 1, 7))
    chapter = chapters.write(ChapterRequest(outline, 1, 5, 7))
    with serving(Endpoint([TinyModel(30_000)])) as endpoint:
        writer = OpenAIWriter(chat=OpenAIChat(base_url=endpoint.url, model="tiny"))
        for number in range(1, 6):
            await writer.scene(SceneRequest(outline, chapter, number, 1, 0, number))
    whole = [r for r in endpoint.requests if "storyboard artist" in r["messages"][0]["content"]]
    assert len(whole) == DISTRUST * PART_ATTEMPTS


async def test_a_part_that_is_asked_for_alone_gets_a_seed_of_its_own():
    """Replies are cached by what was asked: the same question with the same seed would get the same bad answer."""
    with serving(Endpoint([TinyModel(3000)])) as endpoint:
        await movie(endpoint, 1, 1, 3, lines=1)
    alone = [r for r in endpoint.requests if "Answer with" in r["messages"][0]["content"] and len(r["messages"]) == 2]
    asked = [json.dumps(request, sort_keys=True) for request in alone if "exactly" not in str(request)]
    assert len(set(asked)) == len(asked) > 8


def test_the_bound_is_what_the_documentation_says():
    assert most_completions(17) == (2 + 2) * 3 + 2 * 17 * 2

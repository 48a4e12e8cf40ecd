"""The openai writer against a real HTTP server that answers well and badly."""

import dataclasses
import json
import re

import pytest
from openai_endpoint import Endpoint, serving

from moviellm import errors
from moviellm.llm.openai_chat import OpenAIChat
from moviellm.scripting.by_model import reply_samples
from moviellm.scripting.by_model.openai_writer import OpenAIWriter
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

KEY = "sk-very-secret"
REQUEST = OutlineRequest(theme="a duchess and a commoner", chapters=2, seed=7)


def writer_for(endpoint, **options):
    options = {"patience_seconds": 1.0, "backoff_seconds": 0.01} | options
    return OpenAIWriter(chat=OpenAIChat(base_url=endpoint.url, model="tiny", api_key=KEY, **options))


async def story():
    teller = Storyteller()
    outline = (await teller.outline(REQUEST)).value
    chapter = (await teller.chapter(ChapterRequest(outline, 1, 3, 8))).value
    scene = (await teller.scene(SceneRequest(outline, chapter, 2, 4, 6, 9))).value
    return outline, chapter, scene


def as_reply(value, **changes):
    return json.dumps(json.loads(reply_samples.as_reply(value)) | changes)


async def test_three_levels_from_good_replies():
    outline, chapter, scene = await story()
    with serving(Endpoint([as_reply(outline), as_reply(chapter), as_reply(scene)])) as endpoint:
        writer = writer_for(endpoint)
        first = await writer.outline(REQUEST)
        second = await writer.chapter(ChapterRequest(outline, 1, 3, 8))
        third = await writer.scene(SceneRequest(outline, chapter, 2, 4, 6, 9))
    assert [c.content for c in first.value.chapters] == [c.content for c in outline.chapters]
    assert (first.value.characters, first.value.locations) == (outline.characters, outline.locations)
    assert [s.content for s in second.value.scenes] == [s.content for s in chapter.scenes]
    assert third.value == scene
    assert (first.mends, third.mends) == ((), ())
    assert (first.model, first.prompt_tokens, first.completion_tokens) == ("tiny", 10, 5)
    assert re.fullmatch(r"outline@\d+ sha256:[0-9a-f]{12}", first.prompt)
    formats = [request["response_format"] for request in endpoint.requests]
    assert [form["json_schema"]["name"] for form in formats] == ["OutlineReply", "ChapterReply", "SceneReply"]
    assert all(form["json_schema"]["strict"] for form in formats)
    assert "a duchess and a commoner" in endpoint.requests[0]["messages"][1]["content"]
    assert "$" not in "".join(request["messages"][0]["content"] for request in endpoint.requests)


async def test_chapters_and_scenes_join_without_waiting_for_each_other():
    outline, chapter, scene = await story()
    ends = [f"The wish is {n} steps nearer." for n in (1, 2)]
    chapters = tuple(
        dataclasses.replace(c, before=before, after=after)
        for c, before, after in zip(outline.chapters, ("Nothing is known.", ends[0]), ends, strict=True)
    )
    outline = dataclasses.replace(outline, chapters=chapters)
    told = [dataclasses.asdict(s) | {"before": f"B{n}.", "after": f"A{n}."} for n, s in enumerate(chapter.scenes, 1)]
    with serving(Endpoint([as_reply(chapter, scenes=told), as_reply(scene)])) as endpoint:
        writer = writer_for(endpoint)
        written = (await writer.chapter(ChapterRequest(outline, 2, 3, 8))).value
        await writer.scene(SceneRequest(outline, dataclasses.replace(written, number=1), 2, 4, 6, 9))
    assert [(s.before, s.after) for s in written.scenes] == [(ends[0], "A1."), ("A1.", "A2."), ("A2.", ends[1])]
    first, second = (json.loads(request["messages"][1]["content"]) for request in endpoint.requests)
    assert first["chapter before"] == {"title": outline.chapters[0].title, "after": ends[0]}
    assert (first["chapter"]["before"], first["chapter"]["after"]) == tuple(ends)
    assert (second["scene before"]["after"], second["scene"]["before"]) == ("A1.", "A1.")
    assert second["scene after"]["before"] == "A2."


async def test_the_look_that_was_asked_for_counts_more_than_the_model():
    outline, _, _ = await story()
    other = json.loads(as_reply(outline)) | {"style": {"keyword": "Something", "phrases": [], "adjectives": []}}
    with serving(Endpoint([json.dumps(other)])) as endpoint:
        written = await writer_for(endpoint).outline(dataclasses.replace(REQUEST, preset="noir"))
    assert written.value.style.keyword == "noir"
    assert "black and white film" in written.value.style.phrases


async def test_a_refused_schema_is_asked_in_words_and_remembered():
    outline, _, _ = await story()

    def answer(request):
        if "response_format" in request:
            return 400, {"error": {"message": "response_format is not supported"}}
        return as_reply(outline)

    with serving(Endpoint([answer])) as endpoint:
        writer = writer_for(endpoint)
        assert (await writer.outline(REQUEST)).value.overview == outline.overview
        assert (await writer.outline(REQUEST)).value.overview == outline.overview
    assert ["response_format" in request for request in endpoint.requests] == [True, False, False]
    assert "clothing_color" in endpoint.requests[1]["messages"][0]["content"]
    assert "JSON schema" in endpoint.requests[1]["messages"][0]["content"]


async def test_a_reply_in_a_fence_after_thinking_is_understood():
    outline, _, _ = await story()
    with serving(Endpoint([f"<think>{{hm}}</think>Here it is:\n```json\n{as_reply(outline)}\n```"])) as endpoint:
        assert (await writer_for(endpoint).outline(REQUEST)).value.overview == outline.overview


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("{", "JSON"),
        ('{"title": "x"}', "overview"),
        ((200, {"hello": 1}), "not a chat completion"),
        ("I would rather not.", "JSON"),
    ],
)
async def test_a_bad_reply_is_asked_again_with_the_reason(bad, why):
    outline, _, _ = await story()
    with serving(Endpoint([bad, as_reply(outline)])) as endpoint:
        written = await writer_for(endpoint).outline(REQUEST)
    assert written.value.overview == outline.overview
    assert len(endpoint.requests) == 2
    assert why in endpoint.requests[1]["messages"][-1]["content"]


async def test_the_tokens_of_all_questions_are_on_the_bill():
    outline, chapter, scene = await story()
    frames = [dataclasses.asdict(frame) for frame in scene.frames]
    frames[1] = frames[2] = frames[0]
    again = {"parts": [{"where": "frame 3", "text": scene.frames[2].description}]}
    with serving(Endpoint(["nonsense", as_reply(scene, frames=frames), json.dumps(again)])) as endpoint:
        written = await writer_for(endpoint).scene(SceneRequest(outline, chapter, 2, 4, 6, 9))
    assert (written.prompt_tokens, written.completion_tokens) == (30, 15)
    assert written.value.frames[2].description == scene.frames[2].description
    assert ("frames-alike", "chapter 1, scene 2, frame 3") in [(mend.rule, mend.where) for mend in written.mends]
    asked = json.loads(endpoint.requests[2]["messages"][1]["content"])["parts"]
    assert [part["where"] for part in asked] == ["frame 3"]
    assert "alike" in asked[0]["wrong"]
    assert "again@" in written.prompt


@pytest.mark.parametrize(
    ("status", "headers", "kind", "reason"),
    [
        (401, {}, errors.Denied, "LLM_UNAUTHORIZED"),
        (403, {}, errors.Denied, "LLM_UNAUTHORIZED"),
        (404, {}, errors.Unsatisfied, "LLM_MODEL_UNKNOWN"),
        (400, {}, errors.Unsatisfied, "LLM_REQUEST_REFUSED"),
        (429, {"retry-after": "7"}, errors.Exhausted, "LLM_RATE_LIMITED"),
        (500, {}, errors.Unavailable, "LLM_UNREACHABLE"),
        (503, {}, errors.Unavailable, "LLM_UNREACHABLE"),
    ],
)
async def test_statuses_become_errors_that_name_the_endpoint_and_never_the_key(status, headers, kind, reason):
    body = {"error": {"message": f"no good: {status}"}}
    with serving(Endpoint([(status, body, headers)])) as endpoint, pytest.raises(kind) as caught:
        await writer_for(endpoint).outline(REQUEST)
    assert caught.value.reason == reason
    assert endpoint.url in caught.value.message
    assert KEY not in caught.value.message
    assert KEY in endpoint.headers[0]["authorization"]
    if status == 429:
        assert caught.value.retry_after == 7.0


async def test_no_server_is_unreachable():
    with serving(Endpoint(["x"])) as endpoint:
        pass
    writer = writer_for(endpoint)
    with pytest.raises(errors.Unavailable, match="does not answer") as caught:
        await writer.outline(REQUEST)
    assert caught.value.reason == "LLM_UNREACHABLE"
    with pytest.raises(errors.Unavailable):
        await writer.check()


async def test_health_follows_the_endpoint():
    with serving(Endpoint(["x"])) as endpoint:
        await writer_for(endpoint).check()
    with serving(Endpoint(["x"], models=(404, {"error": {"message": "no list here"}}))) as endpoint:
        await writer_for(endpoint).check()
    with (
        serving(Endpoint(["x"], models=(401, {"error": {"message": "who are you?"}}))) as endpoint,
        pytest.raises(errors.Denied, match="refuses the key"),
    ):
        await writer_for(endpoint).check()


async def test_only_what_was_mended_of_the_reply_that_counts_is_told():
    outline, _, _ = await story()
    bad = as_reply(outline, title="{title}", locations=["The Old Castle Yard"] * 3, characters=[], chapters=[{}])
    with serving(Endpoint([bad, as_reply(outline)])) as endpoint:
        written = await writer_for(endpoint).outline(REQUEST)
    assert len(endpoint.requests) == 2
    assert "Old Castle" not in str(written.mends)

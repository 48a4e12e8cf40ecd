"""The openai writer against a real HTTP server that answers well and badly."""

import dataclasses
import json

import pytest
from openai_endpoint import Endpoint, completion, serving

from moviellm import errors
from moviellm.llm.openai_chat import OpenAIChat
from moviellm.scripting.openai_writer import OpenAIWriter
from moviellm.scripting.storyteller import Storyteller
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

KEY = "sk-very-secret"
REQUEST = OutlineRequest(theme="a duchess and a commoner", chapters=2, seed=7)


def writer_for(endpoint, **options):
    return OpenAIWriter(chat=OpenAIChat(base_url=endpoint.url, model="tiny", api_key=KEY, **options))


async def story():
    teller = Storyteller()
    outline = (await teller.outline(REQUEST)).value
    chapter = (await teller.chapter(ChapterRequest(outline, 1, 3, 8))).value
    scene = (await teller.scene(SceneRequest(outline, chapter, 2, 4, 6, 9))).value
    return outline, chapter, scene


def as_reply(value, **changes):
    """A part of a script as a model would send it: without numbers and without what the request says anyway."""
    reply = dataclasses.asdict(value) | changes

    def without(item, *keys):
        return {key: content for key, content in item.items() if key not in keys}

    reply = without(reply, "theme", "number", "chapter")
    for level in ("chapters", "scenes", "frames"):
        if level in reply:
            reply[level] = [without(item, "number") for item in reply[level]]
    return json.dumps(reply)


async def test_three_levels_from_good_replies():
    outline, chapter, scene = await story()
    with serving(Endpoint([as_reply(outline), as_reply(chapter), as_reply(scene)])) as endpoint:
        writer = writer_for(endpoint)
        first = await writer.outline(REQUEST)
        assert first.value == outline
        assert (first.model, first.prompt_tokens, first.completion_tokens) == ("tiny", 10, 5)
        assert (await writer.chapter(ChapterRequest(outline, 1, 3, 8))).value == chapter
        assert (await writer.scene(SceneRequest(outline, chapter, 2, 4, 6, 9))).value == scene
    formats = [request["response_format"] for request in endpoint.requests]
    assert [form["json_schema"]["name"] for form in formats] == ["OutlineReply", "ChapterReply", "SceneReply"]
    assert all(form["json_schema"]["strict"] for form in formats)
    assert "a duchess and a commoner" in endpoint.requests[0]["messages"][1]["content"]
    assert "$" not in "".join(request["messages"][0]["content"] for request in endpoint.requests)


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
        assert (await writer.outline(REQUEST)).value == outline
        assert (await writer.outline(REQUEST)).value == outline
    assert ["response_format" in request for request in endpoint.requests] == [True, False, False]
    assert "clothing_color" in endpoint.requests[1]["messages"][0]["content"]
    assert "JSON schema" in endpoint.requests[1]["messages"][0]["content"]


async def test_a_reply_in_a_fence_after_thinking_is_understood():
    outline, _, _ = await story()
    with serving(Endpoint([f"<think>{{hm}}</think>Here it is:\n```json\n{as_reply(outline)}\n```"])) as endpoint:
        assert (await writer_for(endpoint).outline(REQUEST)).value == outline


@pytest.mark.parametrize("kind", ["truncated", "cut off", "missing field", "not a completion"])
async def test_a_bad_reply_is_asked_again_with_the_reason(kind):
    outline, _, _ = await story()
    good = as_reply(outline)
    bad = {
        "truncated": (good[:200], "valid JSON"),
        "cut off": ((200, completion(good[:200], "length")), "cut off"),
        "missing field": ('{"title": "x"}', "overview"),
        "not a completion": ((200, {"hello": 1}), "not a chat completion"),
    }
    with serving(Endpoint([bad[kind][0], good])) as endpoint:
        written = await writer_for(endpoint).outline(REQUEST)
    assert written.value == outline
    assert len(endpoint.requests) == 2
    assert bad[kind][1] in endpoint.requests[1]["messages"][-1]["content"]
    if kind == "truncated":
        assert (written.prompt_tokens, written.completion_tokens) == (20, 10)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"locations": ("castle", "garden")}, "at least 12 locations"),
        ({"chapters": ()}, "exactly 2 chapters"),
        ({"style": {"keyword": "very dark", "phrases": (), "adjectives": ()}}, "one single word"),
        ({"characters": ()}, "main characters"),
    ],
)
async def test_a_rule_that_stays_broken_is_named_after_three_attempts(changes, rule):
    outline, _, _ = await story()
    with (
        serving(Endpoint([as_reply(outline, **changes)])) as endpoint,
        pytest.raises(errors.Unavailable, match=rule) as caught,
    ):
        await writer_for(endpoint).outline(REQUEST)
    assert caught.value.reason == "LLM_INVALID_REPLY"
    assert len(endpoint.requests) == 3


async def test_a_scene_whose_frames_do_not_name_their_place_is_refused():
    outline, chapter, scene = await story()
    place = chapter.scenes[1].location
    frames = [{"description": f.description.replace(place, "moon"), "characters": f.characters} for f in scene.frames]
    with (
        serving(Endpoint([as_reply(scene, frames=frames)])) as endpoint,
        pytest.raises(errors.Unavailable, match=f"must name the location '{place}'"),
    ):
        await writer_for(endpoint).scene(SceneRequest(outline, chapter, 2, 4, 6, 9))


async def test_a_scene_with_an_unknown_speaker_is_refused():
    outline, chapter, scene = await story()
    stranger = [{"after_frame": 1, "speaker": "Nobody", "text": "Hello."}] * 6
    with (
        serving(Endpoint([as_reply(scene, dialogue=stranger)])) as endpoint,
        pytest.raises(errors.Unavailable, match="Nobody"),
    ):
        await writer_for(endpoint).scene(SceneRequest(outline, chapter, 2, 4, 6, 9))


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

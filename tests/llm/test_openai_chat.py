"""The conversation with a language model's endpoint against a real HTTP server that answers well and badly."""

import asyncio
import threading

import pytest
from openai_endpoint import Endpoint, completion, serving

from moviellm import errors
from moviellm.llm.openai_chat import OpenAIChat
from moviellm.llm.reply import Unusable

KEY = "sk-very-secret"
SCHEMA = {
    "title": "word",
    "type": "object",
    "properties": {"word": {"type": "string"}},
    "required": ["word"],
    "additionalProperties": False,
}
GOOD = {"word": "yes"}


def chat_of(endpoint, **options):
    return OpenAIChat(base_url=endpoint.url, model="tiny", api_key=KEY, **options)


def word(reply):
    if not isinstance(reply.get("word"), str):
        raise Unusable('"word" must be a text')
    return reply["word"]


async def asked(chat, seed=7):
    return await chat.ask(SCHEMA, "Say a word.", "Now.", word, seed=seed)


def last_words(request):
    return [message["content"] for message in request["messages"][-2:]]


async def test_a_question_carries_schema_seed_and_key():
    with serving(Endpoint([GOOD], key=KEY)) as endpoint:
        reply = await asked(chat_of(endpoint), seed=2**31 + 7)
    assert (reply.value, reply.prompt_tokens, reply.completion_tokens) == ("yes", 10, 5)
    [request] = endpoint.requests
    assert request["messages"] == [
        {"role": "system", "content": "Say a word."},
        {"role": "user", "content": "Now."},
    ]
    assert (request["model"], request["seed"]) == ("tiny", 7)
    assert request["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "word", "schema": SCHEMA, "strict": True},
    }


@pytest.mark.parametrize(
    ("bad", "quoted", "why"),
    [
        ('{"word": 1}', '{"word": 1}', '"word" must be a text'),
        ("<think>hm</think>no", "no", "it is not one JSON object"),
        ('{"word": "y', '{"word": "y', "it is not valid JSON"),
        ("", "(nothing)", "it is not one JSON object"),
        ((200, completion(None)), "(nothing)", "it is not one JSON object"),
        ((200, completion([{"type": "text"}])), "(nothing)", "it is not one JSON object"),
        ((200, completion(None, refusal="I will not")), "(nothing)", "it is a refusal"),
        ((200, completion('{"word', "content_filter")), "(nothing)", "it is a refusal"),
        ((200, completion('{"word', "length")), "(nothing)", "it was cut off"),
        ((200, {"choices": []}), "(nothing)", "it is not a chat completion"),
        ((200, {"choices": [{}]}), "(nothing)", "it is not a chat completion"),
        ((200, completion("{}") | {"usage": None}), "{}", '"word" must be a text'),
        ((200, [1]), "(nothing)", "it is no chat completion"),
        ((200, b"{broken"), "(nothing)", "it is no chat completion"),
        ((200, b'{"choices": "\xff"}'), "(nothing)", "it is no chat completion"),
        ((200, b"<html>proxy</html>", {"content-type": "text/html"}), "(nothing)", "it is no chat completion"),
        ('"\ud83d', '"?', "it is not one JSON object"),
    ],
)
async def test_a_reply_that_cannot_be_used_is_asked_again_with_the_reason(bad, quoted, why):
    with serving(Endpoint([bad, GOOD])) as endpoint:
        assert (await asked(chat_of(endpoint))).value == "yes"
    first, second = endpoint.requests
    assert second["messages"][:2] == first["messages"]
    assert last_words(second)[0] == quoted
    assert why in last_words(second)[1]


async def test_attempts_are_bounded_and_all_of_them_counted():
    with serving(Endpoint(["no", "no", GOOD])) as endpoint:
        reply = await asked(chat_of(endpoint))
        assert (reply.prompt_tokens, reply.completion_tokens) == (30, 15)
    with serving(Endpoint(["no"])) as endpoint, pytest.raises(errors.Unavailable, match="not one JSON") as caught:
        await asked(chat_of(endpoint, attempts=2))
    assert caught.value.reason == "LLM_INVALID_REPLY"
    assert len(endpoint.requests) == 2


def picky(refuses, status, said):
    """An endpoint that refuses some requests in some words."""
    return lambda request: (status, said) if refuses(request) else GOOD


def form_of(request):
    return request.get("response_format", {}).get("type"), "seed" in request


def has_schema(request):
    return form_of(request)[0] == "json_schema"


def has_form(request):
    return "response_format" in request


@pytest.mark.parametrize(
    ("refuses", "status", "said", "forms"),
    [
        (
            has_schema,
            400,
            {"error": {"message": "this model does not support response format `json_schema`"}},
            [("json_schema", True), ("json_object", True)],
        ),
        (
            has_schema,
            422,
            {"detail": [{"loc": ["body", "response_format", "type"], "msg": "Input should be 'json_object'"}]},
            [("json_schema", True), ("json_object", True)],
        ),
        (
            has_form,
            400,
            {"error": {"message": "response_format is not supported"}},
            [("json_schema", True), (None, True)],
        ),
        (
            has_form,
            400,
            {"error": "'response_format.type' must be 'text'"},
            [("json_schema", True), ("json_object", True), (None, True)],
        ),
        (has_form, 400, b"", [("json_schema", True), (None, True)]),
        (
            has_form,
            500,
            {"error": {"message": "body -> response_format -> type: unexpected value"}},
            [("json_schema", True), ("json_object", True), (None, True)],
        ),
        (
            lambda request: "seed" in request,
            400,
            {"error": {"message": 'Unknown name "seed": Cannot find field.'}},
            [("json_schema", True), ("json_schema", False)],
        ),
        (
            lambda request: has_form(request) or "seed" in request,
            400,
            {"error": {"message": "Request contains an invalid argument."}},
            [("json_schema", True), (None, True), (None, False)],
        ),
    ],
)
async def test_refused_options_are_left_out_and_that_is_remembered(refuses, status, said, forms):
    with serving(Endpoint([picky(refuses, status, said)])) as endpoint:
        chat = chat_of(endpoint)
        assert (await asked(chat)).value == "yes"
        assert [form_of(request) for request in endpoint.requests] == forms
        assert (await asked(chat)).value == "yes"
    assert [form_of(request) for request in endpoint.requests] == [*forms, forms[-1]]
    in_words = '"additionalProperties": false' in endpoint.requests[-1]["messages"][0]["content"]
    assert in_words is (forms[-1][0] != "json_schema")


async def test_a_refusal_of_everything_is_not_remembered():
    broken = threading.Event()
    broken.set()
    refusal = {"error": {"message": "unsupported schema"}}
    with serving(Endpoint([picky(lambda _: broken.is_set(), 400, refusal)])) as endpoint:
        chat = chat_of(endpoint)
        with pytest.raises(errors.Unsatisfied, match="unsupported schema") as caught:
            await asked(chat)
        assert caught.value.reason == "LLM_REQUEST_REFUSED"
        broken.clear()
        await asked(chat)
    assert form_of(endpoint.requests[-1]) == ("json_schema", True)


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "reason", "retry_after"),
    [
        (401, {"error": {"message": KEY}}, {}, errors.Denied, "LLM_UNAUTHORIZED", None),
        (403, {"error": {"message": KEY}}, {}, errors.Denied, "LLM_UNAUTHORIZED", None),
        (404, {"error": {"message": KEY}}, {}, errors.Unsatisfied, "LLM_MODEL_UNKNOWN", None),
        (
            400,
            {"error": {"message": KEY, "code": "model_not_found"}},
            {},
            errors.Unsatisfied,
            "LLM_MODEL_UNKNOWN",
            None,
        ),
        (400, {"error": {"message": f"too long {KEY}"}}, {}, errors.Unsatisfied, "LLM_REQUEST_REFUSED", None),
        (402, {"error": {"message": f"pay {KEY}"}}, {}, errors.Unsatisfied, "LLM_REQUEST_REFUSED", None),
        (429, {}, {"retry-after": "7"}, errors.Exhausted, "LLM_RATE_LIMITED", 7.0),
        (429, {}, {"retry-after": "inf"}, errors.Exhausted, "LLM_RATE_LIMITED", 86400.0),
        (429, {}, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, errors.Exhausted, "LLM_RATE_LIMITED", None),
        (408, {}, {}, errors.Unavailable, "LLM_UNREACHABLE", None),
        (500, {"error": {"message": KEY}}, {}, errors.Unavailable, "LLM_UNREACHABLE", None),
        (503, b"<html>", {"retry-after": "2"}, errors.Unavailable, "LLM_UNREACHABLE", 2.0),
        (200, b"{", {"content-length": "999"}, errors.Unavailable, "LLM_UNREACHABLE", None),
    ],
)
async def test_failures_become_our_errors_at_once_and_never_name_the_key(
    status, body, headers, kind, reason, retry_after
):
    with serving(Endpoint([(status, body, headers)])) as endpoint, pytest.raises(kind) as caught:
        await asked(chat_of(endpoint))
    assert caught.value.reason == reason
    assert getattr(caught.value, "retry_after", None) == retry_after
    assert endpoint.url in caught.value.message
    assert KEY not in caught.value.message
    assert len(endpoint.requests) == 1


async def test_silence_is_unreachable_and_the_endpoint_is_named_without_its_password():
    endpoint = Endpoint()
    endpoint.answers = [endpoint.silence]
    with serving(endpoint), pytest.raises(errors.Unavailable, match="does not answer in time"):
        await asked(chat_of(endpoint, timeout_seconds=0.2))
    chat = OpenAIChat(base_url="http://user:pass@127.0.0.1:1/v1?token=t", model="tiny")
    for call in (asked(chat), chat.check()):
        with pytest.raises(errors.Unavailable, match=r"http://127.0.0.1:1/v1 does not answer") as caught:
            await call
        assert caught.value.reason == "LLM_UNREACHABLE"


async def test_as_many_requests_are_under_way_as_allowed_and_no_more():
    under_way, lock = [0], threading.Lock()
    both_there, third_there = threading.Barrier(2), threading.Event()

    def answer(request):
        with lock:
            under_way[0] += 1
            if under_way[0] > 2:
                third_there.set()
        both_there.wait(30)
        third_there.wait(0.3)
        with lock:
            under_way[0] -= 1
        return GOOD

    with serving(Endpoint([answer])) as endpoint:
        chat = chat_of(endpoint, max_concurrency=2)
        replies = await asyncio.gather(*(asked(chat, seed) for seed in range(4)))
    assert [reply.value for reply in replies] == ["yes"] * 4
    assert not third_there.is_set()


@pytest.mark.parametrize(
    ("models", "kind"),
    [
        ((200, {"object": "list", "data": []}), None),
        ((200, b"<html>"), None),
        ((404, {}), None),
        ((429, {}), None),
        ((401, {}), errors.Denied),
        ((403, {}), errors.Denied),
        ((500, {}), errors.Unavailable),
    ],
)
async def test_health_is_a_matter_of_being_there_and_taking_the_key(models, kind):
    with serving(Endpoint(models=models)) as endpoint:
        chat = chat_of(endpoint)
        if kind is None:
            await chat.check()
        else:
            with pytest.raises(kind):
                await chat.check()

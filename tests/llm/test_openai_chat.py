"""The conversation with a language model's endpoint against a real HTTP server that answers well and badly."""

import asyncio
import threading

import pytest
from openai_endpoint import CUT, HANG, Endpoint, completion, serving

from moviellm import errors
from moviellm.llm.openai_chat import OpenAIChat
from moviellm.llm.reply import Bill, NothingUsable, Unusable

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
    quick = {"patience_seconds": 1.0, "backoff_seconds": 0.001}
    return OpenAIChat(**({"base_url": endpoint.url, "model": "tiny", "api_key": KEY} | quick | options))


def word(reply):
    if not isinstance(reply.get("word"), str):
        raise Unusable('"word" must be a text')
    return reply["word"]


async def asked(chat, seed=7, **options):
    return await chat.ask(SCHEMA, "Say a word.", "Now.", word, seed=seed, **options)


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
        ((200, completion("I will not help", refusal="I will not")), "I will not help", "it is a refusal"),
        ((200, completion('{"word', "content_filter")), '{"word', "it is a refusal"),
        ((200, completion('{"word', "length")), '{"word', "it was cut off"),
        ('{"word": "{word}"}', '{"word": "{word}"}', "holds a placeholder"),
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
    assert second["messages"][1] == first["messages"][1]
    assert last_words(second)[0] == quoted
    assert why in last_words(second)[1]


async def test_attempts_are_bounded_and_all_of_them_counted():
    with serving(Endpoint(["no", "no", GOOD])) as endpoint:
        reply = await asked(chat_of(endpoint))
        assert (reply.prompt_tokens, reply.completion_tokens) == (30, 15)
    bill = Bill(prompt_tokens=1)
    with serving(Endpoint(["no"])) as endpoint, pytest.raises(NothingUsable, match="not one JSON") as caught:
        await asked(chat_of(endpoint, attempts=2), bill=bill)
    assert isinstance(caught.value, errors.Unavailable)
    assert caught.value.reason == "LLM_INVALID_REPLY"
    assert caught.value.why == "it is not one JSON object"
    assert caught.value.bill == Bill(20, 10, 2)
    assert bill == Bill(21, 10, 2)
    assert len(endpoint.requests) == 2
    with serving(Endpoint(["no"])) as endpoint, pytest.raises(NothingUsable):
        await asked(chat_of(endpoint), attempts=1)
    assert len(endpoint.requests) == 1


async def test_a_conversation_of_many_attempts_does_not_grow():
    with serving(Endpoint(["first", "second", GOOD])) as endpoint:
        await asked(chat_of(endpoint))
    first, second, third = (request["messages"] for request in endpoint.requests)
    assert [len(messages) for messages in (first, second, third)] == [2, 4, 4]
    assert third[1] == first[1]
    assert third[2]["content"] == "second"


async def test_a_model_without_room_for_its_last_reply_is_asked_anew_without_it():
    def small(request):
        if len(request["messages"]) > 2:
            return 400, {"error": {"message": "This model's maximum context length is 64 tokens."}}
        return "no" if len(endpoint.requests) == 1 else GOOD

    with serving(Endpoint([small])) as endpoint:
        assert (await asked(chat_of(endpoint))).value == "yes"
    assert [len(request["messages"]) for request in endpoint.requests] == [2, 4, 2]


async def test_options_are_sent_where_they_are_asked_for():
    with serving(Endpoint([GOOD])) as endpoint:
        await asked(chat_of(endpoint, max_tokens=300))
        await asked(chat_of(endpoint, max_tokens=300), max_tokens=40, temperature=0.5)
    plain, rich = endpoint.requests
    assert (plain["max_tokens"], rich["max_tokens"], rich["temperature"]) == (300, 40, 0.5)
    assert "temperature" not in plain
    assert "max_completion_tokens" not in rich


async def test_plain_words_do_where_the_asker_says_so():
    with serving(Endpoint(["Lighthouse."])) as endpoint:
        assert (await asked(chat_of(endpoint), words="word")).value == "Lighthouse."
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "reason", "retry_after"),
    [
        (401, {"error": {"message": KEY}}, {}, errors.Denied, "LLM_UNAUTHORIZED", None),
        (403, {"error": {"message": KEY}}, {}, errors.Denied, "LLM_UNAUTHORIZED", None),
        (400, {"error": {"message": f"API key not valid: {KEY}"}}, {}, errors.Denied, "LLM_UNAUTHORIZED", None),
        (404, {"error": {"message": KEY}}, {}, errors.Unsatisfied, "LLM_MODEL_UNKNOWN", None),
        (
            400,
            {"error": {"message": KEY, "code": "model_not_found"}},
            {},
            errors.Unsatisfied,
            "LLM_MODEL_UNKNOWN",
            None,
        ),
        (400, {"error": "model 'tiny' does not exist"}, {}, errors.Unsatisfied, "LLM_MODEL_UNKNOWN", None),
        (400, {"error": {"message": f"too long {KEY}"}}, {}, errors.Unsatisfied, "LLM_PROMPT_TOO_LONG", None),
        (413, {}, {}, errors.Unsatisfied, "LLM_PROMPT_TOO_LONG", None),
        (402, {"error": {"message": f"pay {KEY}"}}, {}, errors.Unsatisfied, "LLM_CREDIT_SPENT", None),
        (429, {"error": {"code": "insufficient_quota"}}, {}, errors.Unsatisfied, "LLM_CREDIT_SPENT", None),
        (429, {}, {"retry-after": "7"}, errors.Exhausted, "LLM_RATE_LIMITED", 7.0),
        (429, {}, {"retry-after": "inf"}, errors.Exhausted, "LLM_RATE_LIMITED", 86400.0),
        (429, {}, {"retry-after": "Wed, 21 Oct 2099 07:28:00 GMT"}, errors.Exhausted, "LLM_RATE_LIMITED", 86400.0),
        (503, b"<html>", {"retry-after": "2"}, errors.Unavailable, "LLM_UNREACHABLE", 2.0),
    ],
)
async def test_what_asking_again_does_not_help_fails_at_once_and_never_names_the_key(
    status, body, headers, kind, reason, retry_after
):
    with serving(Endpoint([(status, body, headers)])) as endpoint, pytest.raises(kind) as caught:
        await asked(chat_of(endpoint))
    assert caught.value.reason == reason
    assert getattr(caught.value, "retry_after", None) == retry_after
    assert endpoint.url in caught.value.message
    assert KEY not in caught.value.message
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "reason", "calls"),
    [
        ((429, {}), errors.Exhausted, "LLM_RATE_LIMITED", 7),
        ((429, {}, {"retry-after": "0.01"}), errors.Exhausted, "LLM_RATE_LIMITED", 7),
        ((429, {}, {"retry-after": "nonsense"}), errors.Exhausted, "LLM_RATE_LIMITED", 7),
        ((408, {}), errors.Unavailable, "LLM_UNREACHABLE", 4),
        ((500, {"error": {"message": KEY}}), errors.Unavailable, "LLM_UNREACHABLE", 4),
        ((502, b"<html>"), errors.Unavailable, "LLM_UNREACHABLE", 4),
        ((503, b"<html>", {"retry-after": "0"}), errors.Unavailable, "LLM_UNREACHABLE", 4),
        (CUT, errors.Unavailable, "LLM_UNREACHABLE", 4),
        (HANG, errors.Unavailable, "LLM_UNREACHABLE", 2),
        ((400, {"error": {"message": KEY}}), errors.Unsatisfied, "LLM_REQUEST_REFUSED", 5),
    ],
)
async def test_what_may_pass_is_borne_a_few_times_and_then_said(answer, kind, reason, calls):
    timeout = {"timeout_seconds": 1.0} if answer is HANG else {}
    with serving(Endpoint([answer])) as endpoint, pytest.raises(kind) as caught:
        await asked(chat_of(endpoint, **timeout))
    assert caught.value.reason == reason
    assert endpoint.url in caught.value.message
    assert KEY not in caught.value.message
    assert len(endpoint.requests) == calls


async def test_nobody_there_is_said_at_once_and_the_endpoint_is_named_without_its_password():
    chat = OpenAIChat(base_url="http://user:pass@127.0.0.1:1/v1?token=t", model="tiny", backoff_seconds=1000)
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
    with serving(Endpoint([(503, {})], models=models)) as endpoint:
        chat = chat_of(endpoint)
        if kind is None:
            await chat.check()
        else:
            with pytest.raises(kind):
                await chat.check()


async def test_a_server_that_crashes_over_its_list_of_models_alone_is_healthy():
    with serving(Endpoint(["y"], models=(500, {}))) as endpoint:
        chat = chat_of(endpoint)
        for _ in range(3):
            await chat.check()
        assert len(endpoint.requests) == 1
    with serving(Endpoint([GOOD], models=(500, {}))) as endpoint:
        chat = chat_of(endpoint)
        await asked(chat)
        await chat.check()
        assert len(endpoint.requests) == 1
    with serving(Endpoint([(500, {})], models=(500, {}))) as endpoint, pytest.raises(errors.Unavailable):
        await chat_of(endpoint).check()

"""What of the protocol an endpoint takes is found out by asking it, over real HTTP, and remembered."""

import threading

import pytest
from openai_endpoint import CUT, Endpoint, Refusing, serving

from moviellm import errors
from moviellm.llm.openai_chat import OpenAIChat

SCHEMA = {"title": "word", "type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
OTHER = SCHEMA | {"title": "other"}
GOOD = {"word": "yes"}

RICH = ("json_schema", True)
BY_SCHEMA = ("json_object with schema", True)
JSON = ("json_object", True)
WORDS = (None, True)


def chat_of(endpoint, **options):
    return OpenAIChat(base_url=endpoint.url, model="tiny", backoff_seconds=0.001, **options)


async def asked(chat, schema=SCHEMA, **options):
    return (await chat.ask(schema, "Say a word.", "Now.", lambda reply: reply["word"], seed=7, **options)).value


def form_of(request):
    form = request.get("response_format", {})
    return (f"{form['type']} with schema" if "schema" in form else form.get("type")), "seed" in request


def has_form(request):
    return "response_format" in request


def has_strict_schema(request):
    return form_of(request)[0] == "json_schema"


def has_any_schema(request):
    return "schema" in (form_of(request)[0] or "")


def has_seed(request):
    return "seed" in request


async def forms_of_three_questions(refuses, status, said):
    with serving(
        Endpoint([Refusing(GOOD, lambda request: not refuses(request), status=status, said=said)])
    ) as endpoint:
        chat, forms = chat_of(endpoint), []
        for _ in range(3):
            before = len(endpoint.requests)
            assert await asked(chat) == "yes"
            forms.append([form_of(request) for request in endpoint.requests[before:]])
    assert ("The JSON object must follow" in endpoint.requests[-1]["messages"][0]["content"]) is (
        forms[-1][-1][0] != "json_schema"
    )
    return forms


@pytest.mark.parametrize(
    ("status", "said"),
    [(400, b""), (400, {"error": {"message": "Nope."}}), (415, b"<html>Bad Request</html>"), (422, {"detail": []})],
)
async def test_refused_forms_are_given_up_one_by_one_whatever_the_words(status, said):
    assert await forms_of_three_questions(has_strict_schema, status, said) == [
        [RICH, BY_SCHEMA],
        [BY_SCHEMA],
        [BY_SCHEMA],
    ]
    assert await forms_of_three_questions(has_any_schema, status, said) == [[RICH, BY_SCHEMA, JSON], [JSON], [JSON]]
    assert await forms_of_three_questions(has_form, status, said) == [[RICH, BY_SCHEMA, JSON, WORDS], [WORDS], [WORDS]]


@pytest.mark.parametrize(
    ("refuses", "status", "said", "first"),
    [
        (has_form, 400, {"error": {"message": "response_format is not supported"}}, [RICH, WORDS]),
        (has_form, 400, {"error": "'response_format.type' must be 'text'"}, [RICH, BY_SCHEMA, JSON, WORDS]),
        (
            has_strict_schema,
            422,
            {"detail": [{"loc": ["body", "response_format", "type"], "msg": "Input should be 'json_object'"}]},
            [RICH, BY_SCHEMA],
        ),
        (
            has_form,
            500,
            {"error": {"message": "body -> response_format -> type: unexpected value"}},
            [RICH, BY_SCHEMA, JSON, WORDS],
        ),
        (has_seed, 400, {"error": {"message": 'Unknown name "seed"'}}, [RICH, ("json_schema", False)]),
        (has_seed, 500, {"error": {"message": "seed: extra fields not permitted"}}, [RICH, ("json_schema", False)]),
    ],
)
async def test_words_only_shorten_the_way(refuses, status, said, first):
    assert await forms_of_three_questions(refuses, status, said) == [first, first[-1:], first[-1:]]


@pytest.mark.parametrize(("status", "said"), [(500, b""), (500, {"error": "Internal Server Error"}), CUT[:2]])
async def test_a_crash_over_options_is_told_from_a_server_that_is_down(status, said):
    """The richer fails twice and the plainest works, so it is the form; later questions try what lies between."""
    answer = CUT if (status, said) == CUT[:2] else (status, said)
    with serving(Endpoint([lambda request: answer if has_form(request) else GOOD])) as endpoint:
        chat, forms = chat_of(endpoint), []
        for _ in range(4):
            before = len(endpoint.requests)
            assert await asked(chat) == "yes"
            forms.append([form_of(request) for request in endpoint.requests[before:]])
    assert forms == [[RICH, RICH, WORDS], [BY_SCHEMA, WORDS], [JSON, WORDS], [WORDS]]


async def test_a_server_that_is_down_teaches_nothing():
    down = threading.Event()
    down.set()
    with serving(Endpoint([lambda _: (500, {"error": "out of memory"}) if down.is_set() else GOOD])) as endpoint:
        chat = chat_of(endpoint)
        with pytest.raises(errors.Unavailable) as caught:
            await asked(chat)
        assert caught.value.reason == "LLM_UNREACHABLE"
        assert [form_of(request) for request in endpoint.requests] == [RICH, RICH, WORDS, (None, False)]
        down.clear()
        await asked(chat)
    assert form_of(endpoint.requests[-1]) == RICH


async def test_crashes_of_a_server_that_took_the_form_before_are_only_crashes():
    with serving(Endpoint([GOOD, (500, {}), (500, {}), GOOD, CUT, CUT, GOOD])) as endpoint:
        chat = chat_of(endpoint)
        for schema in (SCHEMA, SCHEMA, OTHER):
            assert await asked(chat, schema) == "yes"
    assert {form_of(request) for request in endpoint.requests} == {RICH}


async def test_a_refusal_of_everything_is_a_refusal_and_not_remembered():
    broken = threading.Event()
    broken.set()
    refusal = (400, {"error": {"message": "unsupported"}})
    with serving(Endpoint([lambda _: refusal if broken.is_set() else GOOD])) as endpoint:
        chat = chat_of(endpoint)
        with pytest.raises(errors.Unsatisfied, match="unsupported") as caught:
            await asked(chat)
        assert caught.value.reason == "LLM_REQUEST_REFUSED"
        assert len(endpoint.requests) == 5
        broken.clear()
        await asked(chat)
    assert form_of(endpoint.requests[-1]) == RICH


async def test_several_refused_options_are_told_apart_within_a_few_questions():
    def refuses(request):
        return has_any_schema(request) or "temperature" in request or "max_tokens" in request

    with serving(Endpoint([Refusing(GOOD, lambda request: not refuses(request))])) as endpoint:
        chat, calls = chat_of(endpoint), []
        for _ in range(6):
            before = len(endpoint.requests)
            assert await asked(chat, temperature=0.5, max_tokens=50) == "yes"
            calls.append(len(endpoint.requests) - before)
    assert calls[-2:] == [1, 1]
    assert sum(calls) <= 20
    last = endpoint.requests[-1]
    assert form_of(last) == JSON
    assert last["max_completion_tokens"] == 50
    assert not {"temperature", "max_tokens"} & last.keys()


async def test_a_schema_that_is_refused_while_others_are_taken_is_given_up_alone():
    def takes(request):
        return request.get("response_format", {}).get("json_schema", {}).get("name") != "other"

    with serving(Endpoint([Refusing(GOOD, takes)])) as endpoint:
        chat = chat_of(endpoint)
        for schema in (SCHEMA, OTHER, OTHER, SCHEMA):
            assert await asked(chat, schema) == "yes"
    assert [form_of(request) for request in endpoint.requests] == [RICH, RICH, BY_SCHEMA, BY_SCHEMA, RICH]


def is_spelled(request):
    return "must follow this JSON schema" in request["messages"][0]["content"]


async def test_an_endpoint_that_takes_a_schema_and_ignores_it_is_told_in_words():
    with serving(Endpoint([lambda request: GOOD if is_spelled(request) else "Yes, of course: yes!"])) as endpoint:
        chat, calls = chat_of(endpoint), []
        for _ in range(4):
            before = len(endpoint.requests)
            assert await asked(chat) == "yes"
            calls.append(len(endpoint.requests) - before)
    assert calls == [2, 2, 1, 1]


async def test_a_broken_reply_now_and_then_does_not_have_the_schema_sent_twice():
    with serving(Endpoint(["no", GOOD, GOOD, GOOD, "no", GOOD])) as endpoint:
        chat = chat_of(endpoint)
        for _ in range(5):
            assert await asked(chat) == "yes"
    assert [is_spelled(request) for request in endpoint.requests] == [False, True, False, False, False, True, False]


async def test_plain_words_are_asked_for_without_a_schema_where_the_endpoint_takes_none():
    with serving(Endpoint([lambda request: (400, b"") if has_form(request) else GOOD])) as endpoint:
        chat = chat_of(endpoint)
        await asked(chat)
        endpoint.answers = ["Lighthouse."]
        assert await asked(chat, words="word") == "Lighthouse."
    last = endpoint.requests[-1]
    assert not is_spelled(last)
    assert not has_form(last)


async def test_an_option_that_comes_later_is_found_out_later():
    with serving(Endpoint([lambda request: (400, b"") if "temperature" in request else GOOD])) as endpoint:
        chat = chat_of(endpoint)
        for _ in range(2):
            assert await asked(chat) == "yes"
        for _ in range(3):
            assert await asked(chat, temperature=0.5) == "yes"
    assert "temperature" not in endpoint.requests[-1]
    assert form_of(endpoint.requests[-1]) == RICH

"""Against a server that misbehaves in every way it can, over real HTTP: answers come, and at a bounded price."""

import asyncio
import time
from email.utils import formatdate

import pytest
from openai_endpoint import MISCHIEF, Endpoint, Mischief, serving

from moviellm import errors
from moviellm.llm.openai_chat import OpenAIChat
from moviellm.llm.reply import Unusable

SCHEMA = {
    "title": "story",
    "type": "object",
    "properties": {"title": {"type": "string"}, "frames": {"type": "array", "items": {"type": "string"}}},
    "required": ["title", "frames"],
    "additionalProperties": False,
}
GOOD = {"title": "A Night", "frames": [f"Mara stands at window {number}." for number in range(6)]}


def story(reply):
    if reply.get("title") != "A Night" or len(reply.get("frames") or ()) != 6:
        raise Unusable("a title and 6 frames are needed")
    return reply


def chat_of(endpoint, **options):
    quick = {"timeout_seconds": 3.0, "backoff_seconds": 0.001, "patience_seconds": 1.0}
    return OpenAIChat(**({"base_url": endpoint.url, "model": "tiny"} | quick | options))


async def asked(chat, seed):
    return await chat.ask(SCHEMA, "Write.", "A night.", story, seed=seed)


@pytest.mark.parametrize("kind", MISCHIEF)
async def test_each_misdeed_costs_at_most_one_call(kind):
    spoilt = Mischief(GOOD).spoilt
    text = '{"title": "A Night", "frames": ' + str(GOOD["frames"]).replace("'", '"') + "}"
    with serving(Endpoint([spoilt("good", text), spoilt(kind, text), spoilt("good", text)])) as endpoint:
        chat = chat_of(endpoint, timeout_seconds=1.0)
        assert (await asked(chat, 1)).value == GOOD
        assert (await asked(chat, 2)).value == GOOD
    assert len(endpoint.requests) == (2 if kind == "fenced" else 3)


async def test_a_third_of_misdeeds_costs_less_than_twice_the_calls():
    questions, tries = 60, 3
    mischief = Mischief(GOOD, share=0.3, seed=4, kinds=[kind for kind in MISCHIEF if kind != "hang"])

    async def insisted(chat, seed):
        for _ in range(tries):
            try:
                return await asked(chat, seed)
            except errors.Temporary:
                continue
        raise AssertionError("no story")

    with serving(Endpoint([mischief])) as endpoint:
        chat = chat_of(endpoint, timeout_seconds=30.0)
        replies = await asyncio.gather(*(insisted(chat, seed) for seed in range(questions)))
    assert all(reply.value == GOOD for reply in replies)
    assert set(mischief.done) == {"good", *MISCHIEF} - {"hang"}
    assert questions < len(endpoint.requests) <= 2 * questions
    assert len(endpoint.requests) == mischief.done.total()


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_wrong_key_or_model_fails_at_once_for_all(status):
    with serving(Endpoint([(status, {"error": {"message": "no"}})])) as endpoint:
        chat = chat_of(endpoint)
        ended = await asyncio.gather(*(asked(chat, seed) for seed in range(4)), return_exceptions=True)
    assert {type(error) for error in ended} == {errors.Unsatisfied if status == 404 else errors.Denied}
    assert len(endpoint.requests) == 4


async def test_who_is_told_to_wait_has_all_others_wait_too():
    """One call hears of the limit; the clock shows that none of the others is sent before it may."""
    now = [0.0]
    sent = []

    async def sleep(seconds):
        now[0] += seconds
        await asyncio.sleep(0)

    def answer(request):
        sent.append(now[0])
        return (429, {}, {"retry-after": "12"}) if len(sent) == 1 else GOOD

    with serving(Endpoint([answer])) as endpoint:
        chat = chat_of(
            endpoint, patience_seconds=20.0, max_concurrency=1, clock=lambda: now[0], sleep=sleep, jitter=lambda: 0.0
        )
        replies = await asyncio.gather(*(asked(chat, seed) for seed in range(3)))
    assert [reply.value for reply in replies] == [GOOD] * 3
    assert sent[0] == 0
    assert len(sent) == 4
    assert min(sent[1:]) >= 12


async def test_a_wait_beyond_patience_stops_all_calls_without_asking():
    now = [0.0]

    async def sleep(seconds):
        raise AssertionError("nobody waits here")

    with serving(Endpoint([(429, {}, {"retry-after": "60"})])) as endpoint:
        chat = chat_of(endpoint, patience_seconds=20.0, clock=lambda: now[0], sleep=sleep)
        with pytest.raises(errors.Exhausted) as first:
            await asked(chat, 1)
        now[0] = 25.0
        with pytest.raises(errors.Exhausted) as second:
            await asked(chat, 2)
        assert (first.value.retry_after, second.value.retry_after) == (60.0, 35.0)
        assert second.value.reason == "LLM_RATE_LIMITED"
        assert len(endpoint.requests) == 1
        endpoint.answers = [GOOD]
        now[0] = 60.0
        assert (await asked(chat, 3)).value == GOOD


async def test_a_wait_until_a_date_is_as_long_as_the_date_is_away():
    in_a_minute = formatdate(time.time() + 60, usegmt=True)
    with (
        serving(Endpoint([(429, {}, {"retry-after": in_a_minute})])) as endpoint,
        pytest.raises(errors.Exhausted) as it,
    ):
        await asked(chat_of(endpoint), 1)
    assert 30 < it.value.retry_after <= 60


async def test_limits_a_minute_hold_for_all_calls_of_the_process():
    now = [0.0]
    sent = []

    async def sleep(seconds):
        now[0] += seconds
        await asyncio.sleep(0)

    def answer(request):
        sent.append(now[0])
        return GOOD

    with serving(Endpoint([answer], usage=(100, 900))) as endpoint:
        for limits in ({"requests_per_minute": 2}, {"tokens_per_minute": 2500}):
            now[0] = 0.0
            sent.clear()
            chat = chat_of(endpoint, max_concurrency=1, clock=lambda: now[0], sleep=sleep, **limits)
            await asyncio.gather(*(asked(chat, seed) for seed in range(5)))
            assert sent == [0, 0, 60, 60, 120]


async def test_tokens_are_guessed_where_the_endpoint_does_not_count_and_corrected_where_it_does():
    with serving(Endpoint([GOOD], usage=None)) as endpoint:
        chat = chat_of(endpoint)
        expected = chat.messages_tokens(SCHEMA, "Write.", "A night.")
        reply = await asked(chat, 1)
    assert reply.prompt_tokens == expected > 50
    assert 40 < reply.completion_tokens < 90
    with serving(Endpoint([GOOD], usage=(2 * expected, 100))) as endpoint:
        chat = chat_of(endpoint)
        for seed in range(30):
            await asked(chat, seed)
        assert chat.messages_tokens(SCHEMA, "Write.", "A night.") == pytest.approx(2 * expected, rel=0.05)
        assert chat.text_tokens("a word " * 50) > 100


async def test_a_manner_in_words_costs_the_tokens_of_its_words():
    with serving(Endpoint([lambda request: (400, b"") if "response_format" in request else GOOD])) as endpoint:
        chat = chat_of(endpoint)
        before = chat.messages_tokens(SCHEMA, "Write.", "A night.")
        await asked(chat, 1)
    assert chat.messages_tokens(SCHEMA, "Write.", "A night.") != before

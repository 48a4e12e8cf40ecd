"""Accepted replies are paid for once; a cache that fails costs nothing but itself."""

import asyncio
import json

import pytest
from openai_endpoint import Endpoint, serving

from moviellm.artifacts import ArtifactStore
from moviellm.llm.cache import Remembered, StoreReplies
from moviellm.llm.openai_chat import OpenAIChat
from moviellm.llm.reply import NothingUsable, Unusable
from moviellm.settings import StoreSettings

SCHEMA = {"title": "word", "type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
GOOD = {"word": "yes"}


@pytest.fixture
def store(tmp_path):
    return ArtifactStore.open(StoreSettings(url=f"file://{tmp_path}/store"))


@pytest.fixture
def endpoint():
    with serving(Endpoint([GOOD])) as endpoint:
        yield endpoint


def word(reply):
    if not isinstance(reply.get("word"), str):
        raise Unusable('"word" must be a text')
    return reply["word"]


def chat_of(endpoint, cache, model="tiny"):
    return OpenAIChat(base_url=endpoint.url, model=model, api_key="sk-very-secret", cache=cache)


async def asked(chat, *, system="Say a word.", user="Now.", schema=SCHEMA, seed=7, read=word):
    return await chat.ask(schema, system, user, read, seed=seed)


async def kept_in(store):
    return [entry.key async for entry in store.list("replies")]


async def test_the_same_question_is_paid_for_once_even_by_another_process(endpoint, store):
    first = await asked(chat_of(endpoint, StoreReplies(store)))
    again = await asked(chat_of(endpoint, StoreReplies(store)))
    assert (first.value, first.cached, first.prompt_tokens) == ("yes", False, 10)
    assert (again.value, again.cached, again.prompt_tokens, again.completion_tokens) == ("yes", True, 0, 0)
    assert len(endpoint.requests) == 1
    [key] = await kept_in(store)
    assert json.loads(await store.get(key)) == GOOD


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 8},
        {"user": "Later."},
        {"system": "Say a long word."},
        {"schema": SCHEMA | {"additionalProperties": False}},
    ],
)
async def test_another_question_is_another_reply(endpoint, store, other):
    chat = chat_of(endpoint, StoreReplies(store))
    await asked(chat)
    assert not (await asked(chat, **other)).cached
    assert len(endpoint.requests) == 2


async def test_another_model_is_another_reply(endpoint, store):
    await asked(chat_of(endpoint, StoreReplies(store)))
    assert not (await asked(chat_of(endpoint, StoreReplies(store), model="large"))).cached


async def test_only_what_was_accepted_is_kept_as_it_was_read(store):
    with serving(Endpoint(["no", '{"word": 1}', "{'word': 'yes',}"])) as endpoint:
        await asked(chat_of(endpoint, StoreReplies(store)))
    [key] = await kept_in(store)
    assert json.loads(await store.get(key)) == GOOD


async def test_nothing_usable_leaves_nothing(store):
    with serving(Endpoint(["no"])) as endpoint, pytest.raises(NothingUsable):
        await asked(chat_of(endpoint, StoreReplies(store)))
    assert await kept_in(store) == []


async def test_a_kept_reply_that_does_not_do_any_more_is_asked_anew_and_replaced(endpoint, store):
    def stricter(reply):
        if reply["word"] == "yes":
            raise Unusable("say no")
        return reply["word"]

    chat = chat_of(endpoint, StoreReplies(store))
    await asked(chat)
    endpoint.answers = [{"word": "no"}]
    assert not (await asked(chat, read=stricter)).cached
    assert (await asked(chat, read=stricter)).cached


async def test_a_damaged_reply_is_asked_anew(endpoint, store):
    chat = chat_of(endpoint, StoreReplies(store))
    await asked(chat)
    [key] = await kept_in(store)
    for damaged in (b"{", b"\xff", b"[1]", b""):
        await store.replace(key, damaged)
        assert (await asked(chat)).value == "yes"
        assert (await asked(chat)).cached


class Failing:
    async def find(self, key):
        raise RuntimeError("the disk is full of sk-very-secret")

    async def put(self, key, text):
        raise OSError("the disk is full of sk-very-secret")


async def test_a_cache_that_fails_never_fails_a_call(endpoint, capsys):
    chat = chat_of(endpoint, Failing())
    for _ in range(2):
        assert (await asked(chat)).value == "yes"
    shown = capsys.readouterr()
    assert (shown.out + shown.err).count("the cache of replies fails") == 1
    assert "sk-very-secret" not in shown.out + shown.err


async def test_a_cache_that_hangs_is_not_waited_for():
    class Hanging(Failing):
        async def find(self, key):
            await asyncio.sleep(3600)

    assert await Remembered(Hanging(), patience_seconds=0.01).find("key") is None

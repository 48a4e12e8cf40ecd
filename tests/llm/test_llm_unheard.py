"""An asker who leaves in the middle of a question: what is paid for is kept, and nobody pays for it again."""

import asyncio
import contextlib
import threading

from openai_endpoint import Endpoint, serving

from moviellm.llm.openai_chat import OpenAIChat

SCHEMA = {"title": "thing", "type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


class Shelf:
    """Replies in memory."""

    def __init__(self):
        self.kept = {}

    async def find(self, key):
        return self.kept.get(key)

    async def put(self, key, text):
        self.kept[key] = text


async def question(chat):
    return await chat.ask(SCHEMA, "be brief", "what is a?", lambda value: value["a"])


async def asked_and_left(cache):
    """How often the endpoint was asked when one asker left, and two others asked the same then and later."""
    asked, answer = threading.Event(), threading.Event()

    def model(request):
        asked.set()
        answer.wait(10)
        return {"a": 7}

    with serving(Endpoint([model])) as endpoint:
        chat = OpenAIChat(base_url=endpoint.url, model="m", cache=cache)
        leaving = asyncio.create_task(question(chat))
        await asyncio.to_thread(asked.wait, 10)
        leaving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await leaving
        staying = asyncio.create_task(question(chat))
        await asyncio.sleep(0.05)
        answer.set()
        assert (await staying).value == 7
        assert (await question(chat)).value == 7
        return len(endpoint.requests)


async def test_a_reply_that_is_paid_for_is_kept_though_nobody_waits_for_it():
    assert await asked_and_left(Shelf()) == 1


async def test_without_a_place_to_keep_it_a_question_ends_with_its_asker():
    assert await asked_and_left(None) == 3

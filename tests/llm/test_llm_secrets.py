"""No key and no password gets into a message, a log line or a kept reply, wherever it came from."""

import logging
import traceback

import pytest
import structlog
from openai_endpoint import CUT, Endpoint, serving

from moviellm import errors
from moviellm.llm.openai_chat import OpenAIChat

KEY = "sk-very-secret"
PASSWORD = "pass-word-1"
QUERY = "query-key-1"
SECRETS = (KEY, PASSWORD, QUERY)
SCHEMA = {"title": "word", "type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}


def leaking(request):
    """What a careless server says: all it was sent."""
    return f"{KEY} {PASSWORD} {QUERY} in http://user:{PASSWORD}@host/v1?api_key={QUERY}"


@pytest.mark.parametrize(
    "answer",
    [
        *((status, {"error": {"message": leaking(None)}}) for status in (400, 401, 402, 404, 422, 429, 500, 503)),
        (400, leaking(None).encode()),
        CUT,
        "no",
        {"word": leaking(None) + "{word}"},
    ],
)
async def test_no_secret_is_in_a_message_or_a_log(answer, capsys, caplog):
    caplog.set_level(logging.WARNING)
    with serving(Endpoint([answer])) as endpoint, structlog.testing.capture_logs() as lines:
        address = endpoint.url.replace("http://", f"http://user:{PASSWORD}@") + f"?api_key={QUERY}"
        chat = OpenAIChat(base_url=address, model="tiny", api_key=KEY, patience_seconds=0, backoff_seconds=0.001)
        with pytest.raises(errors.MovieLLMError) as caught:
            await chat.ask(SCHEMA, "Say.", "Now.", lambda reply: reply["word"])
    shown = capsys.readouterr()
    told = "".join(traceback.format_exception(caught.value))
    said = f"{caught.value.message} {told} {lines} {caplog.text} {shown.out} {shown.err} {chat!r}"
    assert not [secret for secret in SECRETS if secret in said]


async def test_a_key_in_the_address_reaches_the_endpoint():
    paths = []
    with serving(Endpoint([{"word": "yes"}], paths=paths)) as endpoint:
        chat = OpenAIChat(base_url=f"{endpoint.url}?api_key={QUERY}", model="tiny")
        await chat.ask(SCHEMA, "Say.", "Now.", lambda reply: reply["word"])
        await chat.check()
    assert paths == [f"/v1/chat/completions?api_key={QUERY}", f"/v1/models?api_key={QUERY}"]


async def test_a_call_is_one_line_for_who_debugs():
    with serving(Endpoint([{"word": "yes"}])) as endpoint, structlog.testing.capture_logs() as lines:
        await OpenAIChat(base_url=endpoint.url, model="tiny").ask(SCHEMA, "Say.", "Now.", lambda reply: reply["word"])
    [line] = lines
    assert (line["log_level"], line["asked"], line["prompt_tokens"], line["completion_tokens"]) == (
        "debug",
        "word",
        10,
        5,
    )
    assert line["seconds"] >= 0

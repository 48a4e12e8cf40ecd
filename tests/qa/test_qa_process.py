"""The service as a process: settings that are wrong, health that tells the truth, SIGTERM."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys

import pytest
from openai_endpoint import Endpoint, serving

from moviellm import rpc
from moviellm.qa.settings import QaSettings
from moviellm.v1 import movie_pb2
from moviellm.v1 import question_service_pb2 as pb
from moviellm.v1 import question_service_pb2_grpc as pb_grpc
from moviellm.wire import to_message


def environment(**settings):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MOVIELLM_", "OPENAI_"))}
    names = {f"MOVIELLM_QA_{name.upper()}": value for name, value in settings.items()}
    return clean | {"MOVIELLM_QA_LISTEN": "127.0.0.1:0", "MOVIELLM_QA_METRICS_LISTEN": "127.0.0.1:0"} | names


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"asker": "openai"}, "MOVIELLM_QA_LLM_MODEL: asker openai needs the name of a language model"),
        ({"asker": "magic"}, "MOVIELLM_QA_ASKER: Input should be 'facts' or 'openai'"),
        ({"llm_api_key_file": "/nowhere/key"}, "MOVIELLM_QA_LLM_API_KEY_FILE: must be a readable text file"),
        ({"llm_timeout_seconds": "0"}, "MOVIELLM_QA_LLM_TIMEOUT_SECONDS: Input should be greater than 0"),
        ({"llm_base_url": "example.org"}, "MOVIELLM_QA_LLM_BASE_URL: "),
        ({"questions_per_scene": "0"}, "MOVIELLM_QA_QUESTIONS_PER_SCENE: Input should be greater than or equal to 1"),
        ({"multiple_choice_share": "2"}, "MOVIELLM_QA_MULTIPLE_CHOICE_SHARE: Input should be less than or equal to 1"),
        ({"prompts_folder": "/nowhere"}, "MOVIELLM_QA_PROMPTS_FOLDER: must be a folder"),
    ],
)
def test_a_bad_setting_is_one_sentence(settings, sentence, monkeypatch, capsys):
    for name, value in environment(**settings).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        QaSettings.load()
    assert stopped.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith(sentence)
    assert shown.count("\n") == 1


def test_a_bad_setting_stops_the_start():
    ended = subprocess.run(
        [sys.executable, "-m", "moviellm.qa"], env=environment(asker="openai"), capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)


def test_the_key_comes_from_its_file_and_is_never_shown(tmp_path, monkeypatch):
    (tmp_path / "key").write_text("sk-from-file\n")
    monkeypatch.setenv("MOVIELLM_QA_LLM_API_KEY", "sk-from-variable")
    assert QaSettings.load().api_key() == "sk-from-variable"
    monkeypatch.setenv("MOVIELLM_QA_LLM_API_KEY_FILE", str(tmp_path / "key"))
    settings = QaSettings.load()
    assert settings.api_key() == "sk-from-file"
    assert "sk-from" not in repr(settings)


@pytest.fixture
def endpoint():
    with serving(Endpoint(key="right")) as endpoint:
        yield endpoint.url


async def start(**settings):
    """The process, its port and its first word about health, from its log."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "moviellm.qa", env=environment(**settings), stderr=asyncio.subprocess.PIPE
    )
    port, health = 0, None
    while not (port and health):
        line = (await asyncio.wait_for(process.stderr.readline(), 60)).decode()
        assert line, "the service ended"
        event = json.loads(line)
        port = event.get("port", port)
        if re.match("(not )?serving", event["event"]):
            health = event
    return process, port, health


async def test_the_embedded_asker_serves_and_drains_on_sigterm():
    process, port, health = await start()
    assert health["event"] == "serving"
    async with rpc.channel(f"127.0.0.1:{port}") as peer:
        assert await rpc.is_serving(peer, within=10)
    process.send_signal(signal.SIGTERM)
    await process.stderr.read()
    assert await process.wait() == 0


@pytest.mark.parametrize(("key", "serving", "why"), [("right", True, None), ("wrong-key", False, "refuses the key")])
async def test_health_of_the_language_model_decides_about_ours(endpoint, key, serving, why, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    process, port, health = await start(asker="openai", llm_model="m", llm_base_url=endpoint, llm_api_key=key)
    assert health["event"] == ("serving" if serving else "not serving")
    assert (why or "") in health.get("why", "")
    assert key not in json.dumps(health)
    async with rpc.channel(f"127.0.0.1:{port}") as peer:
        assert await rpc.is_serving(peer, within=10) is serving
    process.send_signal(signal.SIGTERM)
    await process.stderr.read()
    assert await process.wait() == 0


async def test_a_reply_is_paid_once_and_kept_in_the_store(tmp_path, monkeypatch, outline, shape):
    unknown = {"answers": [{"number": 1, "answer": "unknown"}]}
    question = {"category": "why", "question": "Why does Mara go?", "answer": "Her friend is lost."}
    replies = ({"questions": [question]}, {"answers": [{"number": 1, "answer": "Her friend is lost."}]}, unknown)
    monkeypatch.chdir(tmp_path)
    with serving(Endpoint([*replies, "nothing more"], usage=(100, 10))) as endpoint:
        process, port, _ = await start(asker="openai", llm_model="m", llm_base_url=endpoint.url)
        request = pb.AskMovieRequest(
            outline=to_message(outline, movie_pb2.Outline), shape=to_message(shape, movie_pb2.Shape)
        )
        async with rpc.channel(f"127.0.0.1:{port}") as peer:
            stub = pb_grpc.QuestionServiceStub(peer)
            first = await rpc.call("qa", stub.AskMovie(request))
            again = await rpc.call("qa", stub.AskMovie(request))
        process.send_signal(signal.SIGTERM)
        await process.stderr.read()
        await process.wait()
    assert [question.answer for question in first.questions] == ["Her friend is lost."]
    assert again.questions == first.questions
    assert (first.work.prompt_tokens, again.work.prompt_tokens) == (300, 0)
    assert len(endpoint.requests) == 3

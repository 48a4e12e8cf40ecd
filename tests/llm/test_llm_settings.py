"""The shared settings name what is wrong in one sentence, and never show a key."""

from typing import ClassVar

import pytest
from openai_endpoint import Endpoint, serving
from pydantic_settings import SettingsConfigDict

from moviellm.artifacts import ArtifactStore
from moviellm.llm.cache import StoreReplies
from moviellm.llm.openai_chat import OpenAIChat
from moviellm.llm.settings import LlmSettings
from moviellm.settings import ServiceSettings, StoreSettings


class RoomSettings(LlmSettings, ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="ROOM_")
    llm_choice: ClassVar[str] = "speaker"
    speaker: str = "nobody"


def loaded(monkeypatch, **variables):
    for name, value in variables.items():
        monkeypatch.setenv(f"ROOM_{name.upper()}", value)
    return RoomSettings.load()


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"speaker": "openai"}, "ROOM_LLM_MODEL: speaker openai needs the name of a language model"),
        ({"speaker": "openai", "llm_model": " "}, "ROOM_LLM_MODEL: speaker openai needs the name of a language model"),
        ({"llm_base_url": "http:///v1"}, "ROOM_LLM_BASE_URL: "),
        ({"llm_max_concurrency": "0"}, "ROOM_LLM_MAX_CONCURRENCY: "),
        ({"llm_requests_per_minute": "-1"}, "ROOM_LLM_REQUESTS_PER_MINUTE: "),
        ({"llm_tokens_per_minute": "many"}, "ROOM_LLM_TOKENS_PER_MINUTE: "),
        ({"llm_patience_seconds": "-1"}, "ROOM_LLM_PATIENCE_SECONDS: "),
        ({"llm_max_tokens": "-1"}, "ROOM_LLM_MAX_TOKENS: "),
        ({"llm_cache": "perhaps"}, "ROOM_LLM_CACHE: "),
        ({"llm_api_key": "sk-sécret"}, "ROOM_LLM_API_KEY: must be one line of printable ASCII"),
        ({"llm_api_key_file": "/nowhere/key"}, "ROOM_LLM_API_KEY_FILE: must be a readable text file"),
    ],
)
def test_a_bad_setting_is_one_sentence(variables, sentence, monkeypatch, capsys):
    with pytest.raises(SystemExit) as stopped:
        loaded(monkeypatch, **variables)
    assert stopped.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith(sentence)
    assert shown.count("\n") == 1
    assert "cret" not in shown


def test_a_key_file_with_two_keys_is_refused_without_being_shown(monkeypatch, capsys, tmp_path):
    (tmp_path / "key").write_text("sk-one\nsk-two\n")
    with pytest.raises(SystemExit):
        loaded(monkeypatch, llm_api_key_file=str(tmp_path / "key"))
    shown = capsys.readouterr().err
    assert shown.startswith("ROOM_LLM_API_KEY_FILE: must be one line")
    assert "sk-" not in shown


def test_the_key_is_trimmed_and_its_file_wins(monkeypatch, tmp_path):
    assert loaded(monkeypatch, llm_api_key=" sk-variable\n").api_key() == "sk-variable"
    (tmp_path / "key").write_text("sk-file\n")
    settings = loaded(monkeypatch, llm_api_key_file=str(tmp_path / "key"), llm_base_url="http://me:sk-url@host/v1")
    assert settings.api_key() == "sk-file"
    assert "sk-" not in repr(settings)


def test_whoever_chose_a_model_and_named_it_has_it(monkeypatch):
    assert loaded(monkeypatch, speaker="openai", llm_model=" tiny ").llm_model == "tiny"


@pytest.mark.parametrize(("kept", "calls"), [("true", 1), ("false", 2)])
async def test_a_chat_is_made_of_the_settings(monkeypatch, tmp_path, kept, calls):
    cache = StoreReplies(ArtifactStore.open(StoreSettings(url=f"file://{tmp_path}/store")))
    schema = {"title": "word", "type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
    with serving(Endpoint([{"word": "yes"}], key="sk-file")) as endpoint:
        (tmp_path / "key").write_text("sk-file\n")
        settings = loaded(
            monkeypatch,
            llm_base_url=endpoint.url,
            llm_model="tiny",
            llm_api_key="sk-other",
            llm_api_key_file=str(tmp_path / "key"),
            llm_max_tokens="70",
            llm_cache=kept,
        )
        chat = OpenAIChat.configured(settings, cache=cache)
        for _ in range(2):
            assert (await chat.ask(schema, "Say.", "Now.", lambda reply: reply["word"])).value == "yes"
    assert len(endpoint.requests) == calls
    assert (endpoint.requests[0]["model"], endpoint.requests[0]["max_tokens"]) == ("tiny", 70)

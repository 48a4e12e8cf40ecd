"""The shared settings name what is wrong in one sentence, and never show a key."""

from typing import ClassVar

import pytest
from pydantic_settings import SettingsConfigDict

from moviellm.llm.settings import LlmSettings
from moviellm.settings import ServiceSettings


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
    assert loaded(monkeypatch, llm_api_key_file=str(tmp_path / "key")).api_key() == "sk-file"


def test_whoever_chose_a_model_and_named_it_has_it(monkeypatch):
    assert loaded(monkeypatch, speaker="openai", llm_model=" tiny ").llm_model == "tiny"

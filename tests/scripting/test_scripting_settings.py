"""Settings fail at start with one sentence."""

import os
import subprocess
import sys

import pytest

from moviellm.scripting.settings import ScriptingSettings


def test_the_storyteller_needs_no_setting(monkeypatch):
    settings = ScriptingSettings.load()
    assert settings.writer == "storyteller"
    assert settings.listen == "127.0.0.1:8601"


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"WRITER": "openai"}, "MOVIELLM_SCRIPTING_LLM_MODEL"),
        ({"WRITER": "typewriter"}, "MOVIELLM_SCRIPTING_WRITER"),
        ({"LLM_API_KEY_FILE": "/no/such/file"}, "MOVIELLM_SCRIPTING_LLM_API_KEY_FILE"),
        ({"LLM_BASE_URL": "ftp://x"}, "MOVIELLM_SCRIPTING_LLM_BASE_URL"),
        ({"LLM_MAX_CONCURRENCY": "0"}, "MOVIELLM_SCRIPTING_LLM_MAX_CONCURRENCY"),
    ],
)
def test_a_bad_setting_is_named(variables, named, monkeypatch, capsys):
    for name, value in variables.items():
        monkeypatch.setenv(f"MOVIELLM_SCRIPTING_{name}", value)
    with pytest.raises(SystemExit) as caught:
        ScriptingSettings.load()
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith(named)
    assert len(capsys.readouterr().err.splitlines()) <= 1


def test_the_key_comes_from_a_file_and_is_never_shown(monkeypatch, tmp_path):
    key = tmp_path / "key"
    key.write_text("sk-from-file\n")
    monkeypatch.setenv("MOVIELLM_SCRIPTING_LLM_API_KEY_FILE", str(key))
    assert ScriptingSettings.load().api_key() == "sk-from-file"
    monkeypatch.setenv("MOVIELLM_SCRIPTING_LLM_API_KEY", "sk-direct")
    settings = ScriptingSettings.load()
    assert settings.api_key() == "sk-from-file"
    monkeypatch.delenv("MOVIELLM_SCRIPTING_LLM_API_KEY_FILE")
    settings = ScriptingSettings.load()
    assert settings.api_key() == "sk-direct"
    assert "sk-direct" not in repr(settings)


def test_a_tokenizer_that_is_none_ends_the_start_with_one_sentence(tmp_path):
    variables = {"MOVIELLM_SCRIPTING_TOKENIZER": str(tmp_path), "MOVIELLM_SCRIPTING_LISTEN": "127.0.0.1:0"}
    command = [sys.executable, "-m", "moviellm.scripting"]
    metrics = {"MOVIELLM_SCRIPTING_METRICS_LISTEN": "127.0.0.1:0"}
    done = subprocess.run(command, env=os.environ | variables | metrics, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("MOVIELLM_SCRIPTING_TOKENIZER: ")
    assert "tokenizer.json" in done.stderr

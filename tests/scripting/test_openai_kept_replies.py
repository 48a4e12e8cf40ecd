"""The service as it is built from settings: a script that was paid for is not paid again, with or without a store."""

import pytest
from openai_endpoint import Endpoint, serving
from storytelling_model import StorytellingModel, TinyModel

from moviellm.scripting.__main__ import build
from moviellm.scripting.settings import ScriptingSettings
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest


async def script(endpoint, monkeypatch):
    for name, value in {"WRITER": "openai", "LLM_MODEL": "tiny", "LLM_BASE_URL": endpoint.url}.items():
        monkeypatch.setenv(f"MOVIELLM_SCRIPTING_{name}", value)
    writer, _ = build(ScriptingSettings.load())
    outline = await writer.outline(OutlineRequest("a duchess and a commoner", 1, 7))
    chapter = await writer.chapter(ChapterRequest(outline.value, 1, 2, 8))
    scene = await writer.scene(SceneRequest(outline.value, chapter.value, 2, 4, 2, 9))
    return outline, chapter, scene


@pytest.mark.parametrize("model", [StorytellingModel, TinyModel])
async def test_the_same_script_costs_nothing_a_second_time(model, tmp_path, monkeypatch):
    monkeypatch.setenv("MOVIELLM_STORE_URL", f"file://{tmp_path}/store")
    with serving(Endpoint([model()])) as endpoint:
        first = await script(endpoint, monkeypatch)
        first_asked = list(endpoint.requests)
        second = await script(endpoint, monkeypatch)
        new = endpoint.requests[len(first_asked) :]
    assert [part.value for part in second] == [part.value for part in first]
    assert [part.mends for part in second] == [part.mends for part in first]
    assert sum(part.prompt_tokens for part in first) > 0
    if model is StorytellingModel:
        assert new == []
        assert sum(part.prompt_tokens + part.completion_tokens for part in second) == 0
    else:
        alone = [len([r for r in part if "Answer with" in r["messages"][0]["content"]]) for part in (first_asked, new)]
        assert alone[1] < alone[0] / 2


async def test_a_store_that_cannot_be_opened_costs_only_the_second_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MOVIELLM_STORE_URL", f"file://{tmp_path}/file/store")
    with serving(Endpoint([StorytellingModel()])) as endpoint:
        first = await script(endpoint, monkeypatch)
        second = await script(endpoint, monkeypatch)
    assert [part.value for part in second] == [part.value for part in first]
    assert len(endpoint.requests) == 6

"""The dataset card: a header that the Hub takes, figures that are true, snippets that load what they say."""

import asyncio
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml
from export_fixtures import spec_with, stage_at, write_dataset
from PIL import Image
from sample_dataset import SPEC, write_sample

from moviellm.dataset import FORMATS, PlotSpec, QualitySpec
from moviellm.export.card_loading import snippet
from moviellm.export.dataset_folder import Limits
from moviellm.export.markdown import code, escaped, fenced, table
from moviellm.movie import Prompt

SMALL = replace(SPEC, movies=2, chapters=2, scenes=2, frames=5, formats=tuple(FORMATS))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset in all formats, with figures of quality."""
    return asyncio.run(export(tmp_path_factory.mktemp("card"), SMALL))


async def export(place, spec, *, write=write_sample, limits=None):
    async with stage_at(place, limits=limits) as stage:
        await write(stage.store, spec)
        await stage.export_all(spec)
        return stage.files()


def card_of(folder):
    _, header, body = (folder / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(header), body


def test_the_header_names_what_the_hub_knows(folder):
    hub = pytest.importorskip("huggingface_hub")
    data = hub.DatasetCard.load(folder / "README.md").data
    assert (data.license, data.language, data.size_categories) == ("apache-2.0", ["en"], ["n<1K"])
    assert data.annotations_creators == ["machine-generated"]
    assert [config["config_name"] for config in data.configs] == ["frames", "questions"]
    for config in data.configs:
        for part in config["data_files"]:
            assert list(folder.glob(part["path"]))


def test_the_viewer_loads_each_configuration(folder, tmp_path):
    datasets = pytest.importorskip("datasets")
    frames = datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path))
    assert frames.num_rows == 40
    questions = datasets.load_dataset(str(folder), "questions", split="train", cache_dir=str(tmp_path))
    assert questions.num_rows == SMALL.movies * (2 + 2 + 4 * 3)


def test_the_snippets_of_the_card_load_what_they_name(folder, tmp_path):
    pytest.importorskip("datasets")
    _, body = card_of(folder)
    found = re.findall(r"```python\n(.*?)\n```", body, re.DOTALL)
    assert found == [snippet(name) for name in FORMATS]
    runnable = [text for text in found if "streaming" not in text]
    counts = "\nprint([len(list(globals().pop(name))) for name in ('frames', 'questions') if name in globals()])\n"
    script = "\n".join(text + counts for text in runnable)
    environment = os.environ | {"HF_HOME": str(tmp_path), "HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    asked, shown = [SMALL.movies * (2 + 2 + 4 * 3)], [40]
    names = [name for name in FORMATS if name != "mds"]
    told = dict(zip(names, map(json.loads, done.stdout.splitlines()), strict=True))
    assert told == dict.fromkeys(told, asked) | {"hf_parquet": shown + asked, "imagefolder": shown, "webdataset": shown}


def test_the_card_tells_figures_models_and_quality(folder):
    _, body = card_of(folder)
    assert "2 movies with 40 key frames" in body
    assert "(8 character, 8 dialogue, 2 overview, 12 plot, 2 temporal; 10 come with answers to choose from)" in body
    assert "| CLIP-Score to the next frame ↑ | 0.8121 | 0.8231 | 0.7012 | 0.8304 | 0.7175 |" in body
    assert re.search(r"40 frames were kept of 4\d pictures rendered", body)
    assert "not unique (16)" in body
    assert "unknown location (2)" in body
    assert "| outline | storyteller | Apache-2.0, part of MovieLLM | `outline@1` | 2 | 3,680 |" in body
    assert "| pictures | pocket | Apache-2.0, part of MovieLLM |" in body
    assert "$" not in body


def test_the_distributions_are_pictures_in_the_card(folder):
    _, body = card_of(folder)
    shown = re.findall(r'<img src="(figures/[a-z-]+\.png)" alt="[^"<>]+" width="440">', body)
    assert sorted(shown) == sorted(f"figures/{path.name}" for path in (folder / "figures").iterdir())
    assert len(shown) == 5
    for path in shown:
        with Image.open(folder / path) as plot:
            plot.load()
            assert plot.width == 1120
            assert len(plot.convert("RGB").getcolors()) > 4
        assert (folder / path).stat().st_size < 30_000


async def test_what_was_asked_is_told_and_nothing_breaks_out(tmp_path):
    spec = spec_with(
        movies=1,
        formats=("llava_next",),
        quality=QualitySpec(4, 0.25, True),
        plot=PlotSpec("outline", "ab" * 32),
        prompts=(Prompt("outline", "Write.\n```\n# not a heading\n$theme <b>"), Prompt("a`b", "x")),
    )
    limits = Limits(model_licenses={"pocket": "CC-BY-4.0 | <mine>"})
    folder = await export(tmp_path, spec, write=write_dataset, limits=limits)
    header, body = card_of(folder)
    assert [config["config_name"] for config in header["configs"]] == ["llava_next"]
    assert "the best of up to 4 is kept, or the first with a CLIP-Score of 0.25; measured without style" in body
    assert "begun by the requester's own outline" in body
    assert f"SHA-256 `{'ab' * 32}`" in body
    assert "CC-BY-4.0 \\| &lt;mine&gt;" in body
    assert "````\nWrite.\n```\n# not a heading\n$theme <b>\n````" in body
    assert "The pictures were not measured." in body


def test_texts_of_a_card_stay_in_their_place():
    assert escaped("a\n# b | `c` <i> ![x](y) $z") == "a \\# b \\| \\`c\\` &lt;i&gt; \\!\\[x\\](y) \\$z"
    assert table(("", "b"), [("x", "")]) == "| | b |\n| --- | --- |\n| x | |"
    assert fenced("a ```` b") == "`````\na ```` b\n`````"
    assert code("a|b`c") == "`` a¦b`c ``"


def test_plots_are_drawn_the_same_every_time(folder, tmp_path):
    again = asyncio.run(export(tmp_path, SMALL))
    for path in (folder / "figures").iterdir():
        assert (again / "figures" / path.name).read_bytes() == path.read_bytes()
    assert (again / "quality.json").read_bytes() == (folder / "quality.json").read_bytes()


def test_the_contact_sheet_is_a_picture(folder):
    with Image.open(io.BytesIO((folder / "contact-sheet.jpg").read_bytes())) as sheet:
        assert sheet.width == 1378

"""The preview page: its data arrive whole, and no text of a plot becomes markup."""

import asyncio
import html.parser
import json
import re
import shutil
import subprocess

import pytest
from export_fixtures import outline, questions, scene, spec_with, stage_at, write_dataset

from moviellm.export.dataset_folder import Limits
from moviellm.export.preview import embedded, page
from moviellm.movie import FrameRange, Line, Question, QuestionKind, Scene

EVIL = "</script><script>document.title='hacked'</script><img src=x onerror=\"document.title='hacked'\">\u2028&amp;"


class Reader(html.parser.HTMLParser):
    """Collects the elements of a page and the text of its data element."""

    def __init__(self):
        super().__init__()
        self.elements = []
        self.sources = []
        self.data = ""
        self._in_data = False

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        attributes = dict(attrs)
        self.sources += [attributes[name] for name in ("src", "href") if name in attributes]
        self._in_data = attributes.get("id") == "data"

    def handle_endtag(self, tag):
        self._in_data = False

    def handle_data(self, data):
        if self._in_data:
            self.data += data


def read(path):
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader, json.loads(reader.data)


def evil_scene(chapter, number, spec):
    written = scene(chapter, number, spec)
    return Scene(chapter, number, written.frames, (Line(1, "Clara", EVIL),))


def evil_questions(part, spec):
    return (
        (Question(QuestionKind.PLOT, "what", EVIL, EVIL, FrameRange(1, 2), "movie"),)
        if part == "movie"
        else questions(part, spec)
    )


async def export_evil(folder):
    spec = spec_with(theme=f"theme {EVIL}", movies=1)
    async with stage_at(folder) as stage:
        await write_dataset(
            stage.store,
            spec,
            make_outline=lambda movie, spec: outline(movie, spec, title=EVIL),
            make_scene=evil_scene,
            make_questions=evil_questions,
        )
        await stage.export_all(spec)
        return stage.files() / "index.html"


def test_the_page_holds_everything_it_shows(exported):
    _, data = read(exported / "index.html")
    assert [movie["summary"]["title"] for movie in data["movies"]] == [f"The Message in the Storm {n}" for n in (1, 2)]
    for movie in data["movies"]:
        folder = exported / movie["summary"]["path"]
        frames = [f for part in movie["record"]["chapters"] for item in part["scenes"] for f in item["frames"]]
        assert len(frames) == 12
        files = [
            *frames,
            {"file": movie["record"]["video"]},
            *({"file": f} for f in movie["record"]["style"]["references"]),
        ]
        assert all((folder / entry["file"]).is_file() for entry in files)
        assert all((exported / poster).is_file() for poster in movie["summary"]["posters"])
        assert len(movie["questions"]) == 14


def test_the_page_needs_nothing_from_the_network(exported):
    reader, _ = read(exported / "index.html")
    assert reader.sources == ["movies/"]
    text = (exported / "index.html").read_text()
    assert not re.search(r"https?://|@import|url\(", text)


async def test_texts_of_a_plot_never_become_markup(tmp_path, exported):
    plain, _ = read(exported / "index.html")
    path = await export_evil(tmp_path / "evil")
    evil, data = read(path)
    assert evil.elements == plain.elements
    record = data["movies"][0]["record"]
    assert record["title"] == f"{EVIL} 1"
    assert record["chapters"][0]["scenes"][0]["dialogue"][0]["text"] == EVIL
    assert data["movies"][0]["questions"][0]["question"] == EVIL
    assert "\u2028" not in path.read_text(encoding="utf-8")


def test_the_page_never_parses_texts_as_markup():
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", page({}))


def test_embedded_json_is_the_same_value_without_dangerous_characters():
    value = {"a": EVIL, "b": ["<!--", "]]>", "é🎬"]}
    text = embedded(value)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == value


async def test_seeds_keep_all_their_digits(tmp_path):
    spec = spec_with(seed=2**62 + 1, movies=1)
    async with stage_at(tmp_path) as stage:
        await write_dataset(stage.store, spec)
        await stage.export_all(spec)
        _, data = read(stage.files() / "index.html")
        assert data["spec"]["seed"] == str(2**62 + 1)
        assert data["movies"][0]["record"]["chapters"][0]["scenes"][0]["frames"][0]["seed"] == "1001"


async def test_a_large_dataset_keeps_a_page_of_bounded_size(tmp_path):
    async with stage_at(tmp_path, limits=Limits(preview_movies=1)) as stage:
        await write_dataset(stage.store)
        await stage.export_all()
        _, data = read(stage.files() / "index.html")
        assert ["record" in movie for movie in data["movies"]] == [True, False]
        assert data["movies"][1]["summary"]["title"] == "The Message in the Storm 2"


def test_a_browser_draws_the_page_and_runs_nothing_of_a_plot(tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed")
    path = asyncio.run(export_evil(tmp_path / "evil"))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "hacked</title>" not in done.stdout
    assert done.stdout.count('class="frame"') == 12
    assert "document.title='hacked'" in done.stdout

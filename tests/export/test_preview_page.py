"""The preview page's files: its data arrive whole, no text of a plot becomes markup, nothing asks for a network."""

import html.parser
import json
import re
import shutil
import subprocess
from importlib import resources

import pytest
from export_fixtures import outline, questions, scene, spec_with, stage_at, write_dataset

from moviellm.export.preview import PARTS, SCRIPTS, STYLES, embedded, joined, page
from moviellm.movie import FrameRange, Line, Question, QuestionKind, Scene

EVIL = "</script><script>document.title='hacked'</script><img src=x onerror=\"document.title='hacked'\">\u2028&amp;"


class Reader(html.parser.HTMLParser):
    """Collects the elements of a page, what they refer to, and its title."""

    def __init__(self):
        super().__init__()
        self.elements = []
        self.sources = []
        self.title = ""
        self.policy = ""

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        attributes = dict(attrs)
        self.sources += [attributes[name] for name in ("src", "href") if name in attributes]
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]

    def handle_data(self, data):
        if self.elements[-1:] == ["title"]:
            self.title += data


def read(path):
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


def data_of(path):
    """What a data script hands to the page."""
    text = path.read_text(encoding="utf-8")
    found = re.fullmatch(r"MovieLLM\.(opened|arrived)\((\d+, )?(\{.*\})\);\n", text)
    return json.loads(found.group(3))


def story(folder, number=1):
    return data_of(folder / f"preview/movies/{number:04}.js")


def evil_scene(chapter, number, spec):
    written = scene(chapter, number, spec)
    return Scene(chapter, number, written.frames, (Line(1, "Clara", EVIL),))


def evil_questions(part, spec):
    return (
        (Question(QuestionKind.PLOT, "what", EVIL, EVIL, FrameRange(1, 2), "movie", (EVIL, "no")),)
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
        return stage.files()


def test_the_page_has_all_it_shows(exported):
    dataset = data_of(exported / "preview/dataset.js")
    assert [movie["title"] for movie in dataset["movies"]] == [f"The Message in the Storm {n}" for n in (1, 2)]
    assert dataset["counted"]["kinds"] == {"plot": 24, "overview": 2, "temporal": 2}
    for movie in dataset["movies"]:
        folder, told = exported / movie["path"], story(exported, movie["number"])
        frames = [f for part in told["record"]["chapters"] for item in part["scenes"] for f in item["frames"]]
        assert len(frames) == 12
        files = [frame["file"] for frame in frames]
        files += [told["record"]["video"], *told["record"]["style"]["references"]]
        assert all((folder / file).is_file() for file in files)
        assert all((exported / poster).is_file() for poster in movie["posters"])
        assert len(told["questions"]) == 14
        assert told["figures"]["frames"] == 12


def test_the_page_needs_nothing_from_the_network(exported):
    reader = read(exported / "index.html")
    own = {"preview/page.css", "preview/page.js", "preview/dataset.js"}
    assert {source for source in reader.sources if not source.startswith("data:")} == own | {"movies/"}
    assert all((exported / source).is_file() for source in own)
    for source in ("index.html", "preview/page.css", "preview/page.js"):
        assert not re.search(
            r"https?://|@import|url\(|fetch\(|XMLHttpRequest|WebSocket", (exported / source).read_text()
        )


def test_the_policy_of_the_page_allows_no_inline_script_and_no_other_host(exported):
    policy = read(exported / "index.html").policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?:|\*", policy)


async def test_texts_of_a_plot_never_become_markup(tmp_path, exported):
    plain = read(exported / "index.html")
    folder = await export_evil(tmp_path / "evil")
    evil = read(folder / "index.html")
    assert evil.elements == plain.elements
    assert evil.title.strip() == " ".join(f"theme {EVIL}".split())
    told = story(folder)
    assert told["record"]["title"] == f"{EVIL} 1"
    assert told["record"]["chapters"][0]["scenes"][0]["dialogue"][0]["text"] == EVIL
    assert told["questions"][0]["question"] == EVIL
    for path in (folder / "preview/dataset.js", folder / "preview/movies/0001.js"):
        assert not set("<>&\u2028") & set(path.read_text(encoding="utf-8"))


def test_the_page_never_parses_texts_as_markup_or_script():
    text = joined(SCRIPTS) + page("")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc", text)


def test_the_page_is_made_of_all_its_parts():
    folder = resources.files("moviellm.export").joinpath(PARTS)
    assert {item.name for item in folder.iterdir()} == {"index.html", *STYLES, *SCRIPTS}


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
        assert data_of(stage.files() / "preview/dataset.js")["spec"]["seed"] == str(2**62 + 1)
        assert story(stage.files())["record"]["chapters"][0]["scenes"][0]["frames"][0]["seed"] == "1001"


NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="needs Node.js to run the page's logic without a browser")


def told_by_node(script):
    done = subprocess.run([NODE, "-e", script], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


@needs_node
def test_a_script_engine_reads_the_data_as_it_was_written(exported):
    path = exported / "preview/movies/0001.js"
    script = "const MovieLLM = {arrived: (number, story) => console.log(JSON.stringify([number, story]))};"
    number, told = told_by_node(script + path.read_text(encoding="utf-8"))
    assert number == 1
    assert told == story(exported)


@needs_node
def test_the_pages_arithmetic():
    numbers = (
        "[clock(0), clock(61.9), clock(3671), plural(1, 'frame'), plural(1331, 'frame'), figure(null), figure(0.5)]"
    )
    groups = "[...grouped([3, 1, 4, 1, 5], number => number % 2)].map(([key, items]) => [key, ...items])"
    script = f"{joined(('dom.js',))};console.log(JSON.stringify([{numbers}, {groups}]))"
    assert told_by_node(script) == [
        ["0:00", "1:01", "1:01:11", "1 frame", "1,331 frames", "–", "0.500"],
        [[1, 3, 1, 1, 5], [0, 4]],
    ]


@needs_node
@pytest.mark.parametrize("name", SCRIPTS)
def test_each_part_of_the_script_parses(name, tmp_path):
    (tmp_path / name).write_text(joined((name,)), encoding="utf-8")
    subprocess.run([NODE, "--check", str(tmp_path / name)], check=True, timeout=60)

"""The preview page in a real browser, opened from disk: it loads, is used with mouse and keys, and is looked at.

Screenshots are kept in build/preview/ for people to judge.
"""

import asyncio
import itertools
import json
import os
import shutil
import urllib.parse
from dataclasses import replace
from functools import partial
from pathlib import Path

import browser
import pytest
from export_fixtures import scene, spec_with, stage_at, write_dataset
from sample_dataset import SPEC, write_sample
from test_preview_page import export_evil

from moviellm.export.preview import story_script
from moviellm.export.record import Evidence, MovieRecord, QuestionRecord
from moviellm.export.summary import MovieFolder
from moviellm.movie import Scene
from moviellm.wire import from_json

pytestmark = pytest.mark.skipif(browser.BINARY is None, reason="needs a Chromium binary on the PATH; none was found")

SHOTS = Path(__file__).parents[2] / "build" / "preview"


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The page's address for a dataset of two movies with drawn pictures."""
    return asyncio.run(export_sample(tmp_path_factory.mktemp("sample"), replace(SPEC, movies=2, scenes=2)))


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A page of a running browser."""
    with browser.browser_page(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(opened):
    """The page; a test after which it has complained fails."""
    opened.complaints.clear()
    opened.requests.clear()
    yield opened
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith(("file:", "data:", "about:"))] == []


async def export_sample(folder, spec):
    async with stage_at(folder, least_height=256) as stage:
        await write_sample(stage.store, spec, size=128)
        await stage.export_all(spec)
        return (stage.files() / "index.html").as_uri()


def open_movie(page, address, number=1, **options):
    page.open(f"{address}#/{number}", **options)
    page.wait_for("document.querySelector('.frame')")


IN_VIEW = """(number => { const box = document.querySelector(`.frame[data-number="${number}"]`).getBoundingClientRect();
    return box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth; })"""
VISIBLE = """[...document.querySelectorAll(".frame")].filter(node => {
    const box = node.getBoundingClientRect(); return box.top < innerHeight && box.bottom > 0; })"""
LIT = "[...document.querySelectorAll('.frame.lit')].map(node => Number(node.dataset.number))"


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_dataset_shows_its_movies(page, sample, scheme):
    page.open(sample, scheme=scheme)
    page.wait_for("document.querySelectorAll('.card').length === 2")
    assert page.run("document.title") == SPEC.theme
    assert page.run("document.querySelector('.numbers').innerText").count("\n") > 20
    page.wait_for("[...document.querySelectorAll('.reel img')].every(image => image.complete && image.naturalWidth)")
    page.screenshot(SHOTS / f"dataset-{scheme}.png")
    assert page.run("document.documentElement.scrollWidth <= innerWidth")


def test_a_movies_story_is_loaded_when_it_is_opened(page, sample):
    page.open(sample)
    page.wait_for("document.querySelector('.card')")
    assert not any("movies/0002.js" in url for url in page.requests)
    page.click(".card[href='#/2']")
    page.wait_for("document.querySelectorAll('.frame').length === 36")
    assert any("preview/movies/0002.js" in url for url in page.requests)
    assert page.run("document.title") == "What the Tide Kept"


def test_a_click_on_a_question_lights_up_and_shows_its_frames(page, sample):
    open_movie(page, sample)
    page.wait_for("document.querySelectorAll('.q').length > 10")
    last = page.run("shown.questions.findLastIndex(item => item.level === 'scene')")
    page.run(f"document.querySelector('.q[data-index=\"{last}\"]').scrollIntoView()")
    evidence = page.run(f"shown.questions[{last}].evidence")
    numbers = list(range(evidence["first_frame"], evidence["last_frame"] + 1))
    assert not page.run(f"{IN_VIEW}({numbers[0]})")
    page.click(f".q[data-index='{last}']")
    page.wait_for(f"{IN_VIEW}({numbers[0]})")
    assert page.run(LIT) == numbers
    page.wait_for("[...document.querySelectorAll('.frame.lit img')].every(image => image.naturalWidth)")
    page.screenshot(SHOTS / "question.png")
    page.press("Escape")
    assert page.run(LIT) == []


def test_an_address_leads_to_a_question(page, sample):
    page.open(f"{sample}#/2/q4")
    page.wait_for("document.querySelector('.frame.lit')")
    assert page.run("shown.queries.asked.index") == 3
    assert page.run("document.querySelector('.q[aria-pressed=true]').dataset.index") == "3"


def test_kinds_filter_the_questions_and_choices_are_shown(page, sample):
    open_movie(page, sample)
    page.click(".kinds button[data-name=dialogue]")
    kinds = page.run("[...document.querySelectorAll('.q:not([hidden])')].map(node => node.dataset.kind)")
    assert kinds == ["dialogue"] * 6
    assert page.run("document.querySelectorAll('.q:not([hidden]) .choice').length") == 24
    assert page.run("document.querySelectorAll('.q:not([hidden]) .choice.right').length") == 6
    page.click(".kinds button[data-name=dialogue]")
    assert page.run("document.querySelectorAll('.q:not([hidden])').length") == page.run("shown.questions.length")


def test_the_keyboard_reaches_everything(page, sample):
    open_movie(page, sample)
    page.press("/")
    assert page.run("document.activeElement === shown.finder.input")
    for letter in "seven years":
        page.press(letter)
    page.wait_for("document.querySelector('.told').textContent.includes(' of 36 frames')")
    wanted = "shown.frames.filter(frame => shown.finder.words.get(frame.number).includes('seven years')).length"
    assert 0 < page.run("document.querySelectorAll('.frame:not([hidden])').length") == page.run(wanted) < 36
    page.press("Enter", "\r")
    first = page.run("Number(document.querySelector('.frame:not([hidden])').dataset.number)")
    assert page.run("shown.story.here") == first
    page.press("Escape")
    assert page.run("document.querySelectorAll('.frame:not([hidden])').length") == 36
    page.press("ArrowRight")
    assert page.run("shown.story.here") == first + 1
    page.press("Enter", "\r")
    page.wait_for("byId('closeup').open")
    page.press("ArrowLeft")
    assert page.run("byId('closeup').innerText").startswith(f"FRAME {first}")
    page.press("Escape")
    page.wait_for("!byId('closeup').open")
    page.press("j")
    assert page.run("shown.queries.asked.index") == 0
    page.press("?")
    page.wait_for("byId('help').open")
    page.press("Escape")
    page.wait_for("!byId('help').open")
    page.press("t")
    assert page.run("document.documentElement.dataset.theme") == "light"
    page.press("t")
    assert page.run("document.documentElement.dataset.theme") == "dark"
    page.run("localStorage.clear()")


def test_frames_are_filtered_by_chapter_person_place_and_picture(page, sample):
    open_movie(page, sample)
    choose = """(place, index) => { const {select} = shown.finder.filters[place]; select.selectedIndex = index;
        select.dispatchEvent(new Event("change"));
        return shown.frames.filter(frame => shown.finder.found?.has(frame.number)); }"""
    seen = "[...document.querySelectorAll('.frame:not([hidden])')].filter(node => node.checkVisibility()).length"
    chapters = page.run(f"({choose})(0, 2).map(frame => frame.chapter.number)")
    assert chapters == [2] * 12 == [2] * page.run(seen)
    people = page.run(f"({choose})(1, 2).map(frame => [frame.chapter.number, ...frame.characters])")
    assert len(people) == page.run(seen) > 0
    assert all(chapter == 2 and "Edwin Marsh" in names for chapter, *names in people)
    page.press("Escape")
    assert page.run(seen) == 36
    places = page.run(f"({choose})(2, 1).map(frame => frame.scene.location)")
    assert len(set(places)) == 1
    assert len(places) == page.run(seen) == 6 * (len(places) // 6)
    page.press("Escape")
    attempts = page.run(f"({choose})(3, 1).map(frame => frame.attempts.length)")
    assert attempts == [2] * page.run(seen) != []


def test_the_film_plays_with_subtitles(page, sample):
    open_movie(page, sample)
    page.wait_for("shown.theater.video.readyState >= 2")
    assert page.run("shown.theater.video.videoHeight") == 256
    track = "shown.theater.video.textTracks[0]"
    assert page.run(f"[{track}.mode, {track}.cues.length]") == [
        "showing",
        page.run("document.querySelectorAll('.talk').length"),
    ]
    page.run("shown.theater.video.muted = true, shown.theater.play(6.2)")
    page.wait_for("shown.theater.video.currentTime > 6.3")
    page.run("shown.theater.video.pause()")
    page.wait_for(f"{track}.activeCues.length === 1")
    spoken = page.run("shown.lines.find(line => line.after_frame === 7)")
    assert page.run(f"{track}.activeCues[0].text").startswith(f"{spoken['speaker']}: {spoken['text']}")
    page.wait_for("document.querySelector('.frame.playing').dataset.number === '7'")
    page.screenshot(SHOTS / "film.png")


def test_the_quality_of_the_pictures_is_told(page, sample):
    open_movie(page, sample)
    page.click(".panels button[data-name=quality]")
    text = page.run("document.querySelector('.quality').innerText")
    for words in (
        "To the text, CLIP-Score",
        "0.830",
        "frames rendered again",
        "black",
        "not unique",
        "unknown location",
    ):
        assert words in text
    page.click(".quality .thumb")
    page.wait_for(f"{IN_VIEW}(shown.story.here)")
    page.screenshot(SHOTS / "quality.png")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_phone_shows_one_part_at_a_time(page, sample, scheme):
    open_movie(page, sample, width=390, height=844, scheme=scheme, touch=True)
    parts = {"questions": ".questions", "quality": ".quality", "story": ".story", "film": ".theater"}
    for name, visible in parts.items():
        page.click(f".tabs button[data-name={name}]")
        assert [part for part in parts.values() if page.run(f"document.querySelector('{part}').checkVisibility()")] == [
            visible
        ]
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
        page.screenshot(SHOTS / f"phone-{name}-{scheme}.png")
    page.click(".tabs button[data-name=questions]")
    page.click(".q[data-index='3']")
    page.wait_for(f"document.querySelector('.frame.lit') && {IN_VIEW}({LIT}[0])")
    page.click(".back")
    assert page.run("document.querySelector('.q[aria-pressed=true]').checkVisibility()")


def test_every_control_has_a_name_and_texts_stand_out(page, sample):
    for scheme in ("dark", "light"):
        open_movie(page, sample, scheme=scheme)
        controls = "[...document.querySelectorAll('button, a, input, select, video')]"
        named = "(node.innerText || node.ariaLabel || node.textContent).trim()"
        nameless = page.run(f"{controls}.filter(node => !({named})).map(node => node.outerHTML)")
        assert nameless == []
        assert page.run("[...document.querySelectorAll('img')].every(image => image.hasAttribute('alt'))")
        assert page.run(CONTRAST) >= 4.5


CONTRAST = """(() => {
  const linear = part => part <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4;
  const light = color => { const [r, g, b] = color.match(/[\\d.]+/g).map(part => linear(part / 255));
    return .2126 * r + .7152 * g + .0722 * b + .05; };
  const ratio = (one, other) => Math.max(light(one) / light(other), light(other) / light(one));
  const ground = getComputedStyle(document.body).backgroundColor;
  const names = [".meta", ".soft", ".eyebrow", ".told", ".fine", ".place", ".words", ".tag", ".panels button"];
  return Math.min(...names.map(name => ratio(getComputedStyle(document.querySelector(name)).color, ground)));
})()"""


def test_a_text_of_a_plot_runs_nothing(page, tmp_path):
    folder = asyncio.run(export_evil(tmp_path / "evil"))
    page.open((folder / "index.html").as_uri())
    page.wait_for("document.querySelectorAll('.frame').length === 12")
    page.run("shown.queries.light(0), shown.closeup.open(1)")
    assert not page.run("document.title").startswith("hacked")
    assert "document.title='hacked'" in page.run("document.querySelector('.bubble').textContent")
    assert page.run("document.querySelectorAll('script:not([src]), img[onerror], [src=x]').length") == 0


def test_a_story_that_is_missing_is_said(page, sample, tmp_path):
    folder = asyncio.run(export_evil(tmp_path / "broken"))
    (folder / "preview/movies/0001.js").unlink()
    page.open((folder / "index.html").as_uri())
    page.wait_for("document.querySelector('[role=alert]')")
    assert "movie 1 is not beside this page" in page.run("document.querySelector('[role=alert]').textContent")
    page.complaints.clear()


def enlarged(record):
    """The movie in the paper's size, its scenes told over and over; frames are numbered anew."""
    scenes = [told for _, told in record.scenes]
    numbers = itertools.count(1)
    chapters = []
    for chapter in range(1, 12):
        parts = []
        for number in range(1, 12):
            told = scenes[(chapter * 11 + number) % len(scenes)]
            frames = list(itertools.islice(itertools.cycle(told.frames), 11))
            shown = [replace(frame, number=(n := next(numbers)), file=f"frames/{n:06}.jpg") for frame in frames]
            spoken = tuple(replace(line, after_frame=shown[3].number) for line in told.dialogue[:2])
            parts.append(replace(told, number=number, frames=tuple(shown), dialogue=spoken))
        chapters.append(replace(record.chapters[0], number=chapter, scenes=tuple(parts)))
    return replace(record, frame_count=1331, chapters=tuple(chapters))


def enlarge(files):
    """The dataset's first movie in the paper's size, with the same few pictures under many names."""
    folder = files / "movies/0001"
    record = from_json((folder / "movie.json").read_bytes(), MovieRecord)
    last = from_json((folder / "qa.json").read_bytes(), tuple[QuestionRecord, ...])[-2]
    last = replace(last, evidence=Evidence(1321, 1322, 1320.0, 1322.0))
    large = enlarged(record)
    for number in range(record.frame_count + 1, 1332):
        os.link(folder / f"frames/{number % record.frame_count + 1:06}.jpg", folder / f"frames/{number:06}.jpg")
    figures = json.loads((files / "quality.json").read_text())["movies"][0]
    script = story_script(MovieFolder("movies/0001", large, (last,)), figures)
    (files / "preview/movies/0001.js").write_text(script, encoding="utf-8")


def test_a_full_movie_scrolls_lazily(page, sample, tmp_path):
    files = Path(urllib.parse.urlparse(sample).path).parent
    shutil.copytree(files, tmp_path / "large")
    enlarge(tmp_path / "large")
    open_movie(page, (tmp_path / "large/index.html").as_uri())
    assert page.run("document.querySelectorAll('.frame').length") == 1331
    seen = "[...document.querySelectorAll('.frame img')].filter(image => image.naturalWidth).length"
    assert page.run(seen) < 400
    page.run("scrollTo(0, document.body.scrollHeight * .6)")
    page.wait_for(f"{VISIBLE}.length > 5 && {VISIBLE}.every(node => node.querySelector('img').naturalWidth)")
    assert page.run(seen) < 800
    page.run("shown.queries.light(0)")
    page.wait_for(f"{IN_VIEW}({LIT}[0])")
    assert page.run(LIT) == [1321, 1322]
    page.screenshot(SHOTS / "full-movie.png")


def test_a_movie_with_nothing_said_or_asked_shows_its_frames(page, tmp_path):
    async def export():
        async with stage_at(tmp_path) as stage:
            silent = partial(write_dataset, make_scene=silent_scene, make_questions=lambda part, spec: ())
            await silent(stage.store, spec_with(movies=1))
            await stage.export_all(spec_with(movies=1))
            return (stage.files() / "index.html").as_uri()

    open_movie(page, asyncio.run(export()))
    page.run("shown.closeup.open(3), shown.panel('quality'), shown.finder.seek()")
    assert "not measured" in page.run("document.querySelector('.quality').innerText")
    page.press("j")
    page.press("Escape")
    assert page.run("document.querySelectorAll('.talk, .q').length") == 0


def silent_scene(chapter, number, spec):
    return Scene(chapter, number, scene(chapter, number, spec).frames)

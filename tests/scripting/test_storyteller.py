"""The storyteller over many themes, seeds and sizes."""

import asyncio
import hashlib
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from moviellm.dataset import derived_seed
from moviellm.movie import frame_prompt
from moviellm.pocket import vocabulary
from moviellm.scripting.checker import rules
from moviellm.scripting.storyteller.staging import props_of
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

THEMES = [
    "a lighthouse keeper who finds a message",
    "a love story about a duchess and a commoner",
    "two rival pastry chefs",
    "my grandmother's robot",
    "the last dragon",
    "a robot learns to paint",
    "a king loses his crown",
    "space pirates steal the moon",
    "a teapot dreams of becoming a king",
    "how my mother met my father",
    "Romeo and Juliet",
    "Alice falls down a hole",
    "an astronaut who is afraid of the dark",
    "a girl trapped in a snow globe",
    "three sisters",
    "the mystery of the missing violin",
    "a tragedy about a clown who must save the circus",
    "a zookeeper and her octopus",
    "friendship",
    "???",
    "🌊🔥",
    "爱情故事",
    "una historia de amor",
    "{hero} {0} %s $x",
    "who who who and and and",
    "a the of",
    "x",
    "'",
    "the keeper's 's who",
    "long " * 99 + "story",
]


async def tell(theme, seed=1, chapters=2, scenes=2, frames=3, lines=6, preset="", description=""):
    teller = Storyteller()
    outline = (await teller.outline(OutlineRequest(theme, chapters, seed, preset, description))).value
    told, scripts = [], []
    for number in range(1, chapters + 1):
        request = ChapterRequest(outline, number, scenes, derived_seed(seed, number))
        chapter = (await teller.chapter(request)).value
        told.append(chapter)
        for scene in range(1, scenes + 1):
            request = SceneRequest(outline, chapter, scene, frames, lines, derived_seed(seed, number, scene))
            scripts.append((await teller.scene(request)).value)
    return outline, told, scripts


def texts_of(outline, chapters, scenes):
    yield outline.title
    yield outline.overview
    for chapter in outline.chapters:
        yield from (chapter.title, chapter.content)
    for chapter in chapters:
        yield from (scene.content for scene in chapter.scenes)
    for scene in scenes:
        yield from (frame.description for frame in scene.frames)
        yield from (line.text for line in scene.dialogue)


def facts_of(outline, chapters):
    yield from outline.facts
    for chapter in outline.chapters:
        yield from chapter.facts
    for chapter in chapters:
        for scene in chapter.scenes:
            yield from scene.facts


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme[:30])
async def test_every_theme_gives_a_whole_movie_in_plain_english(theme):
    theme = theme.strip()
    for seed, (chapters, scenes, frames) in enumerate(((1, 1, 1), (2, 3, 4), (8, 2, 2))):
        movie = await tell(theme, seed, chapters, scenes, frames)
        outline, told, _ = movie
        assert outline.theme == theme
        for text in texts_of(*movie):
            quoted = re.sub(r"“[^”]*”", "Q", text.replace(theme, "Q"))
            assert not re.search(r"[{}]|  |\.\.|,,| ,|None", quoted), text
            assert (
                not re.search(r"\b(a|the|to|of|is|has|and|because|in|at) \1\b", quoted.lower()) or "and and" in theme
            ), text
            assert not re.search(r"\ba [aeio]\w", quoted) or "a " in theme, text
            assert text[:1] == text[:1].upper()
        for fact in facts_of(outline, told):
            assert fact.deed
            assert not fact.reason.startswith("because")
            assert not fact.means or fact.means.startswith("by ")


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 11, 2), (11, 1, 1), (7, 3, 5), (2, 15, 1), (20, 2, 1), (3, 3, 64)])
async def test_any_shape_has_a_beginning_a_middle_and_an_end(shape):
    chapters, scenes, frames = shape
    outline, told, scripts = await tell("a lighthouse keeper who finds a message", 5, chapters, scenes, frames)
    assert len(outline.chapters) == chapters
    assert all(len(chapter.scenes) == scenes for chapter in told)
    assert all(len(scene.frames) == frames and len(scene.dialogue) == 6 for scene in scripts)
    whole = " ".join(chapter.content for chapter in outline.chapters)
    assert "finds a message" in whole
    assert "It turns out that" in outline.chapters[-1].content
    assert len({chapter.title for chapter in outline.chapters}) == chapters


@pytest.mark.parametrize("lines", [0, 1, 2, 5, 13, 64])
async def test_dialogue_has_exactly_the_lines_asked_for_by_people_who_are_seen(lines):
    for frames in (1, 4, 11):
        _, _, scripts = await tell("a duchess and a commoner", 3, frames=frames, lines=lines)
        for scene in scripts:
            seen = {name for frame in scene.frames for name in frame.characters}
            assert len(scene.dialogue) == lines
            assert all(line.speaker in seen and 1 <= line.after_frame <= frames for line in scene.dialogue)


@pytest.mark.parametrize(
    ("theme", "words"),
    [
        ("a lighthouse keeper who finds a message", ["lighthouse keeper", "message", "lighthouse"]),
        ("a love story about a duchess and a commoner", ["duchess", "commoner", "love story"]),
        ("two rival pastry chefs", ["pastry chef", "contest|challenge|rival"]),
        ("my grandmother's robot", ["grandmother", "robot"]),
        ("a clockmaker who must repair the town clock before midnight", ["clockmaker", "repairs? the town clock"]),
        ("a zeppelin pilot who befriends a ghost", ["zeppelin pilot", "ghost", "befriends?"]),
        ("a girl trapped in a snow globe", ["girl", "snow globe"]),
        ("an astronaut who is afraid of the dark", ["astronaut", "the fear of the dark"]),
        ("a beekeeper wants to sail around the world", ["beekeeper", "sails? around the world"]),
        ("the mystery of the missing violin", ["missing violin"]),
        ("爱情故事", ["爱情故事"]),
        ("schadenfreude", ["schadenfreude"]),
    ],
)
async def test_the_theme_is_answered_at_every_level(theme, words):
    for seed in range(4):
        outline, chapters, _ = await tell(theme, seed, chapters=4, scenes=3)
        levels = [
            " ".join([outline.title, outline.overview]),
            " ".join(chapter.content for chapter in outline.chapters),
        ]
        for level in levels:
            for word in words[:2]:
                assert re.search(word, level), (word, level)
        everything = " ".join([*levels, *(scene.content for chapter in chapters for scene in chapter.scenes)])
        assert all(re.search(word, everything) for word in words)


async def test_the_hero_is_the_theme_and_hints_of_sex_and_age_are_seen():
    outline, _, _ = await tell("a duchess and an old king")
    duchess, king = outline.characters[:2]
    assert (duchess.occupation, king.occupation) == ("duchess", "old king")
    assert "woman" in duchess.appearance
    assert "old man" in king.appearance
    outline, _, _ = await tell("a pilot who loses her plane")
    assert "woman" in outline.characters[0].appearance
    outline, _, _ = await tell("Romeo and Juliet")
    assert [character.name for character in outline.characters[:2]] == ["Romeo", "Juliet"]


async def test_people_wear_different_colours_that_their_appearance_names():
    for seed in range(20):
        outline, _, _ = await tell("a baker", seed)
        colours = [character.clothing_color for character in outline.characters]
        assert len(set(colours)) == len(colours) >= 2


async def test_movies_of_one_theme_differ():
    movies = [await tell("a lighthouse keeper who finds a message", seed, 4, 2, 2) for seed in range(12)]
    assert len({movie[0].title for movie in movies}) >= 10
    assert len({movie[0].overview for movie in movies}) == 12
    assert len({movie[0].characters[0].name for movie in movies}) >= 8
    assert len({tuple(chapter.title for chapter in movie[0].chapters) for movie in movies}) == 12


async def test_chapters_follow_from_each_other():
    linked = chapters = 0
    for seed in range(6):
        outline, _, _ = await tell("two rival pastry chefs", seed, chapters=9, scenes=1, frames=1)
        for before, after in itertools.pairwise(outline.chapters[1:]):
            assert after.before in before.content
            reason = re.sub(r"^(she|he)\b", "", after.facts[0].reason).split(" ", 1)[-1]
            linked += reason in before.content
            chapters += 1
    assert linked >= 0.6 * chapters


async def test_frames_can_be_drawn_and_stay_under_the_prompt_limit():
    places = {location.name for location in vocabulary.LOCATIONS}
    for seed in range(8):
        outline, chapters, scripts = await tell(THEMES[seed], seed, 3, 4, 8)
        assert set(outline.locations) <= places
        plans = [plan for chapter in chapters for plan in chapter.scenes]
        for plan, scene in zip(plans, scripts, strict=True):
            times = {time for frame in scene.frames for time in vocabulary.TIMES
                     if any(phrase in frame.description for phrase in vocabulary.TIME_PHRASES[time])}  # fmt: skip
            assert len(times) == 1
            assert "wide shot" in scene.frames[0].description
            for frame in scene.frames:
                assert f"the {plan.location}" in frame.description
                prompt = frame_prompt(frame.description, outline.characters, "<gothic>")
                assert len(vocabulary.words_of(prompt)) <= 60
                assert not any(character.name in prompt for character in outline.characters)


async def test_a_movie_of_the_papers_size_hardly_repeats_itself():
    _, chapters, scripts = await tell("a lighthouse keeper who finds a message", 1, 11, 11, 11)
    descriptions = [frame.description for scene in scripts for frame in scene.frames]
    lines = [line.text for scene in scripts for line in scene.dialogue]
    contents = [plan.content for chapter in chapters for plan in chapter.scenes]
    assert len(descriptions) == 1331
    assert len(lines) == 726
    assert len(set(descriptions)) >= 0.95 * len(descriptions)
    assert len(set(lines)) >= 0.9 * len(lines)
    assert len(set(contents)) >= 0.95 * len(contents)


async def test_every_part_knows_what_came_before_and_what_follows():
    for seed, theme in enumerate(THEMES[:12]):
        outline, chapters, _ = await tell(theme, seed, 6, 5, 1)
        assert all(chapter.before and chapter.after for chapter in outline.chapters)
        for before, after in itertools.pairwise(outline.chapters):
            assert before.after == after.before
        for plan, chapter in zip(outline.chapters, chapters, strict=True):
            assert chapter.scenes[0].before == plan.before
            assert chapter.scenes[-1].after == plan.after
            for before, after in itertools.pairwise(chapter.scenes):
                assert before.after == after.before
                assert before.after.startswith(before.facts[-1].who)


async def test_what_a_deed_is_done_with_is_seen():
    shown = spoken_of = 0
    for seed in range(12):
        _, chapters, scripts = await tell(THEMES[seed], seed, 4, 6, 6)
        plans = [plan for chapter in chapters for plan in chapter.scenes]
        for plan, scene in zip(plans, scripts, strict=True):
            things = props_of(plan)
            if things:
                spoken_of += 1
                shown += any(vocabulary.article(things[0]) in frame.description for frame in scene.frames)
    assert spoken_of > 50
    assert shown == spoken_of


async def test_the_movie_of_every_seed_keeps_every_rule():
    shapes = ((1, 1, 1), (2, 3, 4), (3, 5, 2), (5, 2, 6), (11, 1, 3), (1, 11, 2))
    for seed in range(40):
        theme = THEMES[seed % len(THEMES)]
        chapters, scenes, frames = shapes[seed % len(shapes)]
        assert await broken_rules(theme.strip(), seed, chapters, scenes, frames) == []


async def broken_rules(theme, seed, chapters, scenes, frames, lines=6):
    """Every breach in a movie."""
    outline, told, scripts = await tell(theme, seed, chapters, scenes, frames, lines)
    found = list(rules.breaches_of_outline(outline, OutlineRequest(theme, chapters, seed)))
    for chapter in told:
        found += rules.breaches_of_chapter(chapter, ChapterRequest(outline, chapter.number, scenes, seed))
    for scene in scripts:
        request = SceneRequest(outline, told[scene.chapter - 1], scene.number, frames, lines, seed)
        found += rules.breaches_of_scene(scene, request)
    return found


@pytest.mark.parametrize(
    ("preset", "description", "keyword", "phrase"),
    [
        ("noir", "", "noir", "hard light"),
        ("Gothic", "", "gothic", "pointed arches"),
        ("blueprint", "", "blueprint", "a fine grid"),
        ("", "dreamy watercolor, misty hills", "watercolor", "misty hills"),
        ("", "deep violet shadows, mint highlights, canvas", "deep", "mint highlights"),
        ("", "蓝色", "plain", "蓝色"),
    ],
)
async def test_the_look_that_was_asked_for(preset, description, keyword, phrase):
    outline, _, _ = await tell("a baker", preset=preset, description=description)
    assert outline.style.keyword == keyword
    assert phrase in outline.style.phrases


PROGRAM = """
import asyncio, hashlib, sys
sys.path.insert(0, sys.argv[1])
from test_storyteller import digest
print(digest())
"""


def digest():
    """A digest of some movies, for comparing processes."""
    movies = [asyncio.run(tell(theme, 9, 3, 4, 5)) for theme in THEMES[:8]]
    return hashlib.sha256(repr(movies).encode()).hexdigest()


def test_two_processes_write_the_same_movie():
    folder = str(Path(__file__).parent)
    answers = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM, folder],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


async def test_a_quoted_theme_keeps_its_letters_in_the_title():
    for seed in range(6):
        outline, _, _ = await tell("una historia de amor", seed)
        assert "“una historia de amor”" in outline.title
        assert "“una historia de amor”" in outline.overview

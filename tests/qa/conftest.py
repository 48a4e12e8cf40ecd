"""A small movie, written by hand, that the question tests ask about, and whole ones of the embedded storyteller."""

from collections import Counter
from dataclasses import dataclass

import pytest

from moviellm.movie import (
    Chapter,
    ChapterOutline,
    Character,
    CharacterRole,
    Fact,
    Frame,
    Line,
    Outline,
    Scene,
    ScenePlan,
    Shape,
    Style,
)
from moviellm.qa.facts.fact_asker import FactAsker
from moviellm.qa.script import Script
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

CHAPTERS = (
    (
        "The Bottle",
        "Mara finds a letter in a bottle on the beach. She shows it to Tom at the lighthouse.",
        ("beach", "lighthouse"),
        (
            (
                "beach",
                "After a stormy night Mara searches the beach and finds a bottle.",
                Fact(
                    "Mara",
                    "find a letter in a bottle",
                    "the storm has washed it ashore",
                    "by searching the sand at low tide",
                    "beach",
                ),
            ),
            (
                "lighthouse",
                "Mara shows the letter to Tom, who recognises the hand.",
                Fact("Tom", "recognize the handwriting", "his brother wrote it", "by comparing it with a map", ""),
            ),
        ),
    ),
    (
        "The Map",
        "Tom and Mara find a map in the library. They sail at night.",
        ("library", "ship deck"),
        (
            (
                "library",
                "Tom and Mara look for the old map.",
                Fact(
                    "Tom and Mara", "borrow an old map", "the letter names an island", "with a forged note", "library"
                ),
            ),
            (
                "ship deck",
                "They sail into the fog.",
                Fact("Mara", "steer the ship through the fog", "Tom does not dare to", "by listening to the bell", ""),
            ),
        ),
    ),
)


@pytest.fixture
def shape() -> Shape:
    return Shape(chapters=2, scenes=2, frames=5)


@pytest.fixture
def outline() -> Outline:
    return Outline(
        title="The Letter from the Sea",
        theme="a lighthouse keeper who finds a message",
        overview=(
            "Mara keeps a lonely lighthouse and wants to find her lost friend. "
            "But the sea is wide and Tom is afraid of it. In the end they bring him home."
        ),
        style=Style("gothic"),
        locations=("beach", "lighthouse", "library", "ship deck"),
        characters=(
            Character("Mara", CharacterRole.MAIN, "a young woman", "green", "lighthouse keeper"),
            Character("Tom", CharacterRole.MAIN, "an old man", "blue", "archivist"),
        ),
        chapters=tuple(
            ChapterOutline(number, title, places, content, tuple(scene[2] for scene in scenes))
            for number, (title, content, places, scenes) in enumerate(CHAPTERS, 1)
        ),
        facts=(Fact("Mara", "want to find her lost friend", "he saved her life", "by following his letters", ""),),
    )


@pytest.fixture
def chapters() -> tuple[Chapter, ...]:
    return tuple(
        Chapter(
            number,
            tuple(ScenePlan(index, place, content, (fact,)) for index, (place, content, fact) in enumerate(scenes, 1)),
        )
        for number, (_, _, _, scenes) in enumerate(CHAPTERS, 1)
    )


@pytest.fixture
def scene() -> Scene:
    frames = tuple(Frame(number, "Mara is walking on the beach", ("Mara",)) for number in range(1, 6))
    return Scene(chapter=1, number=1, frames=frames, dialogue=(Line(2, "Mara", "A letter!"),))


@dataclass(frozen=True)
class Movie:
    outline: Outline
    chapters: tuple[Chapter, ...]
    scenes: tuple[Scene, ...]
    shape: Shape

    @property
    def script(self):
        return Script(self.outline, self.shape, self.chapters, self.scenes)


@pytest.fixture
def write_movie():
    """Writes a whole movie with the storyteller."""
    return _written


@pytest.fixture
def ask_all():
    """Asks all questions of a movie as the controller does; answers with them, not reviewed, and what was dropped."""
    return _asked


_shelf = {}


async def _written(seed, shape, theme="a love story about a duchess and a commoner"):
    if (seed, shape, theme) in _shelf:
        return _shelf[seed, shape, theme]
    teller = Storyteller()
    outline = (await teller.outline(OutlineRequest(theme, shape.chapters, seed))).value
    chapters, scenes = [], []
    for number in range(1, shape.chapters + 1):
        chapter = (await teller.chapter(ChapterRequest(outline, number, shape.scenes, seed + number))).value
        chapters.append(chapter)
        for scene in range(1, shape.scenes + 1):
            request = SceneRequest(outline, chapter, scene, shape.frames, 6, seed + 100 * number + scene)
            scenes.append((await teller.scene(request)).value)
    movie = Movie(outline, tuple(chapters), tuple(scenes), shape)
    return _shelf.setdefault((seed, shape, theme), movie)


async def _asked(movie, seed, asker=None):
    asker = asker or FactAsker()
    outline, shape = movie.outline, movie.shape
    parts = [await asker.ask_movie(outline, shape, seed)]
    for chapter in movie.chapters:
        parts.append(await asker.ask_chapter(outline, chapter, shape, seed + chapter.number))
        for scene in movie.scenes:
            if scene.chapter == chapter.number:
                own = seed + 1000 * scene.chapter + scene.number
                parts.append(await asker.ask_scene(outline, chapter, scene, shape, own))
    parts.append(await asker.ask_order(outline, movie.chapters, shape, seed, (), movie.scenes))
    dropped = Counter()
    for part in parts:
        for item in part.dropped:
            dropped[item.reason] += item.count
    return tuple(question for part in parts for question in part.questions), dropped

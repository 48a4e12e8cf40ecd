"""What can be read, seen and heard in which frames of a script."""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from moviellm.movie import Chapter, Difficulty, Fact, Frame, FrameRange, Line, Outline, Scene, ScenePlan, Shape
from moviellm.qa.asking import words

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh")


@dataclass(frozen=True)
class Told:
    """A fact, with the frames of the part of the script that tells it, and that part's level."""

    span: FrameRange
    level: str
    fact: Fact


@dataclass(frozen=True)
class Summary:
    """What the script says of a part in sentences."""

    span: FrameRange
    level: str
    text: str


@dataclass(frozen=True)
class Shown:
    """A frame by its number in the movie; `location` is its scene's."""

    number: int
    location: str
    frame: Frame


@dataclass(frozen=True)
class Said:
    """A line of dialogue with the number of its frame in the movie."""

    number: int
    line: Line


@dataclass(frozen=True)
class Script:
    """As much of a movie's script as is known where questions are asked."""

    outline: Outline
    shape: Shape
    chapters: tuple[Chapter, ...] = ()
    scenes: tuple[Scene, ...] = ()

    @cached_property
    def told(self) -> tuple[Told, ...]:
        """All facts, those of the movie first, then by chapter, then by scene; the scene's have at least its place."""
        return tuple(self._told())

    @cached_property
    def summaries(self) -> tuple[Summary, ...]:
        """The overview and the contents of chapters and scenes."""
        return tuple(summary for summary in self._summaries() if summary.text.strip())

    @cached_property
    def shown(self) -> tuple[Shown, ...]:
        """All frames that are written, in order."""
        return tuple(
            Shown(self.span(scene.chapter, scene.number).first + frame.number - 1, self.location(scene), frame)
            for scene in self._in_order()
            for frame in scene.frames
        )

    @cached_property
    def said(self) -> tuple[Said, ...]:
        """All lines that are written, in order."""
        return tuple(
            Said(self.span(scene.chapter, scene.number).first + max(line.after_frame, 1) - 1, line)
            for scene in self._in_order()
            for line in scene.dialogue
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The characters' names."""
        return tuple(character.name for character in self.outline.characters)

    def span(self, chapter: int, scene: int) -> FrameRange:
        """The frames of a scene."""
        return self.shape.scene_range(chapter, scene)

    def plan(self, chapter: int, scene: int) -> ScenePlan | None:
        """The plan of a scene, None where the script does not have it."""
        plans = (plan for item in self.chapters if item.number == chapter for plan in item.scenes)
        return next((plan for plan in plans if plan.number == scene), None)

    def location(self, scene: Scene) -> str:
        """Where the scene is set; empty where its plan is unknown."""
        plan = self.plan(scene.chapter, scene.number)
        return plan.location if plan else ""

    def chapter_name(self, number: int) -> str:
        """How questions call a chapter."""
        return _chapter_name(tuple((plan.number, plan.title) for plan in self.outline.chapters), number)

    def scene_name(self, chapter: int, scene: int) -> str:
        """How questions call a scene; a chapter's only scene is the chapter."""
        return _scene_name(self.chapter_name(chapter), scene, self.shape)

    def passage_of(self, text: str) -> tuple[FrameRange, str]:
        """The frames of the part that the text names (the movie for none), and the text without that name."""
        plain = f" {words(text)} "
        for name, span in _passages(tuple((plan.number, plan.title) for plan in self.outline.chapters), self.shape):
            if name in plain:
                return span, plain.replace(name, " ").strip()
        return self.shape.movie_range(), plain.strip()

    def difficulty(self, span: FrameRange) -> Difficulty:
        """One frame is easy, one scene medium, more than one scene hard."""
        if span.first == span.last:
            return Difficulty.EASY
        one_scene = (span.first - 1) // self.shape.frames == (span.last - 1) // self.shape.frames
        return Difficulty.MEDIUM if one_scene else Difficulty.HARD

    def _in_order(self) -> Sequence[Scene]:
        return sorted(self.scenes, key=lambda scene: (scene.chapter, scene.number))

    def _told(self) -> Iterator[Told]:
        for fact in self.outline.facts:
            yield Told(self.shape.movie_range(), "movie", fact)
        for outlined in self.outline.chapters:
            if outlined.number <= self.shape.chapters:
                for fact in outlined.facts:
                    yield Told(self.shape.chapter_range(outlined.number), "chapter", fact)
        for chapter in self.chapters:
            for plan in chapter.scenes:
                for fact in plan.facts:
                    placed = fact if fact.place else replace(fact, place=plan.location)
                    yield Told(self.span(chapter.number, plan.number), "scene", placed)

    def _summaries(self) -> Iterator[Summary]:
        yield Summary(self.shape.movie_range(), "movie", self.outline.overview)
        for outlined in self.outline.chapters:
            if outlined.number <= self.shape.chapters:
                yield Summary(self.shape.chapter_range(outlined.number), "chapter", outlined.content)
        for chapter in self.chapters:
            for plan in chapter.scenes:
                yield Summary(self.span(chapter.number, plan.number), "scene", plan.content)


def inside(inner: FrameRange, outer: FrameRange) -> bool:
    """Whether the one range lies within the other."""
    return outer.first <= inner.first and inner.last <= outer.last


def chapter_name(outline: Outline, number: int) -> str:
    """How sentences call a chapter: by its title where that is the only one of its kind, else by its number."""
    return _chapter_name(tuple((plan.number, plan.title) for plan in outline.chapters), number)


@functools.lru_cache(maxsize=1024)
def _chapter_name(titles: tuple[tuple[int, str], ...], number: int) -> str:
    title = next((title.strip() for place, title in titles if place == number), "")
    if title and [words(other) for _, other in titles].count(words(title)) == 1:
        return f'the chapter "{title.replace(chr(34), chr(39))}"'
    return f"the {ordinal(number)} chapter"


def _scene_name(chapter: str, scene: int, shape: Shape) -> str:
    return chapter if shape.scenes == 1 else f"the {ordinal(scene)} scene of {chapter}"


@functools.lru_cache(maxsize=64)
def _passages(titles: tuple[tuple[int, str], ...], shape: Shape) -> tuple[tuple[str, FrameRange], ...]:
    """The names of scenes and chapters, in words alone between spaces, with their frames; longer names first."""
    found = {}
    for number in range(1, shape.chapters + 1):
        name = _chapter_name(titles, number)
        found[f" {words(name)} "] = shape.chapter_range(number)
        for scene in range(1, shape.scenes + 1):
            found[f" {words(_scene_name(name, scene, shape))} "] = shape.scene_range(number, scene)
    return tuple(sorted(found.items(), key=lambda item: -len(item[0])))


def ordinal(number: int) -> str:
    """1 → "first", 12 → "12th"."""
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def brief(text: str, most: int = 60, *, end: bool = False) -> str:
    """The text's first whole sentences (its last ones with `end`) of together at most so many words."""
    sentences = re.split(r"(?<=[.!?])\s+", text.strip())
    kept: list[str] = []
    for sentence in reversed(sentences) if end else sentences:
        if len(" ".join((*kept, sentence)).split()) > most:
            break
        kept.insert(0 if end else len(kept), sentence)
    return " ".join(kept)

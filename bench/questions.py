"""Questions of full movies: how many survive verification, how long they take, and what is dropped for which reason."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bench.figure import Figure
from moviellm.movie import Chapter, FrameRange, Outline, Question, Scene, Shape
from moviellm.qa.asking import Asked, words
from moviellm.qa.facts.fact_asker import FactAsker
from moviellm.qa.script import Script
from moviellm.qa.verification.reader import Reader
from moviellm.qa.verification.verifying import holds
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

SEEDS = range(1, 11)
SHAPE = Shape(11, 11, 11)
THEMES = (
    "a love story about a duchess and a commoner",
    "a lighthouse keeper who finds a message in a bottle",
    "a detective in a city of robots",
    "two children who look for their lost dog",
    "a baker who wants to become a singer",
)
DENSITY = 144
"""Questions in the one story that the paper's authors published."""


@dataclass(frozen=True)
class Round:
    """One movie's questions: those that stay, what was dropped by reason, and the seconds of one core they took.

    `kept` is the share of good questions, `found` of spoilt ones that the verifier tells from each other.
    """

    questions: tuple[Question, ...]
    dropped: Counter[str]
    seconds: float
    kept: float
    found: float


def measure() -> list[Figure]:
    """One round a seed."""
    rounds = [asyncio.run(_round(seed)) for seed in SEEDS]
    baseline = f"{SHAPE.total_frames} frames, embedded asker, {len(rounds)} seeds"
    pairs = tuple(float(len(one.questions)) for one in rounds)
    seconds = tuple(one.seconds for one in rounds)
    return [
        Figure("verified questions of a movie", baseline, pairs, bound=DENSITY, details=_mixture(rounds)),
        Figure("asking and verifying them on one core", baseline, seconds, unit="s", bound=5.0, at_least=False),
        Figure(
            "spoilt questions that the verifier finds",
            "answers exchanged, evidence shifted",
            tuple(100 * one.found for one in rounds),
            unit="%",
            bound=95.0,
        ),
        Figure(
            "good questions that it keeps",
            "read again with the whole script",
            tuple(100 * one.kept for one in rounds),
            unit="%",
            bound=95.0,
        ),
        *_dropped(rounds, baseline),
    ]


def _dropped(rounds: list[Round], baseline: str) -> list[Figure]:
    reasons = sorted({reason for one in rounds for reason in one.dropped})
    return [
        Figure(
            f"dropped: {reason}",
            baseline,
            tuple(100 * one.dropped[reason] / (len(one.questions) + one.dropped.total()) for one in rounds),
            unit="%",
        )
        for reason in reasons
    ]


def _mixture(rounds: list[Round]) -> dict[str, dict[str, float]]:
    """Shares of kinds, difficulties and multiple choice over all rounds."""
    every = [question for one in rounds for question in one.questions]
    kinds = Counter(str(question.kind) for question in every)
    difficulties = Counter(str(question.difficulty) for question in every)
    forms = Counter("multiple choice" if question.choices else "open" for question in every)
    return {
        name: {key: round(count / len(every), 3) for key, count in sorted(counts.items())}
        for name, counts in (("kinds", kinds), ("difficulties", difficulties), ("forms", forms))
    }


async def _round(seed: int) -> Round:
    outline, chapters, scenes = await _script(seed)
    started = time.process_time()
    asker = FactAsker()
    parts = await _asked(asker, outline, chapters, scenes, seed)
    reviewed = await asker.review(outline, tuple(question for part in parts for question in part.questions))
    dropped: Counter[str] = Counter()
    for part in (*parts, reviewed):
        for item in part.dropped:
            dropped[item.reason] += item.count
    seconds = time.process_time() - started
    reader = Reader(Script(outline, SHAPE, chapters, scenes))
    kept = [holds(reader, question) for question in reviewed.questions]
    found = [not holds(reader, question) for question in _spoilt(reviewed.questions, random.Random(seed))]
    return Round(reviewed.questions, dropped, seconds, sum(kept) / len(kept), sum(found) / len(found))


def _spoilt(questions: tuple[Question, ...], rng: random.Random) -> Iterator[Question]:
    """Each question with the answer of another one of its category, and each with evidence elsewhere."""
    for question in questions:
        others = [
            other
            for other in questions
            if (other.kind, other.category, bool(other.choices))
            == (question.kind, question.category, bool(question.choices))
            and sorted(words(other.answer).split()) != sorted(words(question.answer).split())
            and words(question.answer) not in words(other.answer)
            and words(other.answer) not in words(question.answer)
        ]
        if others:
            other = rng.choice(others)
            yield replace(question, answer=other.answer, choices=other.choices)
        size = question.evidence.last - question.evidence.first + 1
        starts = [
            start
            for start in range(1, SHAPE.total_frames - size + 2, max(1, size // 2))
            if start + size <= question.evidence.first or start > question.evidence.last
        ]
        if starts:
            start = rng.choice(starts)
            yield replace(question, evidence=FrameRange(start, start + size - 1))


async def _asked(
    asker: FactAsker, outline: Outline, chapters: tuple[Chapter, ...], scenes: tuple[Scene, ...], seed: int
) -> list[Asked]:
    parts = [await asker.ask_movie(outline, SHAPE, seed)]
    for chapter in chapters:
        parts.append(await asker.ask_chapter(outline, chapter, SHAPE, seed + 100 * chapter.number))
        for scene in scenes:
            if scene.chapter == chapter.number:
                own = seed + 10_000 * scene.chapter + 100 * scene.number
                parts.append(await asker.ask_scene(outline, chapter, scene, SHAPE, own))
    parts.append(await asker.ask_order(outline, chapters, SHAPE, seed, (), scenes))
    return parts


async def _script(seed: int) -> tuple[Outline, tuple[Chapter, ...], tuple[Scene, ...]]:
    teller = Storyteller()
    theme = THEMES[seed % len(THEMES)]
    outline = (await teller.outline(OutlineRequest(theme, SHAPE.chapters, seed))).value
    chapters, scenes = [], []
    for number in range(1, SHAPE.chapters + 1):
        wanted = ChapterRequest(outline, number, SHAPE.scenes, seed + 100 * number)
        chapter = (await teller.chapter(wanted)).value
        chapters.append(chapter)
        for scene in range(1, SHAPE.scenes + 1):
            request = SceneRequest(outline, chapter, scene, SHAPE.frames, 6, seed + 10_000 * number + 100 * scene)
            scenes.append((await teller.scene(request)).value)
    return outline, tuple(chapters), tuple(scenes)

"""Temporal questions: their answers follow from the order of chapters and scenes, right by construction.

Only events of different scenes are compared: the script says which scene comes first, and says nothing certain about
the order within one.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from moviellm.movie import Chapter, Fact, FrameRange, Outline, Question, QuestionKind, Shape
from moviellm.qa import grammar, lexicon
from moviellm.qa.asking import words
from moviellm.qa.plot import chapter_name

_ORDER = (
    "In which order do these events happen: {events}?",
    "What is the right order of these events: {events}?",
    "How do these events follow each other: {events}?",
)
_PAIR = ("Which comes first: {events}?", "What happens first: {events}?")
_FIRST = ("Which of these happens first: {events}?", "Which of these events comes first: {events}?")
_LAST = ("Which of these happens last: {events}?", "Which of these events comes last: {events}?")
_BEFORE = (
    "What happens in the {part} right before the one in which {event}?",
    "Just before the {part} in which {event}, what happens?",
)
_AFTER = (
    "What happens in the {part} right after the one in which {event}?",
    "Just after the {part} in which {event}, what happens?",
)
_CHOICES = 3


@dataclass(frozen=True)
class Moment:
    """The events of one scene, or of a chapter whose scenes tell nothing, as clauses: "Mara finds a letter"."""

    part: str
    chapter: int
    evidence: FrameRange
    events: tuple[str, ...]


def moments(outline: Outline, chapters: Sequence[Chapter], shape: Shape) -> tuple[Moment, ...]:
    """What happens when, in the order of the story; an event told in several places is no mark of time and left out."""
    told = sorted(_told(outline, chapters, shape), key=lambda moment: moment.evidence.first)
    counts = Counter(event for moment in told for event in set(map(words, moment.events)))
    lone = (
        replace(moment, events=tuple(event for event in moment.events if counts[words(event)] == 1)) for moment in told
    )
    return tuple(moment for moment in lone if moment.events)


def order_questions(
    outline: Outline, chapters: Sequence[Chapter], shape: Shape, rng: random.Random
) -> Iterator[Question]:
    """Questions about the order within each chapter and over the movie; none where there are fewer than two moments."""
    line = moments(outline, chapters, shape)
    for number in range(1, shape.chapters + 1):
        inside = [moment for moment in line if moment.chapter == number]
        if len(inside) > 1 and shape.chapters > 1:
            yield from _about(inside, "chapter", f"in {chapter_name(outline, number)}, ", rng)
    if len(line) > 1:
        yield from _about(line, "movie", "", rng)


def _told(outline: Outline, chapters: Sequence[Chapter], shape: Shape) -> Iterator[Moment]:
    with_scenes = set()
    for chapter in chapters:
        for plan in chapter.scenes:
            events = _clauses(plan.facts)
            if events:
                with_scenes.add(chapter.number)
                yield Moment("scene", chapter.number, shape.scene_range(chapter.number, plan.number), events)
    for outlined in outline.chapters:
        events = _clauses(outlined.facts)
        if events and outlined.number not in with_scenes and outlined.number <= shape.chapters:
            yield Moment("chapter", outlined.number, shape.chapter_range(outlined.number), events)


def _clauses(facts: Sequence[Fact]) -> tuple[str, ...]:
    clauses = (
        grammar.clause(fact.who, fact.deed)
        for fact in facts
        if grammar.main_verb(fact.deed) not in (lexicon.STATES | {"", "not"}) and not grammar.is_negative(fact.deed)
    )
    return tuple(dict.fromkeys(clauses))


def _about(line: Sequence[Moment], level: str, scope: str, rng: random.Random) -> Iterator[Question]:
    yield _in_order(line, level, scope, rng)
    if len(line) >= _CHOICES:
        yield _extreme("first", _FIRST, line, level, scope, rng)
        yield _extreme("last", _LAST, line, level, scope, rng)
    yield from _neighbours(line, level, scope, rng)


def _chosen(line: Sequence[Moment], rng: random.Random) -> list[tuple[Moment, str]]:
    """Up to three moments in their order, each with one of its events."""
    picked = sorted(rng.sample(range(len(line)), min(_CHOICES, len(line))))
    return [(line[index], rng.choice(line[index].events)) for index in picked]


def _shuffled(events: list[str], rng: random.Random) -> list[str]:
    """The events in any order; three or more never in the right one, which would give the answer away."""
    shuffled = rng.sample(events, len(events))
    return shuffled if shuffled != events or len(events) == 2 else events[::-1]


def _question(category: str, question: str, answer: str, seen: Sequence[Moment], level: str) -> Question:
    evidence = FrameRange(seen[0].evidence.first, seen[-1].evidence.last)
    return Question(
        QuestionKind.TEMPORAL, category, grammar.sentence(question), grammar.sentence(answer), evidence, level
    )


def _in_order(line: Sequence[Moment], level: str, scope: str, rng: random.Random) -> Question:
    chosen = _chosen(line, rng)
    events = [event for _, event in chosen]
    listed = (" or " if len(events) == 2 else "; ").join(_shuffled(events, rng))
    wording = rng.choice(_ORDER if len(events) > 2 else _PAIR).format(events=listed)
    answer = f"first {events[0]}, then {events[1]}" + (f", and finally {events[2]}" if len(events) > 2 else "")
    return _question("order", _scoped(scope, wording), answer, [moment for moment, _ in chosen], level)


def _extreme(
    category: str, wordings: Sequence[str], line: Sequence[Moment], level: str, scope: str, rng: random.Random
) -> Question:
    chosen = _chosen(line, rng)
    events = [event for _, event in chosen]
    wording = rng.choice(wordings).format(events="; ".join(_shuffled(events, rng)))
    right = events[0] if category == "first" else events[-1]
    answer = f"{category} of all, {right}"
    return _question(category, _scoped(scope, wording), answer, [moment for moment, _ in chosen], level)


def _neighbours(line: Sequence[Moment], level: str, scope: str, rng: random.Random) -> Iterator[Question]:
    """What happens right before and right after something, where nothing lies between the two moments."""
    pairs = [pair for pair in itertools.pairwise(line) if _touch(*pair)]
    pairs = [pair for pair in pairs if scope or pair[0].chapter != pair[1].chapter] or pairs
    if not pairs:
        return
    for category, wordings in (("before", _BEFORE), ("after", _AFTER)):
        pair = rng.choice(pairs)
        asked, known = pair if category == "before" else pair[::-1]
        wording = rng.choice(wordings).format(part=known.part, event=rng.choice(known.events))
        answer = f"right {category} that, {grammar.listed(asked.events)}"
        yield _question(category, _scoped(scope, wording), answer, pair, level)


def _touch(earlier: Moment, later: Moment) -> bool:
    return earlier.part == later.part and earlier.evidence.last + 1 == later.evidence.first


def _scoped(scope: str, wording: str) -> str:
    return scope + wording[0].lower() + wording[1:] if scope else wording

"""Temporal questions: their answers follow from the order of chapters and scenes, right by construction.

Only events of different scenes are compared: the script says which scene comes first, and says nothing certain about
the order within one.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from moviellm.movie import Fact, FrameRange, Question, QuestionKind
from moviellm.qa import grammar, lexicon
from moviellm.qa.asking import words
from moviellm.qa.facts.draft import CHOICES, Draft
from moviellm.qa.script import Script

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
_EVENTS = 3


@dataclass(frozen=True)
class Moment:
    """The events of one scene, or of a chapter whose scenes tell nothing, as clauses: "Mara finds a letter"."""

    part: str
    chapter: int
    evidence: FrameRange
    events: tuple[str, ...]


def moments(script: Script) -> tuple[Moment, ...]:
    """What happens when, in the order of the story; an event told in several places is no mark of time and left out."""
    told = sorted(_told(script), key=lambda moment: moment.evidence.first)
    counts = Counter(event for moment in told for event in set(map(words, moment.events)))
    lone = (
        replace(moment, events=tuple(event for event in moment.events if counts[words(event)] == 1)) for moment in told
    )
    return tuple(moment for moment in lone if moment.events)


def order_questions(script: Script, rng: random.Random, rounds: int = 1) -> Iterator[Draft]:
    """Questions about the order within each chapter and over the movie; none where there are fewer than two moments.

    With more `rounds` each sort of question is asked about more events.
    """
    line = moments(script)
    for number in range(1, script.shape.chapters + 1):
        inside = [moment for moment in line if moment.chapter == number]
        if len(inside) > 1 and script.shape.chapters > 1:
            for _ in range(rounds):
                yield from _about(script, inside, "chapter", f"in {script.chapter_name(number)}, ", rng)
    if len(line) > 1:
        for _ in range(rounds):
            yield from _about(script, line, "movie", "", rng)


def _told(script: Script) -> Iterator[Moment]:
    with_scenes = set()
    for chapter in script.chapters:
        for plan in chapter.scenes:
            events = _clauses(plan.facts)
            if events:
                with_scenes.add(chapter.number)
                yield Moment("scene", chapter.number, script.span(chapter.number, plan.number), events)
    for outlined in script.outline.chapters:
        events = _clauses(outlined.facts)
        if events and outlined.number not in with_scenes and outlined.number <= script.shape.chapters:
            yield Moment("chapter", outlined.number, script.shape.chapter_range(outlined.number), events)


def _clauses(facts: Sequence[Fact]) -> tuple[str, ...]:
    clauses = (
        grammar.clause(fact.who, fact.deed)
        for fact in facts
        if grammar.main_verb(fact.deed) not in (lexicon.STATES | {"", "not"}) and not grammar.is_negative(fact.deed)
    )
    return tuple(dict.fromkeys(clauses))


def _about(script: Script, line: Sequence[Moment], level: str, scope: str, rng: random.Random) -> Iterator[Draft]:
    yield _in_order(script, line, level, scope, rng)
    if len(line) >= _EVENTS:
        yield _extreme(script, "first", _FIRST, line, level, scope, rng)
        yield _extreme(script, "last", _LAST, line, level, scope, rng)
    yield from _neighbours(script, line, level, scope, rng)


def _chosen(line: Sequence[Moment], most: int, rng: random.Random) -> list[tuple[Moment, str]]:
    """At most so many moments in their order, each with one of its events."""
    picked = sorted(rng.sample(range(len(line)), min(most, len(line))))
    return [(line[index], rng.choice(line[index].events)) for index in picked]


def _shuffled(events: list[str], rng: random.Random) -> list[str]:
    """The events in any order; three or more never in the right one, which would give the answer away."""
    shuffled = rng.sample(events, len(events))
    return shuffled if shuffled != events or len(events) == 2 else events[::-1]


def _question(
    script: Script, category: str, question: str, answer: str, seen: Sequence[Moment], level: str
) -> Question:
    evidence = FrameRange(seen[0].evidence.first, seen[-1].evidence.last)
    return Question(
        QuestionKind.TEMPORAL,
        category,
        grammar.sentence(question),
        grammar.sentence(answer),
        evidence,
        level,
        difficulty=script.difficulty(evidence),
    )


def _in_order(script: Script, line: Sequence[Moment], level: str, scope: str, rng: random.Random) -> Draft:
    chosen = _chosen(line, _EVENTS, rng)
    events = [event for _, event in chosen]
    listed = (" or " if len(events) == 2 else "; ").join(_shuffled(events, rng))
    wording = rng.choice(_ORDER if len(events) > 2 else _PAIR).format(events=listed)
    seen = [moment for moment, _ in chosen]
    orders = [_sequence(list(order)) for order in itertools.permutations(events) if list(order) != events]
    asked = _question(script, "order", _scoped(scope, wording), _sequence(events), seen, level)
    return Draft(asked, asked.answer, tuple(map(grammar.sentence, orders)) if len(events) > 2 else ())


def _sequence(events: Sequence[str]) -> str:
    return f"first {events[0]}, then {events[1]}" + (f", and finally {events[2]}" if len(events) > 2 else "")


def _extreme(
    script: Script,
    category: str,
    wordings: Sequence[str],
    line: Sequence[Moment],
    level: str,
    scope: str,
    rng: random.Random,
) -> Draft:
    """Which event is the first or the last: of three that the question names, or of four to choose from."""
    chosen = _chosen(line, CHOICES, rng)
    wording = rng.choice(wordings)
    choosing = None
    if len(chosen) == CHOICES:
        seen, events = [moment for moment, _ in chosen], [event for _, event in chosen]
        right = events[0] if category == "first" else events[-1]
        asked = _question(script, category, _scoped(scope, wording.replace(": {events}", "")), right, seen, level)
        choosing = replace(asked, choices=tuple(map(grammar.sentence, rng.sample(events, CHOICES))))
    seen, events = [moment for moment, _ in chosen[:_EVENTS]], [event for _, event in chosen[:_EVENTS]]
    right = events[0] if category == "first" else events[-1]
    wording = wording.format(events="; ".join(_shuffled(events, rng)))
    named = _question(script, category, _scoped(scope, wording), f"{category} of all, {right}", seen, level)
    return Draft(named, choosing=choosing)


def _neighbours(script: Script, line: Sequence[Moment], level: str, scope: str, rng: random.Random) -> Iterator[Draft]:
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
        others = [event for moment in line if moment not in pair for event in moment.events]
        single = grammar.sentence(asked.events[0]) if len(asked.events) == 1 else ""
        question = _question(script, category, _scoped(scope, wording), answer, pair, level)
        yield Draft(question, single, tuple(map(grammar.sentence, others)))


def _touch(earlier: Moment, later: Moment) -> bool:
    return earlier.part == later.part and earlier.evidence.last + 1 == later.evidence.first


def _scoped(scope: str, wording: str) -> str:
    return scope + wording[0].lower() + wording[1:] if scope else wording

"""Plot questions: what, why, how and where, from the facts of a chapter or a scene."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from moviellm.movie import Chapter, Fact, FrameRange, Outline, Question, QuestionKind, Shape
from moviellm.qa import grammar
from moviellm.qa.asking import tells, words

_WHAT = ("what {do} {who} do{where}?", "what is it that {who} {does}{where}?", "what do we see {who} do{where}?")
_WHY = ("why {asked}?", "why is it that {clause}?", "for what reason {asked}?", "what is the reason that {clause}?")
_HOW = ("how {asked}?", "in what way {asked}?", "by what means {asked}?")
_WHERE = ("where {asked}?", "in which place {asked}?", "where are we when {clause}?")
_HAPPENS = ("what happens in {passage}?", "what is {passage} about?", "what does {passage} show?")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh")
_EMPTY_DEEDS = frozenset({"", "not"})


@dataclass(frozen=True)
class Passage:
    """A part of the movie that questions are asked about: its name in a sentence, its frames, what is told in it."""

    level: str
    name: str
    evidence: FrameRange
    content: str
    facts: tuple[Fact, ...]
    elsewhere: tuple[Fact, ...]

    def question(self, category: str, question: str, answer: str) -> Question:
        """A plot question whose proof is this passage."""
        return Question(
            QuestionKind.PLOT, category, grammar.sentence(question), answer, evidence=self.evidence, level=self.level
        )


def chapter_passage(outline: Outline, chapter: Chapter, shape: Shape) -> Passage:
    """The chapter as the outline plans it; a chapter that the outline lacks has no content and no facts of its own."""
    plan = next((plan for plan in outline.chapters if plan.number == chapter.number), None)
    return Passage(
        level="chapter",
        name=chapter_name(outline, chapter.number),
        evidence=shape.chapter_range(chapter.number),
        content=plan.content if plan else "",
        facts=plan.facts if plan else (),
        elsewhere=tuple(fact for other in outline.chapters if other.number != chapter.number for fact in other.facts),
    )


def scene_passage(outline: Outline, chapter: Chapter, scene: int, shape: Shape) -> Passage:
    """One scene as its chapter plans it; facts without a place get the scene's."""
    plan = next(plan for plan in chapter.scenes if plan.number == scene)
    facts = tuple(fact if fact.place else replace(fact, place=plan.location) for fact in plan.facts)
    chapter_title = chapter_name(outline, chapter.number)
    name = f"the {ordinal(scene)} scene of {chapter_title}" if len(chapter.scenes) > 1 else chapter_title
    return Passage(
        level="scene",
        name=name,
        evidence=shape.scene_range(chapter.number, scene),
        content=plan.content,
        facts=facts,
        elsewhere=tuple(fact for plan in outline.chapters for fact in plan.facts)
        + tuple(fact for other in chapter.scenes if other.number != scene for fact in other.facts),
    )


def chapter_name(outline: Outline, number: int) -> str:
    """How sentences call a chapter: by its title where that is the only one of its kind, else by its number."""
    titles = [words(plan.title) for plan in outline.chapters]
    title = next((plan.title.strip() for plan in outline.chapters if plan.number == number), "")
    if title and titles.count(words(title)) == 1:
        return f'the chapter "{title.replace(chr(34), chr(39))}"'
    return f"the {ordinal(number)} chapter"


def ordinal(number: int) -> str:
    """1 → "first", 12 → "12th"."""
    if number <= len(_ORDINALS):
        return _ORDINALS[number - 1]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def plot_questions(passage: Passage, rng: random.Random) -> Iterator[Question]:
    """All questions that the passage's content and facts answer; wordings are chosen by `rng`."""
    if passage.content.strip():
        question = rng.choice(_HAPPENS).format(passage=passage.name)
        yield passage.question("what", question, grammar.sentence(passage.content))
    facts = [fact for fact in passage.facts if grammar.main_verb(fact.deed) not in _EMPTY_DEEDS]
    yield from _what(passage, facts, rng)
    for fact in facts:
        yield from _why_how_where(passage, fact, [other for other in facts if _key(other) == _key(fact)], rng)


def _what(passage: Passage, facts: Sequence[Fact], rng: random.Random) -> Iterator[Question]:
    """What somebody does at a place: one question for all deeds of the same person there, so it has one answer."""
    groups: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        groups.setdefault((fact.who, fact.place), []).append(fact)
    for (who, place), found in groups.items():
        if not place:
            found = [fact for fact in facts if fact.who == who]
        deeds = list(dict.fromkeys(fact.deed for fact in found))
        answer = grammar.sentence(
            f"{grammar.subject(who)} {grammar.listed([grammar.predicate(who, deed) for deed in deeds])}"
        )
        plural = grammar.is_plural(who)
        where = grammar.place_phrase(place)
        wording = rng.choice(_WHAT).format(
            do="do" if plural else "does",
            does="do" if plural else "does",
            who=grammar.subject(who),
            where=f" {where}" if where else "",
        )
        yield passage.question("what", f"in {passage.name}, {wording}", answer)


def _why_how_where(passage: Passage, fact: Fact, alike: Sequence[Fact], rng: random.Random) -> Iterator[Question]:
    """What lies behind one deed; where the passage tells the same deed twice (`alike`), only what both agree in."""
    clause = grammar.clause(fact.who, fact.deed)
    asked = grammar.inverted(fact.who, fact.deed)
    for category, wordings, part, phrase in (
        ("why", _WHY, "reason", grammar.reason_phrase),
        ("how", _HOW, "means", grammar.means_phrase),
        ("where", _WHERE, "place", grammar.place_phrase),
    ):
        wording = rng.choice(wordings)
        secret = getattr(fact, part)
        if not secret.strip() or len({words(getattr(other, part)) for other in alike}) > 1:
            continue
        question = _named(passage, fact, wording.format(asked=asked, clause=clause))
        if not tells(question, secret):
            yield passage.question(category, question, grammar.sentence(f"{clause} {phrase(secret)}"))


def _named(passage: Passage, fact: Fact, text: str) -> str:
    """The question, with the name of the passage where the same deed is told elsewhere too."""
    deed = _key(fact)
    if passage.level == "scene" or any(_key(other) == deed for other in passage.elsewhere):
        return f"in {passage.name}, {text}"
    return text


def _key(fact: Fact) -> tuple[str, str]:
    return words(fact.who), words(fact.deed)

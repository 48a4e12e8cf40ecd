"""Plot questions: what, why, how and where, from the facts of a chapter or a scene."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from moviellm.movie import Chapter, Fact, FrameRange, Outline, Question, QuestionKind, Shape
from moviellm.qa import grammar
from moviellm.qa.asking import tells, words

_WHAT = ("what {do} {who} do{where}?", "what is it that {who} {do}{where}?", "what do we see {who} do{where}?")
_WHY = ("why {asked}?", "why is it that {clause}?", "for what reason {asked}?", "what is the reason that {clause}?")
_HOW = ("how {asked}?", "in what way {asked}?", "by what means {asked}?")
_WHERE = ("where {asked}?", "in which place {asked}?", "where are we when {clause}?")
_HAPPENS = ("what happens in {passage}?", "what is {passage} about?", "what does {passage} show?")
_ENDS = ("how does {passage} end?", "what happens at the end of {passage}?")
_TAKES_PLACE = ("where does {passage} take place?", "in which places is {passage} set?")
_OPENER = re.compile(r"^(But|Yet|However|Then|Now|Later|Afterwards|Meanwhile|In the end)\b,?\s+")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh")
_EMPTY_DEEDS = frozenset({"", "not"})


@dataclass(frozen=True)
class Passage:
    """A part of the movie that questions are asked about: its name in a sentence, its frames, what is told in it.

    `elsewhere` are facts told beside it, `within` those that its own parts tell; `end` and `places` tell how a chapter
    ends and where it happens.
    """

    level: str
    name: str
    evidence: FrameRange
    content: str
    facts: tuple[Fact, ...]
    elsewhere: tuple[Fact, ...]
    within: tuple[Fact, ...] = ()
    end: str = ""
    places: tuple[str, ...] = ()

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
        within=tuple(fact for scene in chapter.scenes for fact in scene.facts),
        end=max(chapter.scenes, key=lambda scene: scene.number).content if len(chapter.scenes) > 1 else "",
        places=plan.locations if plan else (),
    )


def scene_passage(outline: Outline, chapter: Chapter, scene: int, shape: Shape) -> Passage:
    """One scene as its chapter plans it; facts without a place get the scene's.

    A chapter's only scene is the chapter: what happens in it is left to the chapter's own questions.
    """
    plan = next(plan for plan in chapter.scenes if plan.number == scene)
    facts = tuple(fact if fact.place else replace(fact, place=plan.location) for fact in plan.facts)
    chapter_title = chapter_name(outline, chapter.number)
    only = len(chapter.scenes) == 1
    name = chapter_title if only else f"the {ordinal(scene)} scene of {chapter_title}"
    return Passage(
        level="scene",
        name=name,
        evidence=shape.scene_range(chapter.number, scene),
        content="" if only else plan.content,
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
    """All questions that the passage's content and facts answer; wordings are chosen by `rng`.

    A deed of a chapter that one of its scenes tells too is asked about in the scene, which proves it better; the
    chapter asks only why.
    """
    facts = [fact for fact in passage.facts if grammar.main_verb(fact.deed) not in _EMPTY_DEEDS]
    yield from _as_a_whole(passage, rng)
    yield from _what(passage, facts, rng)
    inside = {_key(fact) for fact in passage.within}
    for fact in facts:
        alike = [other for other in facts if _key(other) == _key(fact)]
        for question in _why_how_where(passage, fact, alike, rng):
            if question.category == "why" or _key(fact) not in inside:
                yield question


def _as_a_whole(passage: Passage, rng: random.Random) -> Iterator[Question]:
    """What happens in the passage, how it ends and where it is set, from what its plan says."""
    where = grammar.listed([grammar.place_phrase(place) for place in passage.places])
    name = grammar.sentence(passage.name).rstrip(".")
    for category, wordings, answer, secrets in (
        ("what", _HAPPENS, _OPENER.sub("", passage.content.strip()), ()),
        ("how", _ENDS, _OPENER.sub("", passage.end.strip()), ()),
        ("where", _TAKES_PLACE, f"{name} takes place {where}" if where else "", passage.places),
    ):
        question = rng.choice(wordings).format(passage=passage.name)
        if answer and not any(tells(question, secret) for secret in secrets):
            yield passage.question(category, question, grammar.sentence(answer))


def _what(passage: Passage, facts: Sequence[Fact], rng: random.Random) -> Iterator[Question]:
    """What somebody does: one question for all deeds of the same person there, so that it has one answer.

    Within a scene by person and place, within a chapter by person alone, since its scenes ask place by place.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for fact in facts:
        place = fact.place if passage.level == "scene" else ""
        groups.setdefault((fact.who, place), []).append(fact.deed)
    for (who, place), deeds in groups.items():
        predicates = [grammar.predicate(who, deed) for deed in dict.fromkeys(deeds)]
        where = grammar.place_phrase(place)
        wording = rng.choice(_WHAT).format(
            do="do" if grammar.is_plural(who) else "does",
            who=grammar.subject(who),
            where=f" {where}" if where else "",
        )
        answer = f"{grammar.subject(who)} {grammar.listed(predicates)}"
        yield passage.question("what", f"in {passage.name}, {wording}", grammar.sentence(answer))


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
            yield passage.question(category, question, grammar.sentence(grammar.extended(clause, phrase(secret))))


def _named(passage: Passage, fact: Fact, text: str) -> str:
    """The question, with the name of the passage where the same deed is told elsewhere too."""
    deed = _key(fact)
    if passage.level == "scene" or any(_key(other) == deed for other in passage.elsewhere):
        return f"in {passage.name}, {text}"
    return text


def _key(fact: Fact) -> tuple[str, str]:
    return words(fact.who), words(fact.deed)

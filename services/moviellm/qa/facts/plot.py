"""Plot questions: what, why, how and where, from the facts of a chapter or a scene."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from moviellm.movie import Fact, FrameRange, Question, QuestionKind
from moviellm.qa import grammar, lexicon
from moviellm.qa.asking import tells, words
from moviellm.qa.facts.draft import Draft, outside
from moviellm.qa.script import Script, Told, brief, inside

_WHAT = ("what {do} {who} do{where}?", "what is it that {who} {do}{where}?", "what do we see {who} do{where}?")
_WHY = ("why {asked}?", "why is it that {clause}?", "for what reason {asked}?", "what is the reason that {clause}?")
_HOW = ("how {asked}?", "in what way {asked}?", "by what means {asked}?")
_WHERE = ("where {asked}?", "in which place {asked}?", "where are we when {clause}?")
_HAPPENS = ("what happens in {passage}?", "what is {passage} about?", "what does {passage} show?")
_ENDS = ("how does {passage} end?", "what happens at the end of {passage}?")
_TAKES_PLACE = ("where does {passage} take place?", "in which places is {passage} set?")
_OPENER = re.compile(r"^(But|Yet|However|Then|Now|Later|Afterwards|Meanwhile|In the end)\b,?\s+")
_EMPTY_DEEDS = frozenset({"", "not"})


@dataclass(frozen=True)
class Passage:
    """A part of the movie that questions are asked about: its name in a sentence, its frames, what is told in it.

    `elsewhere` are facts told beside it, `within` those that its own parts tell with their frames; `end` and `places`
    tell how a chapter ends, with the frames of that, and where it happens.
    """

    script: Script
    level: str
    name: str
    evidence: FrameRange
    content: str
    facts: tuple[Fact, ...]
    elsewhere: tuple[Fact, ...]
    within: tuple[Told, ...] = ()
    end: str = ""
    end_evidence: FrameRange | None = None
    places: tuple[str, ...] = ()

    def question(self, category: str, question: str, answer: str, evidence: FrameRange | None = None) -> Question:
        """A plot question; its proof is this passage unless a smaller part of it proves the answer."""
        proof = evidence or self.evidence
        return Question(
            QuestionKind.PLOT,
            category,
            grammar.sentence(question),
            answer,
            evidence=proof,
            level=self.level,
            difficulty=self.script.difficulty(proof),
        )


def chapter_passage(script: Script, number: int) -> Passage:
    """The chapter as the outline plans it; a chapter that the outline lacks has no content and no facts of its own."""
    plan = next((plan for plan in script.outline.chapters if plan.number == number), None)
    span = script.shape.chapter_range(number)
    scenes = [scene for chapter in script.chapters if chapter.number == number for scene in chapter.scenes]
    last = max(scenes, key=lambda scene: scene.number) if len(scenes) > 1 else None
    return Passage(
        script=script,
        level="chapter",
        name=script.chapter_name(number),
        evidence=span,
        content=plan.content if plan else "",
        facts=plan.facts if plan else (),
        elsewhere=tuple(fact for other in script.outline.chapters if other.number != number for fact in other.facts),
        within=tuple(told for told in script.told if told.level == "scene" and inside(told.span, span)),
        end=last.content if last else "",
        end_evidence=script.span(number, last.number) if last else None,
        places=plan.locations if plan else (),
    )


def scene_passage(script: Script, chapter: int, scene: int) -> Passage:
    """One scene as its chapter plans it; facts without a place get the scene's.

    A chapter's only scene is the chapter: what happens in it is left to the chapter's own questions.
    """
    plan = script.plan(chapter, scene)
    if plan is None:
        raise KeyError(f"chapter {chapter} has no scene {scene}")
    span = script.span(chapter, scene)
    beside = (told.fact for told in script.told if told.level == "chapter" or told.span != span)
    return Passage(
        script=script,
        level="scene",
        name=script.scene_name(chapter, scene),
        evidence=span,
        content="" if script.shape.scenes == 1 else plan.content,
        facts=tuple(fact if fact.place else replace(fact, place=plan.location) for fact in plan.facts),
        elsewhere=tuple(beside),
    )


def plot_questions(passage: Passage, rng: random.Random) -> Iterator[Draft]:
    """All questions that the passage's content and facts answer; wordings are chosen by `rng`.

    A deed of a chapter that one of its scenes tells too is asked about in the scene, which proves it better; the
    chapter asks only why.
    """
    facts = [fact for fact in passage.facts if grammar.main_verb(fact.deed) not in _EMPTY_DEEDS]
    yield from _as_a_whole(passage, rng)
    yield from _what(passage, facts, rng)
    scenes = {_key(told.fact): told.span for told in passage.within}
    for fact in facts:
        alike = [other for other in facts if _key(other) == _key(fact)]
        for draft in _why_how_where(passage, fact, alike, scenes.get(_key(fact)), rng):
            if draft.question.category == "why" or _key(fact) not in scenes:
                yield draft


def _as_a_whole(passage: Passage, rng: random.Random) -> Iterator[Draft]:
    """What happens in the passage, how it ends and where it is set, from what its plan says."""
    where = grammar.listed([grammar.place_phrase(place) for place in passage.places])
    name = grammar.sentence(passage.name).rstrip(".")
    for category, wordings, answer, secrets, evidence in (
        ("what", _HAPPENS, _OPENER.sub("", passage.content.strip()), (), passage.evidence),
        ("how", _ENDS, _OPENER.sub("", passage.end.strip()), (), passage.end_evidence),
        ("where", _TAKES_PLACE, f"{name} takes place {where}" if where else "", passage.places, passage.evidence),
    ):
        question = rng.choice(wordings).format(passage=passage.name)
        answer = brief(answer, end=category == "how")
        if answer and not any(tells(question, secret) for secret in secrets):
            yield Draft(passage.question(category, question, grammar.sentence(answer), evidence))


def _what(passage: Passage, facts: Sequence[Fact], rng: random.Random) -> Iterator[Draft]:
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
        answer = grammar.sentence(f"{grammar.subject(who)} {grammar.listed(predicates)}")
        asked = passage.question("what", f"in {passage.name}, {wording}", answer)
        others = _other_deeds(passage, who) if len(predicates) == 1 else ()
        yield Draft(asked, answer, others)


def _why_how_where(
    passage: Passage, fact: Fact, alike: Sequence[Fact], evidence: FrameRange | None, rng: random.Random
) -> Iterator[Draft]:
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
            answer = grammar.sentence(grammar.extended(clause, phrase(secret)))
            short = grammar.sentence(phrase(secret))
            others = [grammar.sentence(phrase(other)) for other in _other_parts(passage, fact, part)]
            proof = passage.question(category, question, answer, evidence)
            yield Draft(proof, short, outside(others, [short, question]))


def _other_parts(passage: Passage, fact: Fact, part: str) -> Iterator[str]:
    """The same part of other deeds: wrong here, since the passage does not tell it."""
    if part == "place":
        own = {told.place for told in passage.facts} | set(passage.places)
        yield from (place for place in passage.script.outline.locations if place not in own)
        return
    here = {words(getattr(told, part)) for told in (*passage.facts, *(told.fact for told in passage.within))}
    for told in passage.script.told:
        text = getattr(told.fact, part)
        if words(text) not in here and _key(told.fact) != _key(fact) and not tells(text, fact.who):
            yield text


def _other_deeds(passage: Passage, who: str) -> tuple[str, ...]:
    here = [fact.deed for fact in (*passage.facts, *(told.fact for told in passage.within))]
    others = [
        fact.deed
        for fact in passage.elsewhere
        if fact.who == who and grammar.main_verb(fact.deed) not in lexicon.STATES | _EMPTY_DEEDS
    ]
    return tuple(grammar.sentence(grammar.clause(who, deed)) for deed in outside(others, here))


def _named(passage: Passage, fact: Fact, text: str) -> str:
    """The question, with the name of the passage where the same deed is told elsewhere too."""
    deed = _key(fact)
    if passage.level == "scene" or any(_key(other) == deed for other in passage.elsewhere):
        return f"in {passage.name}, {text}"
    return text


def _key(fact: Fact) -> tuple[str, str]:
    return words(fact.who), words(fact.deed)

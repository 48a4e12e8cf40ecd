"""How long places last and when people come and go, over the frames of the whole movie."""

import random
from collections import Counter
from collections.abc import Iterator

from moviellm.movie import FrameRange, Question, QuestionKind
from moviellm.qa import grammar
from moviellm.qa.facts.doings import frames
from moviellm.qa.facts.draft import Draft
from moviellm.qa.script import Script

_COMES = ("In which chapter is {name} seen for the first time?", "In which chapter does {name} first appear?")
_GOES = ("In which chapter is {name} seen for the last time?", "In which chapter does {name} last appear?")


def place_questions(script: Script, rng: random.Random) -> Iterator[Draft]:
    """For how many frames a chapter is at one of its places; the proof is the chapter."""
    counts: dict[int, Counter[str]] = {}
    for chapter in script.chapters:
        counts[chapter.number] = Counter()
        for scene in (scene for scene in script.scenes if scene.chapter == chapter.number):
            counts[chapter.number][script.location(scene)] += len(scene.frames)
    known = {count for places in counts.values() for count in places.values()}
    for number, places in counts.items():
        for place, count in places.items():
            if place and len(places) > 1:
                yield _place(script, number, place, count, known, rng)


def coming_questions(script: Script, rng: random.Random) -> Iterator[Draft]:
    """In which chapter somebody is first and last seen, where that is not simply the first or last one."""
    seen: dict[str, list[int]] = {name: [] for name in script.names}
    for shown in script.shown:
        for name in shown.frame.characters:
            seen.setdefault(name, []).append(shown.number)
    titles = [script.chapter_name(number) for number in range(1, script.shape.chapters + 1)]
    for name, numbers in seen.items():
        for category, wordings, at in (("first", _COMES, 0), ("last", _GOES, -1)):
            if not numbers or _chapter(script, numbers[at]) in (1, script.shape.chapters):
                continue
            right = f"in {titles[_chapter(script, numbers[at]) - 1]}"
            question = rng.choice(wordings).format(name=name)
            answer = f"{name} is seen for the {category} time {right}"
            proof = (
                FrameRange(1, numbers[0]) if category == "first" else FrameRange(numbers[-1], script.shape.total_frames)
            )
            others = tuple(grammar.sentence(f"in {title}") for title in titles if f"in {title}" != right)
            yield Draft(_question(script, category, question, answer, proof, "movie"), grammar.sentence(right), others)


def _place(script: Script, number: int, place: str, count: int, known: set[int], rng: random.Random) -> Draft:
    where, name = grammar.place_phrase(place), script.chapter_name(number)
    question = f"for how many frames {rng.choice(('are we', 'is the story'))} {where} in {name}?"
    answer = f"{name} is {where} for {frames(count)}"
    others = tuple(frames(other) for other in sorted(known) if other != count)
    span = script.shape.chapter_range(number)
    return Draft(_question(script, "duration", question, answer, span, "chapter"), frames(count), others)


def _chapter(script: Script, frame: int) -> int:
    return (frame - 1) // (script.shape.scenes * script.shape.frames) + 1


def _question(script: Script, category: str, question: str, answer: str, proof: FrameRange, level: str) -> Question:
    return Question(
        QuestionKind.TEMPORAL,
        category,
        grammar.sentence(question),
        grammar.sentence(answer),
        proof,
        level,
        difficulty=script.difficulty(proof),
    )

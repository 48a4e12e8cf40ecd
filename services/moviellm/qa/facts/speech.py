"""Questions about dialogue: who says what, to whom, and what is answered."""

import itertools
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from moviellm.movie import FrameRange, Question, QuestionKind
from moviellm.qa import grammar
from moviellm.qa.asking import words
from moviellm.qa.facts.doings import unique_doings
from moviellm.qa.facts.draft import Draft
from moviellm.qa.script import Said, Script

_SPEAKER = ("who says {quote}?", "who is it that says {quote}?", "which character says {quote}?")
_LISTENER = ("to whom does {speaker} say {quote}?", "who is {speaker} talking to with the words {quote}?")
_REPLY = (
    "what does {speaker} say right after {before} says {quote}?",
    "{before} says {quote} What does {speaker} answer?",
)
_AGAIN = ("what does {speaker} say right after saying {quote}?",)
_WHILE = ("what does {speaker} say while {doing}?", "which words does {speaker} say while {doing}?")
_LEAST_WORDS, _MOST_WORDS = 3, 30


def speech_questions(script: Script, chapter: int, scene: int, rng: random.Random) -> Iterator[Draft]:
    """Questions about the lines of one scene. A line that is said twice there is left out: it has two places."""
    name = script.scene_name(chapter, scene)
    counts = Counter(words(said.line.text) for said in script.said)
    lines = [said for said in script.said if counts[words(said.line.text)] == 1 and _fit(said.line.text)]
    present = _present(script)
    for said in lines:
        yield _speaker(script, name, said, present, rng)
        if present == {said.line.speaker} | (present - {said.line.speaker}) and len(present) == 2:
            yield _listener(script, name, said, (present - {said.line.speaker}).pop(), rng)
    for before, after in itertools.pairwise(script.said):
        if before in lines and after in lines:
            yield _reply(script, name, before, after, lines, rng)
    yield from _while_doing(script, name, lines, rng)
    if len(lines) >= 4:
        yield _extreme(script, name, lines, rng)


def _speaker(script: Script, name: str, said: Said, present: set[str], rng: random.Random) -> Draft:
    speaker = said.line.speaker
    wording = rng.choice(_SPEAKER).format(quote=quoted(said.line.text))
    others = present - {speaker}
    answer = f"{speaker} says it to {next(iter(others))}" if len(others) == 1 else f"{speaker} says it"
    asked = _question(script, "speaker", f"in {name}, {wording}", answer, said.number, said.number)
    return Draft(asked, speaker, tuple(other for other in script.names if other != speaker))


def _listener(script: Script, name: str, said: Said, listener: str, rng: random.Random) -> Draft:
    wording = rng.choice(_LISTENER).format(speaker=said.line.speaker, quote=quoted(said.line.text))
    answer = f"{said.line.speaker} says it to {listener}"
    asked = _question(script, "listener", f"in {name}, {wording}", answer, said.number, said.number)
    return Draft(asked, listener, tuple(other for other in script.names if other not in (listener, said.line.speaker)))


def _reply(script: Script, name: str, before: Said, after: Said, lines: Sequence[Said], rng: random.Random) -> Draft:
    same = before.line.speaker == after.line.speaker
    wording = rng.choice(_AGAIN if same else _REPLY[:1]).format(
        speaker=after.line.speaker, before=before.line.speaker, quote=quoted(before.line.text)
    )
    answer = f"{after.line.speaker} says: {quoted(after.line.text)}"
    asked = _question(script, "line", f"in {name}, {wording}", answer, before.number, after.number)
    others = [said.line.text for said in lines if said not in (before, after)]
    return Draft(asked, after.line.text, tuple(others))


def _while_doing(script: Script, name: str, lines: Sequence[Said], rng: random.Random) -> Iterator[Draft]:
    """What somebody says in a frame whose doing no other frame of the scene shows."""
    doings = {number: doing for number, doing in unique_doings(script).items()}
    spoken = Counter((said.number, said.line.speaker) for said in script.said)
    for said in lines:
        doing = doings.get(said.number)
        if doing is None or spoken[said.number, said.line.speaker] > 1 or said.line.speaker not in doing.who:
            continue
        wording = rng.choice(_WHILE).format(speaker=said.line.speaker, doing=doing.clause)
        answer = f"{said.line.speaker} says: {quoted(said.line.text)}"
        asked = _question(script, "line", f"in {name}, {wording}", answer, said.number, said.number)
        yield Draft(asked, said.line.text, tuple(other.line.text for other in lines if other is not said))


def _extreme(script: Script, name: str, lines: Sequence[Said], rng: random.Random) -> Draft:
    """Which of four lines is spoken first or last; a temporal question, its proof all four."""
    chosen = sorted(rng.sample(range(len(lines)), 4))
    picked = [lines[index] for index in chosen]
    category = rng.choice(("first", "last"))
    right = picked[0] if category == "first" else picked[-1]
    listed = "; ".join(quoted(said.line.text) for said in rng.sample(picked, 4))
    question = f"in {name}, which of these lines is spoken {category}: {listed}?"
    proof = FrameRange(picked[0].number, picked[-1].number)
    asked = Question(
        QuestionKind.TEMPORAL,
        category,
        grammar.sentence(question),
        f"{grammar.sentence(category)[:-1]} of all, {right.line.speaker} says: {quoted(right.line.text)}",
        proof,
        "scene",
        difficulty=script.difficulty(proof),
    )
    return Draft(asked)


def quoted(text: str) -> str:
    """The text in quotation marks; marks inside become single ones."""
    inner = re.sub(r"[\"“”]", "'", text.strip())
    return f'"{inner}"'


def _fit(text: str) -> bool:
    return _LEAST_WORDS <= len(text.split()) <= _MOST_WORDS


def _present(script: Script) -> set[str]:
    seen = {name for shown in script.shown for name in shown.frame.characters}
    return seen | {said.line.speaker for said in script.said}


def _question(script: Script, category: str, question: str, answer: str, first: int, last: int) -> Question:
    proof = FrameRange(first, last)
    text = grammar.sentence(question)
    return Question(
        QuestionKind.DIALOGUE,
        category,
        text,
        answer if answer.endswith('"') else grammar.sentence(answer),
        proof,
        "scene",
        difficulty=script.difficulty(proof),
    )

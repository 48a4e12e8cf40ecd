"""What single frames show somebody doing, read from their descriptions."""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from moviellm.movie import FrameRange, Question, QuestionKind
from moviellm.qa import grammar
from moviellm.qa.facts.draft import Draft
from moviellm.qa.script import Script

_FACE = re.compile(r"\bwith (?:an? )?(?P<face>[\w-]+) (?:faces?|expressions?|smiles?|looks?)\b")
_HELD = re.compile(r"\b(?:holding|reading|carrying|raising|lifting|opening) (?P<thing>an? [\w-]+)\b")
_EXPRESSION = ("what expression {do} {who} have while {doing}?", "how {do} {who} look while {doing}?")
_HOLD = ("what {do} {who} hold at some point?", "which object {do} {who} have in {hands}?")
_ACTION = (
    "what {be} {who} doing at the beginning?",
    "what {be} {who} doing when the scene begins?",
)


@dataclass(frozen=True)
class Doing:
    """What one frame shows: who, the predicate ("is holding a letter") and the face, empty where it is not told."""

    number: int
    who: tuple[str, ...]
    predicate: str
    face: str

    @property
    def clause(self) -> str:
        """The doing as a clause: "Mara and Tom are talking"."""
        return f"{grammar.listed(self.who)} {self.predicate}"


def doings(script: Script) -> tuple[Doing, ...]:
    """The doings of all frames whose description says plainly that its characters "are …ing"."""
    found = []
    for shown in script.shown:
        if doing := _read(shown.number, shown.frame.characters, shown.frame.description, shown.location):
            found.append(doing)
    return tuple(found)


def unique_doings(script: Script) -> dict[int, Doing]:
    """By frame number, those that no other frame shows of the same people, and no frame hides."""
    every = doings(script)
    if len(every) < len([shown for shown in script.shown if shown.frame.characters]):
        return {}
    counts = Counter((doing.who, doing.predicate) for doing in every)
    return {doing.number: doing for doing in every if counts[doing.who, doing.predicate] == 1}


def doing_questions(script: Script, chapter: int, scene: int, rng: random.Random) -> Iterator[Draft]:
    """Faces and things of single frames of a scene, and what is done in its first frame."""
    name = script.scene_name(chapter, scene)
    for doing in unique_doings(script).values():
        if doing.face:
            yield _expression(script, name, doing, rng)
    yield from _things(script, name, rng)
    yield from _beginning(script, name, rng)


def duration_questions(script: Script, chapter: int, scene: int, rng: random.Random) -> Iterator[Draft]:
    """For how many frames somebody is seen alone, or together with somebody else."""
    name, span = script.scene_name(chapter, scene), script.span(chapter, scene)
    groups = Counter(shown.frame.characters for shown in script.shown if shown.frame.characters)
    sets: dict[frozenset[str], int] = defaultdict(int)
    for seen, count in groups.items():
        sets[frozenset(seen)] += count
    every = sum(sets.values())
    for who, count in sorted(sets.items(), key=lambda item: sorted(item[0])):
        if count == every:
            continue
        people = grammar.listed([person for person in script.names if person in who])
        be, how = ("is", "alone") if len(who) == 1 else ("are", "together")
        question = f"for how many frames {be} {people} seen {how} in {name}?"
        answer = f"{people} {be} seen {how} for {frames(count)}"
        asked = Question(
            QuestionKind.TEMPORAL,
            "duration",
            grammar.sentence(question),
            grammar.sentence(answer),
            span,
            "scene",
            difficulty=script.difficulty(span),
        )
        yield Draft(asked, frames(count), tuple(frames(n) for n in range(1, script.shape.frames + 1) if n != count))


def frames(count: int) -> str:
    """The count with its noun."""
    return f"{count} frame" if count == 1 else f"{count} frames"


def _read(number: int, who: tuple[str, ...], description: str, location: str) -> Doing | None:
    if not who:
        return None
    subject = r"(?:,? and |, )".join(map(re.escape, who))
    found = re.search(rf"\b{subject} (?P<be>is|are) (?P<doing>\w+ing\b[^,.;]*)", description)
    if not found or (found["be"] == "are") != (len(who) > 1):
        return None
    cut = re.split(
        rf"\b(?:with|(?:in|on|at) the {re.escape(location)}|in the (?:rain|snow|fog|morning|evening)"
        r"|at (?:night|noon|sunset|dawn|dusk)|under|while|near|beside|by)\b",
        found["doing"],
    )[0].strip()
    face = _FACE.search(description)
    if not cut:
        return None
    return Doing(number, who, f"{found['be']} {cut}", face["face"].lower() if face else "")


def _expression(script: Script, name: str, doing: Doing, rng: random.Random) -> Draft:
    who, do = grammar.listed(doing.who), "do" if len(doing.who) > 1 else "does"
    during = re.sub(r"^(is|are) ", "", doing.predicate)
    wording = rng.choice(_EXPRESSION).format(do=do, who=who, doing=during)
    verb = "look" if len(doing.who) > 1 else "looks"
    answer = grammar.sentence(f"{who} {verb} {doing.face}")
    others = {item.face for item in doings(script)}
    asked = _question(script, "expression", f"in {name}, {wording}", answer, FrameRange(doing.number, doing.number))
    wrong = sorted(grammar.sentence(f"{who} {verb} {face}") for face in others if face and face != doing.face)
    return Draft(asked, answer, tuple(wrong))


def _things(script: Script, name: str, rng: random.Random) -> Iterator[Draft]:
    """What somebody holds, where that is one and the same thing in the whole scene."""
    held: dict[tuple[str, ...], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for doing in doings(script):
        if found := _HELD.search(doing.predicate):
            held[doing.who][found["thing"]].append(doing.number)
    people = [person for who in held for person in who]
    for who, things in held.items():
        if len(things) > 1 or any(people.count(person) > 1 for person in who):
            continue
        thing, numbers = next(iter(things.items()))
        several = len(who) > 1
        wording = rng.choice(_HOLD).format(
            do="do" if several else "does", who=grammar.listed(who), hands="their hands" if several else "hand"
        )
        answer = f"{grammar.listed(who)} {'hold' if several else 'holds'} {thing}"
        asked = _question(script, "object", f"in {name}, {wording}", answer, FrameRange(numbers[0], numbers[0]))
        yield Draft(asked)


def _beginning(script: Script, name: str, rng: random.Random) -> Iterator[Draft]:
    first = next(iter(script.shown), None)
    doing = next(iter(doings(script)), None)
    if first and doing and doing.number == first.number:
        be = doing.predicate.split()[0]
        wording = rng.choice(_ACTION).format(be=be, who=grammar.listed(doing.who))
        asked = _question(
            script, "action", f"in {name}, {wording}", doing.clause, FrameRange(doing.number, doing.number)
        )
        others = {item.predicate for item in doings(script) if item.who == doing.who and item is not doing}
        others.discard(doing.predicate)
        wrong = tuple(grammar.sentence(f"{grammar.listed(doing.who)} {other}") for other in sorted(others))
        yield Draft(asked, grammar.sentence(doing.clause), wrong)


def _question(script: Script, category: str, question: str, answer: str, proof: FrameRange) -> Question:
    return Question(
        QuestionKind.CHARACTER,
        category,
        grammar.sentence(question),
        grammar.sentence(answer),
        proof,
        "scene",
        difficulty=script.difficulty(proof),
    )

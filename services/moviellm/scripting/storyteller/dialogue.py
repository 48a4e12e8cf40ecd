"""What people say in a scene: about what is done here, why, how, and what stands in the way."""

import functools
import random
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass

from moviellm.movie import Fact, Frame, Line, Outline, ScenePlan
from moviellm.pocket import vocabulary
from moviellm.scripting import english
from moviellm.scripting.storyteller import talk
from moviellm.scripting.storyteller.deeds import Person, done, person_of, place_phrase
from moviellm.scripting.storyteller.moods import DRAWN_AS
from moviellm.scripting.storyteller.theme import english_lower
from moviellm.scripting.storyteller.theme_words import EVENTS, FINDING, MEETING
from moviellm.scripting.storyteller.voice import spoken, together

_KINDS = {
    "plan": talk.ABOUT_PLAN,
    "deed": talk.ABOUT_DEED,
    "mishap": talk.ABOUT_MISHAP,
    "reason": talk.ABOUT_REASON,
    "cause": talk.ABOUT_CAUSE,
    "means": talk.ABOUT_MEANS,
    "goal": talk.ABOUT_GOAL,
}
_MISHAPS = frozenset(
    ("fail", "lose", "miss", "fall", "slip", "collapse", "forget", "run", "get", "hesitate", "tremble", "fear", "cry",
     "break", "drop", "shrink", "grumble", "guess")
)  # fmt: skip
_STEP = 5
_LONGEST_CLAUSE = 16
_SMALL_STARTS = frozenset(
    ("a", "an", "the", "there", "two", "one", "only", "nobody", "somebody", "people", "everybody", "they", "every",
     "nothing", "that", "what", "help", "some", "if", "it", "without", "all", "both", "this", "these")
)  # fmt: skip
_HAPPENINGS = EVENTS | FINDING | MEETING | {"lose", "miss", "come", "run", "bump", "share", "forget", "accept", "lie"}


def lines_of(
    outline: Outline, chapter: int, plan: ScenePlan, frames: Sequence[Frame], count: int, turn: int = 0
) -> tuple[Line, ...]:
    """Exactly `count` lines by people who are seen in the scene, spread over its frames in order.

    `turn` is the scene's number in the movie, counted from 0.
    """
    people = {character.name: person_of(character) for character in outline.characters}
    seen = [
        people[name] for name in dict.fromkeys(name for frame in frames for name in frame.characters) if name in people
    ]
    if not seen:
        seen = [person_of(outline.characters[0])]
    said: list[tuple[Person, str]] = []
    for asker, doer, pair, parts in _exchanges(outline, chapter, plan, seen, count, turn):
        if asker.name != doer.name:
            said.append((asker, english.sentence(pair[0].format(**parts["asker"]))))
        said.append((doer, english.sentence(pair[1].format(**parts["doer"]))))
    return tuple(
        Line(min(len(frames), 1 + index * len(frames) // count), speaker.name, text)
        for index, (speaker, text) in enumerate(said[:count])
    )


Exchange = tuple[Person, Person, tuple[str, str], dict[str, dict[str, str]]]


def _exchanges(
    outline: Outline, chapter: int, plan: ScenePlan, seen: list[Person], count: int, turn: int
) -> list[Exchange]:
    """As many exchanges as are needed; each scene of the movie starts at another place in the shuffled lists."""
    facts = [fact for fact in plan.facts if any(fact.who == person.name for person in seen)]
    facts = facts or [Fact(seen[0].name, "find out what comes next", "", "", plan.location)]
    said = _Said(outline, chapter, plan, seen, turn)
    wanted: list[Exchange] = []
    for kinds in (("plan", "reason"), ("means",)):
        for fact in facts:
            for kind in kinds:
                if kind == "plan" or getattr(fact, kind):
                    wanted.append(said.exchange(_kind(kind, fact, outline, chapter), fact))
    hero = outline.characters[0].name
    doer = hero if any(person.name == hero for person in seen) else seen[0].name
    fact = next((fact for fact in facts if fact.who == doer), Fact(doer, "go on", "", "", plan.location))
    while len(wanted) * (2 if len(seen) > 1 else 1) < count:
        wanted.append(said.exchange("goal", fact))
    return wanted


class _Said:
    """Deals exchanges that have not been used in the scene and speak only of what the scene has."""

    def __init__(self, outline: Outline, chapter: int, plan: ScenePlan, seen: list[Person], turn: int) -> None:
        self._title = outline.title
        self._seen = seen
        self._turn = turn
        self._used: set[tuple[str, str]] = set()
        hero = person_of(outline.characters[0])
        before = _before(outline, chapter, plan) if turn else ""
        wishes = (fact.deed.removeprefix("want to ") for fact in outline.facts if fact.deed.startswith("want to "))
        self._scene = _Scene(hero, next(wishes, "go on"), _clause(before), _thing(plan), plan.location)

    def exchange(self, kind: str, fact: Fact) -> Exchange:
        """The next exchange of its kind about the fact."""
        doer = next(person for person in self._seen if person.name == fact.who)
        asker = next((person for person in self._seen if person.name != fact.who), doer)
        parts = {
            "asker": _parts(fact, self._scene, doer, speaker=asker, listener=doer),
            "doer": _parts(fact, self._scene, doer, speaker=doer, listener=asker),
        }
        deck = _shuffled(_KINDS[kind], f"{self._title}/{kind}")
        fitting = [pair for pair in deck if all(parts["doer"][slot] for slot in _slots_of(pair))]
        fresh = [pair for pair in fitting if pair not in self._used] or fitting
        pair = fresh[(self._turn + len(self._used) * _STEP) % len(fresh)]
        self._used.add(pair)
        return asker, doer, pair, parts


@dataclass(frozen=True)
class _Scene:
    """What people talk about besides the deed: the wish of the movie, what came before, the thing, the place."""

    hero: Person
    goal: str
    before: str
    thing: str
    place: str


def _before(outline: Outline, chapter: int, plan: ScenePlan) -> str:
    """What has happened before; where the scene gives that as its reason, what the chapter's hero set out to do."""
    told = plan.before.rstrip(".").lower()
    if all(fact.reason.lower() != told for fact in plan.facts):
        return plan.before
    begun = next((one for one in outline.chapters if one.number == chapter and one.facts), None)
    if begun is None or plan.before == begun.before:
        return plan.before
    return done(begun.facts[0])


def _clause(before: str) -> str:
    """What is true when the scene begins, as a clause inside a sentence; empty if it is too long for one."""
    text = before.strip().rstrip(".")
    if not text or len(text.split()) > _LONGEST_CLAUSE or re.search(r"[.!?:;]", text):
        return ""
    first = text.split(" ")[0]
    return english_lower(text) if first.lower() in _SMALL_STARTS else text


def _thing(plan: ScenePlan) -> str:
    """The drawable thing that the scene speaks of with "the", in the scene's own word."""
    for found in re.finditer(r"\bthe ([a-z]+)\b", plan.content):
        word = found.group(1)
        if word in vocabulary.PROPS or word in DRAWN_AS:
            return f"the {word}"
    return ""


@functools.cache
def _slots_of(pair: tuple[str, str]) -> frozenset[str]:
    return frozenset(name.lower() for text in pair for _, name, _, _ in string.Formatter().parse(text) if name)


def _kind(kind: str, fact: Fact, outline: Outline, chapter: int) -> str:
    """The deck for a part of a fact: what nobody wanted is spoken of differently from what somebody has done."""
    mishap = fact.deed.split(" ")[0] in _MISHAPS
    if kind == "reason":
        return "cause" if mishap else kind
    if kind == "plan":
        return "mishap" if mishap else kind if _is_planned(fact, outline, chapter) else "deed"
    return kind


def _is_planned(fact: Fact, outline: Outline, chapter: int) -> bool:
    """Whether the fact is what the chapter's hero sets out to do, and not what merely happens."""
    planned = next((other.facts[0].deed for other in outline.chapters if other.number == chapter and other.facts), "")
    return fact.deed == planned and fact.deed.split(" ")[0] not in _HAPPENINGS


def _parts(fact: Fact, scene: _Scene, doer: Person, *, speaker: Person, listener: Person) -> dict[str, str]:
    def said(text: str, subject: Person = doer) -> str:
        return together(spoken(text, subject=subject, speaker=speaker, listener=listener))

    reason, before = said(fact.reason), said(scene.before, scene.hero)
    parts = {
        "deed": said(fact.deed),
        "doing": said(english.gerund(fact.deed)),
        "reason": reason,
        "means": said(fact.means),
        "goal": said(scene.goal, scene.hero),
        "before": before if before != reason else "",
        "thing": scene.thing,
        "place": place_phrase(fact.place or scene.place),
        "name": listener.name,
    }
    return parts | {name.title(): english.upper_first(text) for name, text in parts.items()}


@functools.lru_cache(maxsize=64)
def _shuffled(pairs: tuple[tuple[str, str], ...], key: str) -> tuple[tuple[str, str], ...]:
    shuffled = list(pairs)
    random.Random(key).shuffle(shuffled)
    return tuple(shuffled)

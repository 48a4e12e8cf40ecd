"""What people say in a scene: about what is done here, why, how, and what stands in the way."""

import random
from collections.abc import Sequence

from moviellm.movie import Fact, Frame, Line, Outline, ScenePlan
from moviellm.scripting import english, talk
from moviellm.scripting.deeds import Person, person_of, place_phrase
from moviellm.scripting.theme_words import EVENTS, FINDING, MEETING
from moviellm.scripting.voice import spoken

_KINDS = (
    ("plan", talk.ABOUT_PLAN),
    ("deed", talk.ABOUT_DEED),
    ("reason", talk.ABOUT_REASON),
    ("means", talk.ABOUT_MEANS),
)
_HAPPENINGS = EVENTS | FINDING | MEETING | {"lose", "miss", "come", "run", "bump", "share", "forget", "accept", "lie"}


def lines_of(outline: Outline, chapter: int, plan: ScenePlan, frames: Sequence[Frame], count: int) -> tuple[Line, ...]:
    """Exactly `count` lines by people who are seen in the scene, spread over its frames in order."""
    people = {character.name: person_of(character) for character in outline.characters}
    seen = [
        people[name] for name in dict.fromkeys(name for frame in frames for name in frame.characters) if name in people
    ]
    if not seen:
        seen = [person_of(outline.characters[0])]
    said: list[tuple[Person, str]] = []
    for asker, doer, pair, parts in _exchanges(outline, chapter, plan, seen, count):
        if asker.name != doer.name:
            said.append((asker, english.sentence(pair[0].format(**parts["asker"]))))
        said.append((doer, english.sentence(pair[1].format(**parts["doer"]))))
    return tuple(
        Line(min(len(frames), 1 + index * len(frames) // count), speaker.name, text)
        for index, (speaker, text) in enumerate(said[:count])
    )


Exchange = tuple[Person, Person, tuple[str, str], dict[str, dict[str, str]]]


def _exchanges(outline: Outline, chapter: int, plan: ScenePlan, seen: list[Person], count: int) -> list[Exchange]:
    """As many exchanges as are needed; each scene of a chapter starts at another place in the shuffled lists."""
    facts = [fact for fact in plan.facts if any(fact.who == person.name for person in seen)]
    facts = facts or [Fact(seen[0].name, "find out what comes next", "", "", plan.location)]
    goal = next(
        (fact.deed.removeprefix("want to ") for fact in outline.facts if fact.deed.startswith("want to ")), "go on"
    )
    hero = outline.characters[0].name
    wanted: list[Exchange] = []
    pools = {kind: _shuffled(pairs, f"{outline.title}/{chapter}/{kind}") for kind, pairs in _KINDS}
    small_talk = _shuffled(talk.ABOUT_GOAL, f"{outline.title}/{chapter}/goal")
    for kinds in (("plan", "reason"), ("means",)):
        for turn, fact in enumerate(facts):
            for kind in kinds:
                if kind == "plan" and not _is_planned(fact, outline, chapter):
                    kind = "deed"
                if kind == "plan" or getattr(fact, kind):
                    pool = pools[kind]
                    wanted.append(_exchange(pool[(plan.number - 1 + turn * 3) % len(pool)], fact, goal, seen))
    index = (plan.number - 1) * 2
    while len(wanted) * (2 if len(seen) > 1 else 1) < count:
        doer = hero if any(person.name == hero for person in seen) else seen[0].name
        fact = next((fact for fact in facts if fact.who == doer), Fact(doer, "go on", "", "", plan.location))
        wanted.append(_exchange(small_talk[index % len(small_talk)], fact, goal, seen))
        index += 1
    return wanted


def _is_planned(fact: Fact, outline: Outline, chapter: int) -> bool:
    """Whether the fact is what the chapter's hero sets out to do, and not what merely happens."""
    planned = next((other.facts[0].deed for other in outline.chapters if other.number == chapter and other.facts), "")
    return fact.deed == planned and fact.deed.split(" ")[0] not in _HAPPENINGS


def _exchange(pair: tuple[str, str], fact: Fact, goal: str, seen: list[Person]) -> Exchange:
    doer = next(person for person in seen if person.name == fact.who)
    asker = next((person for person in seen if person.name != fact.who), doer)
    return (
        asker,
        doer,
        pair,
        {
            "asker": _parts(fact, goal, doer, speaker=asker, listener=doer),
            "doer": _parts(fact, goal, doer, speaker=doer, listener=asker),
        },
    )


def _parts(fact: Fact, goal: str, doer: Person, *, speaker: Person, listener: Person) -> dict[str, str]:
    def said(text: str) -> str:
        return spoken(text, subject=doer, speaker=speaker, listener=listener)

    reason, means = said(fact.reason), said(fact.means)
    return {
        "deed": said(fact.deed),
        "reason": reason,
        "Reason": english.upper_first(reason),
        "means": means,
        "Means": english.upper_first(means),
        "goal": said(goal),
        "place": place_phrase(fact.place) if fact.place else "here",
        "name": listener.name,
    }


def _shuffled(pairs: Sequence[tuple[str, str]], key: str) -> list[tuple[str, str]]:
    shuffled = list(pairs)
    random.Random(key).shuffle(shuffled)
    return shuffled

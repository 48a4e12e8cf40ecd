"""Level 2 of the storyteller: a chapter's event divided into scenes that follow from each other.

Works from the outline alone, so that any outline with facts, whoever wrote it, can be continued.
"""

import random
import re
from dataclasses import replace

from moviellm.movie import Chapter, ChapterOutline, Fact, Outline, ScenePlan
from moviellm.pocket import vocabulary
from moviellm.scripting import english
from moviellm.scripting.storyteller.deeds import Person, done, fact_of, needs, person_of, told
from moviellm.scripting.storyteller.scene_beats import BEATS, ORDER, PRIORITY, QUIET, QUIET_TITLES
from moviellm.scripting.writer import ChapterRequest

_FIXED = {"AIM": 0, "BUT": 1, "TURN": 2}
_OPENINGS = {
    "doubt": "Afterwards",
    "retry": "Then",
    "TURN": "In the end",
    "BUT": "But",
    "after": "Later",
    "ready": "Meanwhile",
}


def write(request: ChapterRequest) -> Chapter:
    """The chapter for a request; the same request always gives the same chapter."""
    outline = request.outline
    plan = next(chapter for chapter in outline.chapters if chapter.number == request.chapter)
    events = events_of(plan, outline)
    kinds = division(request.scenes)
    facts = _scene_facts(kinds, events, plan, outline)
    scenes = tuple(
        _scene(number, kind, group, plan, events)
        for number, (kind, group) in enumerate(zip(kinds, facts, strict=True), 1)
    )
    return Chapter(plan.number, _joined(scenes, plan))


def _joined(scenes: tuple[ScenePlan, ...], plan: ChapterOutline) -> tuple[ScenePlan, ...]:
    """The scenes with what is true before and after each; the chapter's own beginning and end frame them."""
    ends = [english.sentence(done(scene.facts[-1])) for scene in scenes]
    ends[-1] = plan.after or ends[-1]
    beginnings = [plan.before, *ends[:-1]]
    return tuple(
        replace(scene, before=before, after=after)
        for scene, before, after in zip(scenes, beginnings, ends, strict=True)
    )


def division(scenes: int) -> tuple[str, ...]:
    """The kinds of a chapter's scenes, in order; "ALL" and "START" stand for several events in one scene."""
    if scenes == 1:
        return ("ALL",)
    if scenes == 2:
        return ("START", "TURN")
    kept = set(PRIORITY[:scenes])
    kinds = [kind for kind in ORDER if kind in kept]
    extra = ("retry", "doubt", "ask", "plan", "after", "arrive")
    for index in range(scenes - len(kinds)):
        kind = extra[index % len(extra)]
        kinds.insert(len(kinds) - 1 - kinds[::-1].index(kind), kind)
    return tuple(kinds)


def events_of(plan: ChapterOutline, outline: Outline) -> tuple[Fact, Fact, Fact]:
    """Attempt, hindrance and turn of a chapter; an outline with fewer facts repeats what it has."""
    facts = plan.facts or (Fact(outline.characters[0].name, "go on"),)
    return facts[0], facts[min(1, len(facts) - 1)], facts[min(2, len(facts) - 1)]


def _scene_facts(
    kinds: tuple[str, ...], events: tuple[Fact, Fact, Fact], plan: ChapterOutline, outline: Outline
) -> list[tuple[Fact, ...]]:
    order: dict[str, list[str]] = {}
    turns: dict[str, int] = {}
    groups: list[tuple[Fact, ...]] = []
    for kind in kinds:
        place = _place(kind, events, plan)
        if kind == "ALL":
            groups.append(events)
        elif kind == "START":
            groups.append(events[:2])
        elif kind in _FIXED:
            groups.append((events[_FIXED[kind]],))
        else:
            slots = _slots(kind, events, plan, outline)
            deck = "quiet" if plan.title in QUIET_TITLES and kind != "after" else kind
            fitting = order.setdefault(deck if "f" in slots else f"{deck}, alone", _shuffled(deck, outline, slots))
            turn = turns[deck] = turns.get(deck, -1) + 1
            step = 1 if deck == "quiet" else 3
            written = fitting[(plan.number - 1 + turn * step) % len(fitting)]
            groups.append((fact_of(written, slots, place=place),))
    return groups


def _shuffled(kind: str, outline: Outline, slots: dict[str, object]) -> list[str]:
    """The beats of a kind in this movie's own order, so that neighbouring chapters use different ones."""
    beats = [text for text in (QUIET if kind == "quiet" else BEATS[kind]) if slots.get("f") or not needs(text, "f")]
    random.Random(f"{outline.title}/{outline.theme}/{kind}").shuffle(beats)
    return beats


def _slots(kind: str, events: tuple[Fact, Fact, Fact], plan: ChapterOutline, outline: Outline) -> dict[str, object]:
    aim, but, turn = events
    people = [person_of(character) for character in outline.characters]
    hero = next((person for person in people if person.name == aim.who), people[0])
    prop = prop_of(plan)
    slots: dict[str, object] = {
        "h": hero,
        "A": aim.deed.removeprefix("set out to "),
        "Bc": done(but),
        "Tc": done(turn),
        "because": aim.reason or "there is no time to lose",
        "p": f"the {prop}",
        "ap": vocabulary.article(prop),
    }
    companion = _companion(kind, people, hero, aim, but)
    if companion:
        slots["f"] = companion
    return slots


def _companion(kind: str, people: list[Person], hero: Person, aim: Fact, but: Fact) -> Person | None:
    """Who stands by the hero: not the target of the attempt before it, nor who hindered it right after."""
    others = [person for person in people if person.name != hero.name]
    busy = but.who if kind in ("doubt", "retry") else ""
    for person in others:
        mentioned = kind in ("news", "plan", "ask", "ready", "arrive") and re.search(
            rf"\b{re.escape(person.name)}\b", aim.deed
        )
        if person.name != busy and not mentioned:
            return person
    return others[0] if others and kind == "after" else None


def prop_of(plan: ChapterOutline) -> str:
    """The first drawable thing a chapter speaks of, else one of its own."""
    words = vocabulary.words_of(plan.content)
    found = next((word for word in words if word in vocabulary.PROPS), "")
    return found or vocabulary.PROPS[(plan.number * 5) % len(vocabulary.PROPS)]


def _place(kind: str, events: tuple[Fact, Fact, Fact], plan: ChapterOutline) -> str:
    places = plan.locations
    if kind in ("TURN", "after"):
        wanted = events[2].place
    elif kind in ("arrive", "AIM", "START", "ALL"):
        wanted = events[0].place
    elif kind in ("BUT", "doubt", "retry"):
        wanted = events[1].place
    else:
        wanted = places[0]
    return wanted if wanted in places else places[0]


def _scene(
    number: int, kind: str, facts: tuple[Fact, ...], plan: ChapterOutline, events: tuple[Fact, Fact, Fact]
) -> ScenePlan:
    place = _place(kind, events, plan)
    opening = "" if plan.title in QUIET_TITLES and kind not in _FIXED else _OPENINGS.get(kind, "")
    facts = tuple(Fact(fact.who, fact.deed, fact.reason, fact.means, place) for fact in facts)
    openings = ("", "But", "In the end") if kind in ("ALL", "START") else (opening,)
    content = " ".join(
        told(fact, opening=opening, place=index == 0)
        for index, (fact, opening) in enumerate(zip(facts, openings, strict=False))
    )
    return ScenePlan(number, place, content, facts)

"""Facts of a language model, mended by a program: what is about nobody or tells nothing is left out."""

from collections.abc import Iterable, Sequence
from typing import Any

from moviellm.movie import Character, Fact
from moviellm.scripting.by_model import lenient
from moviellm.scripting.by_model.mending import Notes, closest, finished, meant

_MOST = 6


def read(value: Any) -> tuple[Fact, ...]:
    """The facts in a reply as they come."""
    found = [item for item in lenient.items(value) if isinstance(item, dict)]
    return tuple(
        Fact(*(lenient.text(lenient.field(item, name)) for name in ("who", "deed", "reason", "means", "place")))
        for item in found[:_MOST]
    )


def mended(
    facts: Iterable[Fact], people: Sequence[Character], locations: Sequence[str], rule: str, notes: Notes, where: str
) -> tuple[Fact, ...]:
    """Facts about members of the cast at known locations."""
    return tuple(filter(None, (_mended(fact, people, locations, rule, notes, where) for fact in facts)))


def _mended(
    fact: Fact, people: Sequence[Character], locations: Sequence[str], rule: str, notes: Notes, where: str
) -> Fact | None:
    names = [person.name for person in people]
    deed, reason, means = (finished(text, names).rstrip(".") for text in (fact.deed, fact.reason, fact.means))
    who, place = meant(fact.who, people), closest(fact.place, locations) if fact.place else ""
    if not who or not deed:
        notes(rule, where, f"a fact about {fact.who or 'nobody'}: {fact.deed}")
        return None
    notes(rule, where, fact.who, who)
    notes(rule, where, fact.place, place)
    return Fact(who, deed, reason.removeprefix("because "), means, place)

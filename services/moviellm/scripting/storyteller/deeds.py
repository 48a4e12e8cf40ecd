"""From the written form of a deed to a fact, and from facts to sentences."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from moviellm.movie import Character, Fact
from moviellm.pocket import vocabulary
from moviellm.scripting import english


@dataclass(frozen=True)
class Person:
    """A character as a text slot: `{h}` gives the name, `{h.he}` and its like the pronouns."""

    name: str
    female: bool

    def __str__(self) -> str:
        return self.name

    @property
    def he(self) -> str:
        """Subject pronoun."""
        return "she" if self.female else "he"

    @property
    def him(self) -> str:
        """Object pronoun."""
        return "her" if self.female else "him"

    @property
    def his(self) -> str:
        """Possessive pronoun."""
        return "her" if self.female else "his"

    @property
    def He(self) -> str:  # noqa: N802
        """Subject pronoun at the start of a sentence."""
        return self.he.title()


def person_of(character: Character) -> Person:
    """A character's text slot; the appearance tells the gender."""
    return Person(character.name, bool(re.search(r"\b(woman|girl|lady|she|female)\b", character.appearance)))


Slots = Mapping[str, object]


def needs(text: str, slot: str) -> bool:
    """Whether a written deed speaks of the slot (`s`), as doer or in its text."""
    return text.startswith(f"{slot}:") or f"{{{slot}}}" in text or f"{{{slot}." in text


def fact_of(written: str, slots: Slots, *, place: str = "", reason: str = "") -> Fact:
    """The fact of a written deed (see plot_events); `reason` counts when the deed gives none itself."""
    who, _, rest = written.partition(": ")
    deed, *parts = (part.strip() for part in rest.split("; "))
    why = next((part.removeprefix("because ") for part in parts if part.startswith("because ")), "")
    how = next((part for part in parts if part.startswith("by ")), "")
    doer = slots[who]
    return Fact(
        who=str(doer),
        deed=fill(deed, slots),
        reason=_own(fill(why, slots) or reason, doer),
        means=fill(how, slots),
        place=place,
    )


def _own(reason: str, doer: object) -> str:
    """A reason that begins with the doer's name, with a pronoun in its place."""
    if isinstance(doer, Person) and reason.startswith(f"{doer.name} ") and not reason.startswith(f"{doer.name} and "):
        return f"{doer.he}{reason[len(doer.name) :]}"
    return reason


def fill(text: str, slots: Slots) -> str:
    """The text with its slots filled and its spaces tidy."""
    return re.sub(r"\s+", " ", text.format(**slots)).strip()


def place_phrase(name: str) -> str:
    """`on the beach`, with the preposition that the vocabulary gives, else `at`."""
    location = vocabulary.find_location(name)
    preposition = location.preposition if location and location.name == name else "at"
    return f"{preposition} the {name}"


def clause(fact: Fact) -> str:
    """The bare event: `Mara finds a letter`."""
    return f"{fact.who} {english.third(fact.deed)}"


def done(fact: Fact) -> str:
    """The event as something that has happened: `Mara has found a letter`."""
    return f"{fact.who} has {english.participle(fact.deed)}"


def told(fact: Fact, *, opening: str = "", place: bool = True, why: bool = True) -> str:
    """The fact as one sentence: place, event, means and reason."""
    where = place_phrase(fact.place) if place and fact.place and f"the {fact.place}" not in fact.deed else ""
    lead = (" " if opening == "But" else ", ").join(part.rstrip(",") for part in (opening, where) if part)
    comma = "" if lead == "But" else ","
    event = " ".join(part for part in (clause(fact), fact.means) if part)
    reason = f", because {fact.reason}" if why and fact.reason else ""
    return english.sentence(f"{lead}{comma} {event}{reason}" if lead else f"{event}{reason}")

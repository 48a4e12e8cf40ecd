"""How a story of any number of chapters is built: which part each chapter plays, and which events fill the parts."""

import random
from collections.abc import Sequence

from moviellm.scripting.storyteller.deeds import needs
from moviellm.scripting.storyteller.plot_events import ATTEMPT, CLIMAX, CRISIS, DISCOVERY, ENDING, SETBACK, SETUP, Event
from moviellm.scripting.storyteller.plot_family import Family

_FIXED: dict[int, tuple[str, ...]] = {
    1: ("whole",),
    2: ("disturbance", "climax"),
    3: ("disturbance", "setback", "climax"),
    4: ("disturbance", "attempt", "crisis", "climax"),
    5: ("disturbance", "attempt", "setback", "crisis", "climax"),
    6: ("setup", "disturbance", "attempt", "setback", "crisis", "climax"),
    7: ("setup", "disturbance", "attempt", "setback", "discovery", "crisis", "climax"),
}
_MIDDLE = ("attempt", "setback", "discovery", "attempt", "setback", "attempt", "discovery", "setback")


def course(chapters: int) -> tuple[str, ...]:
    """The part that each chapter plays, from longing to resolution, for any number of chapters."""
    if chapters in _FIXED:
        return _FIXED[chapters]
    middle = tuple(_MIDDLE[i % len(_MIDDLE)] for i in range(chapters - 5))
    return ("setup", "disturbance", *middle, "crisis", "climax", "ending")


class Deck:
    """Events in a shuffled order that are dealt one by one; a deck that runs out is dealt again."""

    def __init__(self, events: Sequence[Event], rng: random.Random, *, third: bool) -> None:
        self._events = [event for event in events if third or not any(needs(text, "s") for text in event)]
        rng.shuffle(self._events)
        self._next = 0

    def deal(self) -> Event:
        """The next event."""
        event = self._events[self._next % len(self._events)]
        self._next += 1
        return event


def decks(family: Family, rng: random.Random, *, third: bool) -> dict[str, Deck]:
    """A deck for each part a chapter may play; the family's own events lie among the common ones."""
    events = {
        "setup": SETUP,
        "attempt": (*family.attempts, *ATTEMPT),
        "setback": (*family.setbacks, *SETBACK),
        "discovery": DISCOVERY,
        "crisis": (*family.crises, *CRISIS),
        "climax": (*family.climaxes, *CLIMAX),
        "ending": ENDING,
    }
    return {part: Deck(cards, rng, third=third) for part, cards in events.items()}

"""What a family of plots adds to the common events: goals, motives, obstacles, truths, changes and its own events."""

from typing import NamedTuple

from moviellm.scripting.storyteller.plot_events import Event


class Family(NamedTuple):
    """A kind of story. Deeds and clauses are written as in plot_events.

    `goals` are verb phrases, `found` are ways in which the thing of the story turns up, `obstacles` what stands in the
    way of the whole story, `truths` what comes to light at the end, `changes` what the hero learns.
    `heroes`, `others` and `thirds` are parts for people that the theme does not name; `styles` are the looks that suit
    the story, `places` the vocabulary's places that do.
    """

    goals: tuple[str, ...]
    motives: tuple[str, ...]
    found: tuple[str, ...]
    obstacles: tuple[str, ...]
    truths: tuple[str, ...]
    changes: tuple[str, ...]
    heroes: tuple[str, ...]
    others: tuple[str, ...]
    thirds: tuple[str, ...]
    things: tuple[str, ...]
    styles: tuple[str, ...]
    places: tuple[str, ...]
    attempts: tuple[Event, ...]
    setbacks: tuple[Event, ...]
    crises: tuple[Event, ...]
    climaxes: tuple[Event, ...]


ANY_MOTIVES = (
    "{h.he} has been told all {h.his} life to want less",
    "a promise from long ago has never been kept",
    "nobody else cares enough to try",
)
ANY_CHANGES = (
    "asking for help is not a weakness",
    "the way there was worth more than the arrival",
    "being brave only means being afraid and going on",
    "a home is made of people and not of walls",
)

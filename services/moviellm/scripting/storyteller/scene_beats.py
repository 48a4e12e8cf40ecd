"""What may happen in a chapter around its three events: before the attempt, between, and after the turn. Pure data.

Written as in plot_events; besides its slots, {A} is the attempt in base form,
{Bc} the hindrance and {Tc} the turn as clauses in the perfect tense, {because} the reason for
the attempt, {f} a companion of the hero.
"""

from moviellm.scripting.storyteller.plot_events import ENDING, SETUP

BEATS: dict[str, tuple[str, ...]] = {
    "news": (
        "h: explain the situation to {f}; because {because}; by drawing in the sand",
        "h: wake up with one thought; because {because}",
        "f: ask {h} what is wrong; because {h} has not said a word all day",
        "h: tell {f} the news; because {because}",
        "h: think the whole matter over; because {because}; by walking in circles",
        "f: come with a worried face; because {because}",
        "h: write everything down in a book; because {because}",
    ),
    "plan": (
        "h: make a plan; because it will not be easy to {A}; by spreading a map on the ground",
        "h: promise {f} to be careful; because nobody knows what will come of it",
        "f: suggest a better way; because two heads are better than one",
        "h: choose the right hour; because it is the only chance to {A}",
        "h: practice every word aloud; because one wrong word could spoil everything",
        "f: try to talk {h} out of it; because it is madness to {A}",
        "h: agree on a signal with {f}; by waving twice",
    ),
    "ask": (
        "h: ask {f} to come along; because it is hard to {A} alone",
        "f: offer a helping hand; because friends do not leave each other alone",
        "h: look for somebody who knows the way; by going from one person to the next",
        "h: remember an old piece of advice; by closing both eyes",
        "f: give {h} a cup of tea; because a warm drink makes courage",
        "h: tell {f} about the fear; because a shared fear is only half as large",
    ),
    "ready": (
        "h: take {ap} along; because it may be useful to {A}",
        "h: look for {p}; by searching every corner",
        "f: lend {h} {ap}; because {h} has come with empty hands",
        "h: put on the warm coat; because it will be a long day",
        "h: hide {p} under the coat; because nobody must see it",
        "f: hand {h} a lantern; because the way may be dark",
        "h: pack everything that is needed; by checking it twice",
    ),
    "arrive": (
        "h: arrive with a pounding heart; because this is the place to {A}",
        "h: look around carefully; because somebody may be watching",
        "f: arrive first; because {f} could not sleep",
        "h: wait until everybody has left; by sitting in a corner",
        "h: stop at the entrance; because the courage is gone for a moment",
        "h: greet {f} with a nod; because words are not needed",
        "h: walk the last steps alone; by counting them",
    ),
    "doubt": (
        "h: lose heart for a moment; because {Bc}",
        "f: comfort {h}; because {Bc}; by sitting down next to {h}",
        "h: wonder whether it was right to {A}; because {Bc}",
        "h: argue with {f}; because {Bc}",
        "h: cry in secret; because {Bc}",
        "f: remind {h} of the promise; because giving up would be easy now",
        "h: think of turning back; because {Bc}",
    ),
    "retry": (
        "h: try another way; because the first one has failed; by starting from the end",
        "h: ask {f} for forgiveness; because sharp words have been spoken",
        "f: have an idea; because {f} has seen something like this before",
        "h: gather new strength; by looking into the distance",
        "h: take up the search again; because there must be a way; by holding up a lantern",
        "f: point out a detail; because fresh eyes see more",
        "h: refuse to give up; because {because}",
    ),
    "after": (
        "h: tell {f} what has happened; because {Tc}",
        "h: look back on the day; because {Tc}",
        "f: hug {h}; because {Tc}",
        "h: sit in silence with {f}; because {Tc}",
        "h: keep the memory of the day safe; by writing it into a book",
        "f: ask what comes next; because {Tc}",
        "h: watch the light change; because {Tc}",
    ),
}

QUIET: tuple[str, ...] = (
    "h: greet {f} on the way; by waving from afar",
    "f: tell {h} an old story; because evenings are long here",
    "h: help {f} with the work; because two are faster than one",
    "h: look into the distance; because something out there is calling",
    "f: bring {h} a cup of tea; because there is time for it",
    "h: walk the same way as every day; by counting the steps",
    "h: stop and listen; because a strange sound is in the air",
    "f: ask {h} about the future; because nobody ever talks about it here",
    "h: laugh with {f}; because the day is good",
    "h: put {p} back into its place; because order is half of life",
    "h: read an old book; because the evening is quiet",
)
"""Scenes of chapters in which nothing presses: before the story begins, and after it has ended."""

QUIET_TITLES = frozenset(event.title for event in (*SETUP, *ENDING))

ORDER = ("news", "plan", "ask", "ready", "arrive", "AIM", "BUT", "doubt", "retry", "TURN", "after")
"""The scenes of a chapter in their natural order, as many as the paper's eleven."""

PRIORITY = ("AIM", "BUT", "TURN", "after", "ready", "doubt", "plan", "retry", "arrive", "news", "ask")
"""Which scenes a shorter chapter keeps."""

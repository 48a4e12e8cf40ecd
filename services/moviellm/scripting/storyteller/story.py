"""What a movie is about before it has chapters: people, wish, obstacle, truth and change."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from moviellm.movie import Character, Fact
from moviellm.pocket import vocabulary
from moviellm.scripting.storyteller import casting
from moviellm.scripting.storyteller.deeds import Slots, fact_of, fill, needs
from moviellm.scripting.storyteller.plot_family import Family
from moviellm.scripting.storyteller.theme import Theme
from moviellm.scripting.storyteller.theme_words import FINDING, LOSING, MEETING

_PROPS = tuple(prop for prop in vocabulary.PROPS if prop not in ("crown", "sword"))
_CARRIED = FINDING | {
    "lose",
    "miss",
    "hide",
    "steal",
    "carry",
    "bring",
    "deliver",
    "keep",
    "inherit",
    "return",
    "guard",
}
_EVENTS = FINDING | MEETING | {"lose", "miss", "wake", "fall", "crash", "land", "hear", "see", "witness", "forget"}


@dataclass(frozen=True)
class Story:
    """Everything about a movie that its chapters draw on. `slots` fills the written deeds."""

    theme: Theme
    family: Family
    cast: tuple[casting.Part, ...]
    slots: Slots
    goal: str
    opening: str
    motive: str
    obstacle: Fact
    truth: str
    change: str
    locations: tuple[str, ...]
    props: tuple[str, ...]
    invented: bool
    sad: bool


def imagine(
    theme: Theme,
    family: Family,
    rng: random.Random,
    people: Sequence[Character] = (),
    places: Sequence[str] = (),
) -> Story:
    """Choose people, wish, obstacle and change for a theme; `people` and `places` are those known already."""
    cast = casting.cast(theme, rng, family.others, family.thirds, family.heroes, people)
    thing, thing_phrase = theme.thing, theme.thing_phrase
    invented = not thing or (bool(theme.roles) and theme.clause.verb not in _CARRIED)
    if invented:
        thing_phrase = rng.choice(family.things)
        thing = thing_phrase.split(" ", 1)[1]
    slots: dict[str, object] = dict(zip(("h", "o", "s"), (part.person for part in cast), strict=False))
    short = thing.split(" that says ")[0]
    slots |= {"t": f"the {short}", "at": thing_phrase}
    third = len(cast) > 2
    goal, opening = _wish(theme, family, slots, rng)
    slots |= {"g": goal, "G": goal, "motive": fill(rng.choice(family.motives), slots)}
    obstacles = [text for text in family.obstacles if third or not needs(text, "s")]
    locations = tuple(places) or _locations(theme, family, rng)
    return Story(
        theme=theme,
        family=family,
        cast=cast,
        slots=slots,
        goal=goal,
        opening=opening,
        motive=str(slots["motive"]),
        obstacle=fact_of(rng.choice(obstacles), slots, place=locations[1]),
        truth=fill(rng.choice(family.truths), slots),
        change=rng.choice(family.changes),
        locations=locations,
        props=tuple(rng.sample(_PROPS, len(_PROPS))),
        invented=invented,
        sad=bool({"tragedy", "tragic", "doomed"} & set(theme.text.lower().split())),
    )


def _wish(theme: Theme, family: Family, slots: Slots, rng: random.Random) -> tuple[str, str]:
    """The hero's goal and the deed that begins the story, both as verb phrases."""
    clause_ = theme.clause
    thing = theme.thing or clause_.thing
    if clause_.deed and clause_.verb not in _EVENTS and clause_.verb not in LOSING:
        return clause_.deed, ""
    if clause_.goal and clause_.goal != clause_.deed:
        return clause_.goal, clause_.deed
    if clause_.verb in MEETING:
        return fill(
            rng.choice(("keep the friendship with {o} alive", "stand by {o} against all the world")), slots
        ), clause_.deed
    if clause_.verb in ("lose", "miss", "forget") and thing:
        return fill(rng.choice(("get {t} back", "find {t} again")), slots), clause_.deed
    if clause_.deed and clause_.verb in LOSING:
        return clause_.deed, ""
    if clause_.verb in _ACCIDENTS:
        return rng.choice(("find the way back home", "understand what has happened")), clause_.deed
    if clause_.state:
        goal = state_goal(clause_.state)
        if goal:
            return goal, ""
    goal = fill(rng.choice(family.goals), slots)
    if clause_.deed:
        return goal, clause_.deed
    if theme.thing and family.found[0].startswith("lose"):
        return goal, fill("lose {at}", slots)
    if theme.thing:
        return goal, fill(rng.choice(("find {at}", "hear of {at}", "receive a message about {at}")), slots)
    return goal, fill(rng.choice(family.found), slots)


def state_goal(state: str) -> str:
    """What somebody in such a state wants: out of it. Empty for a state that asks for nothing."""
    for pattern, goal in _STATE_GOALS:
        found = re.match(pattern, state)
        if found:
            return goal.format(found.group(1))
    return ""


_ACCIDENTS = frozenset({"fall", "crash", "land", "wake", "arrive", "hear", "see", "witness", "vanish", "disappear"})
_STATE_GOALS = (
    (r"(?:is|was) afraid of (.+)", "overcome the fear of {}"),
    (r"(?:has|had) lost (.+)", "find {} again"),
    (r"(?:has|had) forgotten (.+)", "remember {}"),
    (r"(?:is|was) (?:trapped|lost|stuck|stranded|imprisoned) (?:in|on|at|inside) (.+)", "find the way out of {}"),
    (r"(?:cannot|can't|never|doesn't) (\w+.*)", "learn to {} after all"),
    (r"(?:has|have) (?:a|an|one) (secret.*)", "keep the {} safe"),
)


def _locations(theme: Theme, family: Family, rng: random.Random) -> tuple[str, ...]:
    """12 to 14 places: the theme's own first, then those that suit the story, then others."""
    first = [location.name for location in theme.places[:4]]
    suited = [name for name in rng.sample(family.places, len(family.places)) if name not in first]
    rest = [location.name for location in vocabulary.LOCATIONS if location.name not in (*first, *suited)]
    rng.shuffle(rest)
    return tuple([*first, *suited, *rest][: rng.randint(12, 14)])

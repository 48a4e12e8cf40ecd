"""Titles of movies and chapters, made of the theme's own words."""

import random
from collections.abc import Sequence

from moviellm.scripting.english import plural, possessive, title_case
from moviellm.scripting.storyteller.casting import Part
from moviellm.scripting.storyteller.theme import Theme, shortened

_QUOTE_MARK = "\N{WHITE SQUARE}"
_WITH_THING = (
    "{role} and {thing}",
    "{thing} of {place}",
    "{hero} and {thing}",
    "What {role} Found at {place}",
    "{thing} between {hero} and {other}",
    "{roles} Secret",
    "{role}, {thing} and {place}",
    "{hero}, {role}",
    "The Way from {place}",
    "{role} of {place}",
    "The Promise of {role}",
    "{heros} Wish",
    "{hero}, {other} and {role}",
)
_WITH_PAIR = (
    "{role} and {orole}",
    "{hero} and {other}",
    "{role}, {orole} and {place}",
    "What {hero} Said to {orole}",
    "{orole} of {place}",
    "{roles} Promise to {orole}",
    "Between {role} and {orole}",
    "{role} at {place}",
    "{hero}, {other} and {thing}",
)
_WITH_NAMES = (
    "{hero} and {other}",
    "{hero} at {place}",
    "{hero}, {other} and {thing}",
    "The Promise of {hero}",
    "What {hero} Knew",
    "{hero} and {thing}",
    "{heros} Way to {place}",
)
_WITH_TWINS = (
    "{role} of {place}",
    "{hero} and {other}, {role}",
    "The Promise of {role}",
    "{role} at {place}",
    "What {role} Never Said",
    "{hero} or {other}? {role} of {place}",
    "Between {role}",
)
_QUOTED = (
    "“{quote}”: {hero} and {other}",
    "“{quote}” at {place}",
    "The {place_only} and “{quote}”",
    "“{quote}”, Said {hero}",
    "{heros} “{quote}”",
    "What {hero} Knew about “{quote}”",
)


def movie_title(theme: Theme, cast: Sequence[Part], thing: str, locations: Sequence[str], rng: random.Random) -> str:
    """A title that names the theme's people or thing; seeds give different ones."""
    hero, other = cast[0], cast[1]
    place = rng.choice(locations[:6])
    words = {
        "hero": hero.character.name,
        "other": other.character.name,
        "heros": possessive(hero.character.name),
        "role": f"the {hero.character.occupation}" if hero.character.occupation else hero.character.name,
        "orole": f"the {other.character.occupation}" if other.character.occupation else other.character.name,
        "thing": f"the {theme.thing.split(' that says ')[0]}" if theme.thing else thing,
        "place": f"the {place}",
        "place_only": place,
        "quote": _QUOTE_MARK,
    }
    words["roles"] = possessive(words["role"])
    patterns: tuple[str, ...]
    if not theme.roles:
        patterns = _QUOTED
        if theme.thing_phrase.split(" ", 1)[-1] == theme.thing:
            patterns = tuple(pattern for pattern in _WITH_THING if "{thing}" in pattern)
    elif not theme.roles[0].noun:
        patterns = _WITH_NAMES
    elif len(theme.roles) > 1 and theme.roles[0].noun != theme.roles[1].noun:
        patterns = _WITH_PAIR
    elif len(theme.roles) > 1:
        patterns = _WITH_TWINS
        words["role"] = f"the {plural(hero.character.occupation)}"
    else:
        patterns = tuple(pattern for pattern in _WITH_THING if theme.thing or "{thing}" not in pattern)
    title = title_case(rng.choice(patterns).format(**words))
    return title.replace(_QUOTE_MARK, shortened(theme.text, 40))


def chapter_title(title: str, theme: Theme, cast: Sequence[Part], number: int, taken: Sequence[str]) -> str:
    """A chapter's title; the first takes the theme's thing into it, a repeated one is told apart."""
    if title.startswith("{The}"):
        title = title_case(f"The {theme.thing}") if theme.thing and len(theme.thing) < 40 else "How It Began"
    if title not in taken:
        return title
    return f"{title}, Again" if f"{title}, Again" not in taken else f"{title} ({number})"

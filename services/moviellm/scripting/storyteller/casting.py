"""Who plays: names, sexes, looks and parts of a movie's people."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from moviellm.movie import Character, CharacterRole
from moviellm.pocket import vocabulary
from moviellm.scripting import names
from moviellm.scripting.english import article
from moviellm.scripting.storyteller.deeds import Person, person_of
from moviellm.scripting.storyteller.theme import Role, Theme

_MAX_APPEARANCE_WORDS = 14


@dataclass(frozen=True)
class Part:
    """A character with what the theme says of them: `phrase` is the role with article ("a lighthouse keeper")."""

    character: Character
    person: Person
    phrase: str


def cast(
    theme: Theme,
    rng: random.Random,
    others: Sequence[str],
    thirds: Sequence[str],
    heroes: Sequence[str],
    known: Sequence[Character] = (),
) -> tuple[Part, ...]:
    """Two or three people: those known already, else the theme's own first, the rest invented."""
    if not known:
        return _invented(theme, rng, others, thirds, heroes)
    parts = tuple(known_part(character) for character in known)
    if len(parts) > 1:
        return parts
    friend = replace(theme, roles=(Role(noun=rng.choice(others)),))
    taken = known[0].name, known[0].clothing_color
    for part in _invented(friend, rng, others, thirds, heroes):
        if part.character.name[:1] != taken[0][:1] and part.character.clothing_color != taken[1]:
            break
    return (*parts, replace(part, character=replace(part.character, role=CharacterRole.SUPPORTING)))


def known_part(character: Character) -> Part:
    """The part of a character that somebody else has invented."""
    phrase = article(character.occupation) if character.occupation else ""
    return Part(character, person_of(character), phrase)


def _invented(
    theme: Theme, rng: random.Random, others: Sequence[str], thirds: Sequence[str], heroes: Sequence[str]
) -> tuple[Part, ...]:
    roles = list(theme.roles)
    if not roles:
        roles.append(Role(noun=rng.choice(heroes)))
    mains = min(len(roles), 2)
    if len(roles) < 2:
        roles.append(Role(noun=rng.choice([noun for noun in others if noun != roles[0].noun])))
    if len(roles) < 3 and rng.random() < 0.7:
        roles.append(Role(noun=rng.choice([noun for noun in thirds if noun not in [role.noun for role in roles]])))
    if mains == 1 and len(roles) == 3:
        mains = 2
    parts: list[Part] = []
    colours = rng.sample(vocabulary.COLOURS, len(roles))
    for index, role in enumerate(roles[:3]):
        importance = CharacterRole.MAIN if index < mains else CharacterRole.SUPPORTING
        parts.append(_part(theme, role, importance, colours[index], parts, rng))
    return tuple(parts)


def _part(
    theme: Theme,
    role: Role,
    importance: CharacterRole,
    colour: str,
    parts: Sequence[Part],
    rng: random.Random,
) -> Part:
    female = _sex(theme, role, parts, rng)
    proper = [word for word in theme.text.split() if word[:1].isupper()][1:]
    taken = [part.character.name for part in parts] + proper
    name = role.name or names.pick(rng, female, taken)
    look = appearance(rng, female, role.age, colour, [part.character.appearance for part in parts])
    character = Character(name, importance, look, colour, role.noun)
    return Part(character, Person(name, female), role.phrase if role.noun else "")


def _sex(theme: Theme, role: Role, parts: Sequence[Part], rng: random.Random) -> bool:
    female = role.female if role.female is not None else names.female_by_name(role.name)
    if female is None and not parts:
        female = _hinted_sex(theme)
    if female is None and theme.genre == "love" and len(parts) == 1 and rng.random() < 0.8:
        female = not parts[0].person.female
    return rng.random() < 0.5 if female is None else female


def _hinted_sex(theme: Theme) -> bool | None:
    words = theme.text.lower().split()
    if any(word in ("she", "her", "herself") for word in words):
        return True
    return False if any(word in ("he", "his", "him", "himself") for word in words) else None


def appearance(rng: random.Random, female: bool, age: str, colour: str, taken: Sequence[str]) -> str:
    """One fixed phrase, at most 14 words, unlike those taken in hair."""
    kinds = [kind for kind in vocabulary.KINDS if kind.female == female and _suits(kind.age, age)]
    for _ in range(60):
        kind = rng.choice(kinds)
        person = vocabulary.Person(
            kind=kind.name,
            hair_colour=rng.choice(kind.hair_colours),
            hair_style=rng.choice(kind.hair_styles),
            colour=colour,
            garment=rng.choice(kind.garments),
            build=rng.choice(("", "", *vocabulary.BUILDS)),
            extra=rng.choice(("", "", *kind.extras)),
        )
        phrase = vocabulary.appearance(person)
        if len(phrase.split()) <= _MAX_APPEARANCE_WORDS and not any(
            f"{person.hair_colour} hair" in other for other in taken
        ):
            break
    return phrase


def _suits(kind_age: str, age: str) -> bool:
    if age == "old":
        return kind_age == "old"
    if age == "child":
        return kind_age == "little"
    return kind_age == "young"


def introduced(part: Part) -> str:
    """`Mara, a lighthouse keeper,` or the bare name."""
    return f"{part.character.name}, {part.phrase}," if part.phrase else part.character.name


def phrase_of(character: Character) -> str:
    """A character's occupation with its article."""
    return article(character.occupation) if character.occupation else "somebody"

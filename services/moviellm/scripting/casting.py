"""Who plays: names, sexes, looks and parts of a movie's people."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from moviellm.movie import Character, CharacterRole
from moviellm.pocket import vocabulary
from moviellm.scripting import names
from moviellm.scripting.deeds import Person
from moviellm.scripting.english import article
from moviellm.scripting.theme import Role, Theme

_MAX_APPEARANCE_WORDS = 14


@dataclass(frozen=True)
class Part:
    """A character with what the theme says of them: `phrase` is the role with article ("a lighthouse keeper")."""

    character: Character
    person: Person
    phrase: str


def cast(
    theme: Theme, rng: random.Random, others: Sequence[str], thirds: Sequence[str], heroes: Sequence[str]
) -> tuple[Part, ...]:
    """Two or three people: the theme's own first, the rest invented."""
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
    hinted = _hinted_sex(theme)
    parts: list[Part] = []
    colours = rng.sample(vocabulary.COLOURS, len(roles))
    for index, role in enumerate(roles[:3]):
        female = role.female if role.female is not None else names.female_by_name(role.name)
        if female is None and index == 0:
            female = hinted
        if female is None and theme.genre == "love" and index == 1 and rng.random() < 0.8:
            female = not parts[0].person.female
        if female is None:
            female = rng.random() < 0.5
        taken = [part.character.name for part in parts] + [word for word in theme.text.split() if word[:1].isupper()][
            1:
        ]
        name = role.name or names.pick(rng, female, taken)
        look = appearance(rng, female, role.age, colours[index], [part.character.appearance for part in parts])
        character = Character(
            name=name,
            role=CharacterRole.MAIN if index < mains else CharacterRole.SUPPORTING,
            appearance=look,
            clothing_color=colours[index],
            occupation=role.noun,
        )
        phrase = role.phrase if role.noun else ""
        parts.append(Part(character, Person(name, female), phrase))
    return tuple(parts)


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

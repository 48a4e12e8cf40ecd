"""Mending the people of an imported plot: few enough, with different names and colours and invented appearances."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from moviellm.movie import Character, CharacterRole
from moviellm.pocket import vocabulary
from moviellm.scripting import names
from moviellm.scripting.checker import likeness, sight
from moviellm.scripting.checker.rules_of_plans import MAX_APPEARANCE_WORDS
from moviellm.scripting.english import article
from moviellm.scripting.own_plot.plot_json import Ledger

MOST = 3
_PERSON = re.compile(
    r"\b(?:woman|man|girl|boy|lady|gentleman|child|person|robot|dragon|dog|cat|horse|creature|king|queen|prince|princess"
    r"|knight|witch|wizard|soldier|sailor|alien|ghost|teenager|youth|elder|monk|nun|priest|doctor|nurse|fox|wolf|bear)\b",
    re.IGNORECASE,
)
_GARMENT = re.compile(
    r"\b(?:dress|coat|suit|shirt|robe|cloak|gown|jacket|sweater|uniform|apron|vest|tunic|blouse|skirt|scarf|kimono|armor"
    r"|overalls|hoodie|t-shirt|clothes|clothing|trousers|cape)\b",
    re.IGNORECASE,
)


def mended_cast(characters: Sequence[Character], told: str, seed: int, ledger: Ledger) -> tuple[Character, ...]:
    """At most three people who keep to the rules; `told` is all text of the plot, by which importance is judged."""
    rng = random.Random(f"{seed}/cast")
    people = _few(_named(characters, rng, ledger), told, ledger)
    people = _with_roles(people, ledger)
    return dressed(people, rng, ledger)


def _named(characters: Sequence[Character], rng: random.Random, ledger: Ledger) -> list[Character]:
    """Everybody with a name and aliases of their own."""
    found: list[Character] = []
    taken: set[str] = set()
    for character in characters:
        name = re.sub(r"[^\w\s.'’-]|_", "", character.name).strip(" .-'’")[:60].strip()
        if sight.sequence_in(name) or re.search(r"\b(?:she|he|they)\b", name):
            name = " ".join(word for word in name.split() if word[:1].isupper() and not sight.sequence_in(word))
        if not re.search(r"[^\W\d_]", name) or name in taken:
            if name in taken and not character.appearance:
                ledger.note("names-differ", f"characters, {name}", "listed twice")
                continue
            female = likeness.female_by(character.appearance)
            name = names.pick(rng, rng.random() < 0.5 if female is None else female, [*taken, name])
        ledger.note("names-differ", "characters", character.name, name)
        taken.add(name)
        found.append(replace(character, name=name))
    return [replace(one, aliases=_own_aliases(one, found, ledger)) for one in found]


def _own_aliases(character: Character, people: Sequence[Character], ledger: Ledger) -> tuple[str, ...]:
    """Aliases that mean nobody else and are no everyday words."""
    index = people.index(character)
    others = {other.name for other in people if other is not character}
    earlier = {alias for other in people[:index] for alias in other.aliases}
    kept: list[str] = []
    for alias in dict.fromkeys(character.aliases):
        usable = len(alias) >= 2 and alias != character.name and alias not in others | earlier
        if usable and (any(letter.isupper() for letter in alias) or alias.lower().startswith("the ")):
            kept.append(alias)
        else:
            ledger.note("names-differ", f"characters, {character.name}", alias)
    return tuple(kept)


def _few(people: Sequence[Character], told: str, ledger: Ledger) -> list[Character]:
    """The three of whom the plot speaks most, in their order."""

    def importance(character: Character) -> tuple[bool, int]:
        mentions = sum(len(re.findall(rf"\b{re.escape(part)}\b", told)) for part in character.name.split())
        return character.role is CharacterRole.MAIN, mentions

    if len(people) <= MOST:
        return list(people)
    chosen = sorted(people, key=importance, reverse=True)[:MOST]
    for character in people:
        if character not in chosen:
            ledger.note("cast-size", "characters", character.name)
    return [character for character in people if character in chosen]


def _with_roles(people: Sequence[Character], ledger: Ledger) -> list[Character]:
    """One or two main characters, then at most one supporting."""
    wanted = _roles([character.role for character in people])
    for character, role in zip(people, wanted, strict=True):
        if role is not character.role:
            ledger.note("cast-size", f"characters, {character.name}", str(character.role), str(role))
    return [replace(character, role=role) for character, role in zip(people, wanted, strict=True)]


def _roles(roles: Sequence[CharacterRole]) -> list[CharacterRole]:
    mains = roles.count(CharacterRole.MAIN)
    if 1 <= mains <= 2 and len(roles) - mains <= 1:
        return list(roles)
    return [CharacterRole.MAIN if index < 2 else CharacterRole.SUPPORTING for index in range(len(roles))]


def dressed(people: Sequence[Character], rng: random.Random, ledger: Ledger) -> tuple[Character, ...]:
    """Everybody in a colour of their own, told in an invented appearance of one phrase."""
    found: list[Character] = []
    for character in people:
        taken = [one.clothing_color for one in found]
        own = character.clothing_color.lower().strip()
        told = likeness.colour_in(character.appearance)
        colour = own if re.fullmatch(r"[^\W\d_]{3,15}", own) and own not in taken else told
        if not colour or colour in taken:
            colour = rng.choice([hue for hue in vocabulary.COLOURS if hue not in taken])
        where = f"characters, {character.name}"
        if own and own != colour:
            ledger.note("clothing-differs" if own in taken else "appearance-colored", where, own, colour)
        appearance = _appearance(character, colour, told, people, [one.appearance for one in found], rng, ledger)
        found.append(replace(character, appearance=appearance, clothing_color=colour))
    return tuple(found)


def _appearance(
    character: Character,
    colour: str,
    told: str,
    people: Sequence[Character],
    taken: Sequence[str],
    rng: random.Random,
    ledger: Ledger,
) -> str:
    where, was = f"characters, {character.name}", character.appearance
    if was and likeness.is_real(was):
        now = likeness.invented(rng, character.name, was, colour, taken)
        ledger.note("appearance-invented", where, was, now)
        return now
    now = _phrase(was, character, colour, told)
    mentions = [mention for one in people for mention in (one.name, *one.aliases) if mention]
    named = any(re.search(rf"\b{re.escape(mention)}\b", now) for mention in mentions)
    if not now or named or len(now.split()) > MAX_APPEARANCE_WORDS or colour not in now.lower() or now in taken:
        now = likeness.invented(rng, character.name, was, colour, taken)
    ledger.note("appearance-colored" if colour not in was.lower() else "appearance-fixed", where, was, now)
    return now


def _phrase(text: str, character: Character, colour: str, told: str) -> str:
    """The appearance as one noun phrase that names the colour; empty where none can be made of it."""
    text = re.split(r"[.!?;:\n\"“”]", text.strip().strip('"“”'))[0].strip(" ,")
    if not text:
        return ""
    first = text.split(" ")[0]
    if first[1:].islower() and first.lower() != first:
        text = first.lower() + text[len(first) :]
    if not _PERSON.search(text):
        female = names.female_by_name(character.name.split(" ")[0])
        if female is None:
            return ""
        text = f"a {'woman' if female else 'man'} with {text}"
    if not re.match(r"(?:an?|the|one) ", text):
        text = article(text)
    if told and told != colour:
        text = re.sub(rf"\b{told}\b(?! (?:hair|eyes|beard))", colour, text)
    if colour not in text.lower():
        garment = _GARMENT.search(text)
        text = (
            f"{text[: garment.start()]}{colour} {text[garment.start() :]}" if garment else f"{text} in {colour} clothes"
        )
    return re.sub(r"\b(a|an) (\w+)", lambda found: article(found.group(2)), text)

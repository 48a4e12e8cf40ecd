"""Characters of a language model, mended by a program: names, parts, colours of clothing and invented appearances."""

import random
import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from moviellm.movie import Character, CharacterRole
from moviellm.pocket import vocabulary
from moviellm.scripting import casting, english, names
from moviellm.scripting.mending import Notes, finished
from moviellm.scripting.rules_of_plans import MAX_APPEARANCE_WORDS, REAL_PERSON
from moviellm.scripting.tokens import estimated

_MOST_TOKENS = 26
_TITLE = re.compile(
    r"^(?:(?:the|mr|mrs|ms|miss|dr|doctor|sir|dame|lady|lord|king|queen|prince|princess|duke|duchess|captain|detective"
    r"|inspector|professor|officer|sheriff|old|young|little)\b\.?\s+)+",
    re.IGNORECASE,
)
_WOMAN = re.compile(
    r"\b(?:woman|girl|lady|she|her|mother|daughter|queen|princess|duchess|dress|gown|wife|sister)\b", re.IGNORECASE
)
_MAN = re.compile(r"\b(?:man|boy|gentleman|he|his|father|son|king|prince|duke|beard|husband|brother)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"^(?:she|he|they) (?:is|has|wears|looks) ", re.IGNORECASE)


def mended(characters: Sequence[Character], seed: int, notes: Notes) -> tuple[Character, ...]:
    """A cast of one or two main and at most one supporting character, each with a fixed, invented look."""
    cast = _sized(_distinct([_named(character, notes) for character in characters], notes), notes)
    rng = random.Random(f"{seed}/cast")
    dressed: list[Character] = []
    for character in cast:
        taken = [other.clothing_color for other in dressed]
        mentions = [mention for other in cast for mention in (other.name, *other.aliases)]
        dressed.append(_dressed(character, taken, mentions, rng, notes))
    return _with_own_aliases(dressed, notes)


def female(name: str, text: str, rng: random.Random) -> bool:
    """Whether a person is a woman, by the words about them, else by name, else by chance."""
    woman, man = bool(_WOMAN.search(text)), bool(_MAN.search(text))
    if woman != man:
        return woman
    known = names.female_by_name(name)
    return rng.random() < 0.5 if known is None else known


def _named(character: Character, notes: Notes) -> Character:
    """First name as name; what else the person is called becomes an alias."""
    whole = finished(character.name, ())
    bare = _TITLE.sub("", whole)
    words = re.findall(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*", bare)
    name = f"{words[0][:1].upper()}{words[0][1:]}" if words else ""
    given = [finished(alias, ()) for alias in character.aliases]
    aliases = [*given, *((whole, bare, *words[1:]) if len(words) > 1 or bare != whole else ())]
    notes("names-differ", "characters", character.name, name)
    return replace(
        character,
        name=name,
        aliases=tuple(dict.fromkeys(alias for alias in aliases if _telling(alias) and alias != name)),
        appearance=finished(character.appearance, ()),
        occupation=finished(character.occupation, ()).rstrip(".").lower(),
    )


def _telling(alias: str) -> bool:
    """Whether an alias can be looked for without hitting other words."""
    return len(alias) >= 3 and any(word[:1].isupper() for word in alias.split()) and len(alias.split()) <= 4


def _distinct(characters: Sequence[Character], notes: Notes) -> list[Character]:
    kept: dict[str, Character] = {}
    for character in characters:
        if not character.name or character.name in kept:
            notes("names-differ", "characters", character.name or "somebody without a name")
        else:
            kept[character.name] = character
    return list(kept.values())


def _sized(characters: Sequence[Character], notes: Notes) -> list[Character]:
    mains = [character for character in characters if character.role is CharacterRole.MAIN] or list(characters[:1])
    others = [*mains[2:], *(character for character in characters if character not in mains)]
    parts = {character.name: CharacterRole.MAIN for character in mains[:2]}
    parts |= {character.name: CharacterRole.SUPPORTING for character in others[:1]}
    for character in characters:
        part = parts.get(character.name)
        if part is not character.role:
            notes("cast-size", f"characters, {character.name}", character.role, part or "")
    return [replace(character, role=parts[character.name]) for character in characters if character.name in parts]


def _dressed(
    character: Character, taken: Collection[str], mentions: Sequence[str], rng: random.Random, notes: Notes
) -> Character:
    where = f"characters, {character.name}"
    color = _color(character, taken, rng)
    notes("clothing-differs", where, character.clothing_color, color)
    phrase = _phrase(character.appearance, character.name)
    old = character.clothing_color.lower()
    if old and old != color:
        phrase = re.sub(rf"\b{re.escape(old)}\b(?!,? (?:\w+ )?hair)", color, phrase)
    if phrase and not re.search(rf"\b{re.escape(color)}\b", phrase):
        phrase = f"{phrase} in {color} clothes"
    named = any(re.search(rf"\b{re.escape(mention)}\b", phrase) for mention in mentions)
    if not phrase or named or _long(phrase, room=0) or REAL_PERSON.search(phrase):
        woman = female(character.name, f"{character.appearance} {character.occupation}", rng)
        phrase = casting.appearance(rng, woman, "", color, ())
    rule = "appearance-invented" if REAL_PERSON.search(character.appearance) else "appearance-fixed"
    notes(rule, where, character.appearance, phrase)
    return replace(character, clothing_color=color, appearance=phrase)


def _color(character: Character, taken: Collection[str], rng: random.Random) -> str:
    """The colour that is given, or stands in the appearance, or is left over; one that nobody wears yet."""
    given = re.findall(r"[a-z]+", character.clothing_color.lower())
    words = re.findall(r"[a-z]+", f"{character.clothing_color} {character.appearance}".lower())
    known = [word for word in words if word in vocabulary.COLOURS and word not in taken]
    own = [word for word in given[-1:] if word not in taken]
    free = [color for color in vocabulary.COLOURS if color not in taken]
    kept = own if len(given) == 1 else known or own
    return next(iter((*kept, *known)), "") or rng.choice(free)


def _phrase(appearance: str, name: str) -> str:
    """One noun phrase out of a description of a person: its first sentence, without the name, with an article."""
    first = re.split(r"[.!?;:\n]\s*", appearance.strip(), maxsplit=1)[0].replace('"', "").strip(" ,“”")
    first = re.sub(rf"^{re.escape(name)}\b,? *(?:is |has |wears )?", "", first)
    if _SENTENCE.match(first):
        noun = "woman" if first.lower().startswith("she") else "man"
        rest = _SENTENCE.sub("", first)
        first = rest if re.match(r"an? ", rest) else f"{noun} with {rest}"
    while _long(first):
        shorter = re.sub(r"(?:,| and| with| in) (?:(?!,| and | with | in ).)*$", "", first)
        if shorter == first:
            break
        first = shorter
    if not first or re.match(r"(?:an?|the|one) ", first, re.IGNORECASE):
        return first[:1].lower() + first[1:]
    return english.article(first[:1].lower() + first[1:])


def _long(phrase: str, room: int = 3) -> bool:
    """Whether two such phrases, with what they do and where, could outgrow the text encoder."""
    return len(phrase.split()) > MAX_APPEARANCE_WORDS - room or estimated(phrase) > _MOST_TOKENS


def _with_own_aliases(cast: Sequence[Character], notes: Notes) -> tuple[Character, ...]:
    """Aliases that lead to one person only."""
    taken = {character.name for character in cast}
    result = []
    for character in cast:
        own = tuple(alias for alias in character.aliases if alias not in taken)
        notes("names-differ", f"characters, {character.name}", ", ".join(character.aliases), ", ".join(own))
        taken |= set(own)
        result.append(replace(character, aliases=own))
    return tuple(result)

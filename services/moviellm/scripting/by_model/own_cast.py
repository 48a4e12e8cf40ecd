"""Characters of a language model, mended by a program: names, parts, colours of clothing and invented appearances."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from moviellm.movie import Character, CharacterRole
from moviellm.scripting.by_model.mending import Notes, finished
from moviellm.scripting.checker import likeness
from moviellm.scripting.checker.rules_of_plans import MAX_APPEARANCE_WORDS
from moviellm.scripting.checker.tokens import estimated
from moviellm.scripting.own_plot import import_cast
from moviellm.scripting.own_plot.plot_json import Ledger

_MOST_TOKENS = 26
_TITLE = re.compile(
    r"^(?:(?:the|mr|mrs|ms|miss|dr|doctor|sir|dame|lady|lord|king|queen|prince|princess|duke|duchess|captain|detective"
    r"|inspector|professor|officer|sheriff|mayor|judge|father|mother|sister|brother|uncle|aunt|count|countess|baron"
    r"|baroness|colonel|general|major|sergeant|president|nurse|chef|master|old|young|little)\b\.?\s+)+",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"^(?:she|he|they) (?:is|has|wears|looks) ", re.IGNORECASE)


def mended(characters: Sequence[Character], seed: int, notes: Notes) -> tuple[Character, ...]:
    """A cast of one or two main and at most one supporting character, each with a fixed, invented look."""
    cast = _sized(_distinct([_named(character, notes) for character in characters], notes), notes)
    short = [replace(character, appearance=_described(character, notes)) for character in cast]
    ledger = Ledger()
    dressed = import_cast.dressed(short, random.Random(f"{seed}/cast"), ledger)
    for mend in ledger.mends:
        notes(mend.rule, mend.where, mend.was, mend.now)
    return _with_own_aliases(dressed, notes)


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
            notes("cast-size", f"characters, {character.name}", str(character.role), str(part or ""))
    return [replace(character, role=parts[character.name]) for character in characters if character.name in parts]


def _described(character: Character, notes: Notes) -> str:
    """The appearance as the beginning of one noun phrase: without likenesses, names and what would be too much."""
    where, was = f"characters, {character.name}", character.appearance
    text = re.sub(r"\s+,", ",", likeness.without_likeness(was))
    if text != was:
        notes("appearance-invented", where, was, text)
    first = re.split(r"[.!?;:\n]\s*", text, maxsplit=1)[0].strip(' ,"“”')
    first = re.sub(rf"^{re.escape(character.name)}\b,? *(?:is |has |wears )?", "", first)
    if _SENTENCE.match(first):
        noun = "woman" if first.lower().startswith("she") else "man"
        rest = _SENTENCE.sub("", first)
        first = rest if re.match(r"an? ", rest) else f"{noun} with {rest}"
    while _long(first):
        shorter = re.sub(r"(?:,| and| with| over| under)(?: (?!and |with |over |under )[^, ]+)+,?$", "", first)
        if shorter == first:
            return ""
        first = shorter
    if first != text:
        notes("appearance-fixed", where, text, first)
    return first


def _long(phrase: str) -> bool:
    """Whether two such phrases, with what they do and where, could outgrow the text encoder."""
    return len(phrase.split()) > MAX_APPEARANCE_WORDS - 4 or estimated(phrase) > _MOST_TOKENS


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

"""Mentions of people in a frame's description: what the substitution by appearances would leave behind.

The published story keeps a surname in 110 frames, because only first names were replaced. Here a mention is everything
that leads to a member of the cast: a part of the name, a title before it, a short form, the same in capitals, or the
occupation with "the".
"""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from moviellm.movie import Character, Mend
from moviellm.scripting import names
from moviellm.scripting.checker import sight

ALIAS_RULE = "frame-aliases"
MIN_PART = 3
_TITLES = (
    "Mr|Mrs|Ms|Miss|Dr|Sir|Dame|Lady|Lord|Madam|Madame|Master|King|Queen|Prince|Princess|Duke|Duchess|Count|Countess"
    "|Baron|Baroness|Captain|Commander|Colonel|General|Major|Sergeant|Lieutenant|Admiral|Detective|Inspector|Officer"
    "|Sheriff|Professor|Doctor|Nurse|Father|Mother|Sister|Brother|Uncle|Aunt|Auntie|Grandma|Grandpa|Granny|Old|Young"
    "|Little|Chef|Judge|Mayor|President|Saint|St"
)
_PARTICLES = {"the", "von", "van", "der", "den", "del", "della", "las", "los", "and", "bin", "ibn"}
_NOT_NAMES = {
    "everybody", "everyone", "nobody", "somebody", "someone", "nothing", "everything", "something", "anyone", "there",
    "here", "this", "that", "what", "who", "where", "which", "another", "each", "one", "rain", "snow", "fog", "mist",
    "light", "moonlight", "sunlight", "daylight", "water", "smoke", "dust", "fire", "thunder", "lightning", "wind",
    "darkness", "silence", "night", "dawn", "dusk", "sunrise", "sunset", "morning", "evening", "noon", "music", "sand",
    "she", "he", "they", "both", "it", "ice", "fear", "joy", "time", "nature", "heavy", "soft", "warm", "cold",
}  # fmt: skip
_UNKNOWN = re.compile(
    r"(?P<title>\b(?:" + _TITLES + r")\b\.? )?(?P<name>\b[A-Z][a-z]{2,}\b)"
    r"(?=(?:'s|’s)? (?P<next>(?:and [A-Z]\w+ )?[a-z]+))"
)


@dataclass(frozen=True)
class Stray:
    """A mention that would stay in the prompt; `character` is whom it means, None for somebody unknown."""

    text: str
    character: Character | None


def strays(description: str, characters: Sequence[Character]) -> tuple[Stray, ...]:
    """Every mention of a person that the substitution by appearances does not replace, each once."""
    cast = _cast(tuple(characters))
    left = cast.without(description)
    found = {text: Stray(text, cast.meant[text]) for text in cast.underived.findall(left)}
    for titled in cast.titled.finditer(description):
        if titled.group() not in cast.listed:
            found[titled.group()] = Stray(titled.group(), cast.meant[titled.group("name")])
    for stray in _unknown(left, characters):
        if not any(stray.text in text or text in stray.text for text in found):
            found[stray.text] = stray
    return tuple(found.values())


@dataclass(frozen=True)
class _Cast:
    """What is looked for in the descriptions of one cast; made once, as a movie has a thousand of them."""

    listed: frozenset[str]
    meant: dict[str, Character]
    appearances: tuple[str, ...]
    known: re.Pattern[str]
    underived: re.Pattern[str]
    titled: re.Pattern[str]

    def without(self, description: str) -> str:
        """The description with everything taken out that will be replaced: what is left should name nobody."""
        left = self.known.sub("\x1f", description)
        for appearance in self.appearances:
            left = left.replace(appearance, "\x1f")
        return left


@functools.lru_cache(maxsize=64)
def _cast(characters: tuple[Character, ...]) -> _Cast:
    listed = frozenset(mention for one in characters for mention in (one.name, *one.aliases) if mention)
    meant: dict[str, Character] = {}
    for character in characters:
        for mention in (character.name, *character.aliases, *derived_aliases(character)):
            meant.setdefault(mention, character)
    return _Cast(
        listed=listed,
        meant=meant,
        appearances=tuple(character.appearance for character in characters if character.appearance),
        known=re.compile(rf"\b(?:{_any(listed)})\b"),
        underived=re.compile(rf"\b(?:{_any(text for text in meant if text not in listed)})\b"),
        titled=re.compile(rf"\b(?:(?:{_TITLES})\b\.? )+(?P<name>{_any(meant)})\b"),
    )


def _any(texts: Iterable[str]) -> str:
    """A pattern for any of the texts, the longest first; one that never matches for none."""
    return "|".join(map(re.escape, sorted(filter(None, texts), key=len, reverse=True))) or r"(?!)"


@functools.lru_cache(maxsize=256)
def derived_aliases(character: Character) -> tuple[str, ...]:
    """Ways to mention a character that follow from name, aliases and occupation and are not listed yet."""
    whole = (character.name, *character.aliases)
    parts = [
        part
        for mention in whole
        for part in re.findall(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*", mention)
        if len(part) >= MIN_PART and part.lower() not in _PARTICIPLES_AND_TITLES and part[:1].isupper()
    ]
    candidates = [*parts, *(mention.upper() for mention in (*whole, *parts) if len(mention) >= MIN_PART)]
    job = character.occupation.strip()
    if job:
        heads = [job, *([job.split()[-1]] if " " in job else [])]
        candidates += [f"{the} {head}" for head in heads for the in ("the", "The")]
    return tuple(dict.fromkeys(text for text in candidates if text not in whole))


_PARTICIPLES_AND_TITLES = _PARTICLES | {title.lower() for title in _TITLES.split("|")}


def _unknown(left: str, characters: Sequence[Character]) -> Iterator[Stray]:
    """Capitalised words that act like people: with a title, an 's or a verb behind them."""
    for found in _UNKNOWN.finditer(left):
        name, following = found.group("name"), found.group("next")
        starts = left[: found.start()].rstrip()[-1:] in ("", ".", "!", "?", ":")
        owns = left[found.end() :].startswith(("'s", "’s"))
        verb = following.split()[-1]
        one = verb in ("is", "was") or (verb.endswith("s") and bool(sight.action_in(verb)))
        acts = one or verb in ("and", "are", "were")
        if name.lower() in _NOT_NAMES or not (owns or acts or found.group("title")):
            continue
        if starts and not (one or owns or (acts and _is_given_name(name))):
            continue
        text = (found.group("title") or "") + name
        yield Stray(text, _meant(name, characters))


def _is_given_name(word: str) -> bool:
    return names.female_by_name(word) is not None


def _meant(name: str, characters: Sequence[Character]) -> Character | None:
    """Whom a short form or a longer form of a name means: Liz for Elizabeth stays unknown, Beth does not."""
    for character in characters:
        for mention in (character.name, *character.aliases):
            first = mention.split()[0].lower() if mention.split() else ""
            if (
                len(name) >= MIN_PART
                and len(first) > len(name)
                and (first.startswith(name.lower()) or first.endswith(name.lower()))
            ):
                return character
            stem = name.lower().removesuffix("ie").removesuffix("y")
            if len(stem) >= MIN_PART and len(first) >= MIN_PART and first.startswith(stem):
                return character
    return None


def settled(description: str, characters: Sequence[Character]) -> str:
    """The description with every stray mention of somebody of the cast replaced by the name."""
    known = {s.text: s.character.name for s in strays(description, characters) if s.character is not None}
    if not known:
        return description
    known |= {mention: mention for character in characters for mention in (character.name, *character.aliases)}
    return re.sub(rf"(?<!\w)(?:{_any(known)})(?!\w)", lambda found: known[found.group()], description)


def with_aliases(
    characters: Sequence[Character], descriptions: Sequence[str]
) -> tuple[tuple[Character, ...], tuple[Mend, ...]]:
    """The characters with the aliases that the descriptions use and nobody listed, and what was added."""
    added: dict[str, list[str]] = {character.name: [] for character in characters}
    mends: list[Mend] = []
    for number, description in enumerate(descriptions, start=1):
        for stray in strays(description, characters):
            if stray.character is None or stray.text in added[stray.character.name]:
                continue
            added[stray.character.name].append(stray.text)
            now = f"alias of {stray.character.name}"
            mends.append(Mend(ALIAS_RULE, f"frame {number}", stray.text, now))
    mended = (replace(character, aliases=(*character.aliases, *added[character.name])) for character in characters)
    return tuple(mended), tuple(mends)

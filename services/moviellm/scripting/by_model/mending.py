"""What a program mends of a language model's writing, and the note it takes of each mend."""

import difflib
import re
from collections.abc import Sequence

from moviellm.movie import Character, Mend
from moviellm.pocket import vocabulary
from moviellm.scripting.checker import plain_text

MOST_NOTES = 300
_LONGEST = 200
_SHORTEST = 3
_UNFINISHED_WORDS = 16
_SLOT = re.compile(r"\{\{?\s*([\w .'-]{1,40}?)\s*\}?\}")
_FIRST = re.compile(
    r"(?i)(main |first )?(your |the )?(name|names|character|person|hero|heroine|protagonist|speaker|subject|who|he|she)"
    r"[ _]?(1|one|a|name)?"
)
_SECOND = re.compile(
    r"(?i)(second |other |supporting )?(character|name|person|friend|other|speaker)[ _]?(2|two|b|name)?"
)
_PLACE = re.compile(r"(?i)(the )?(location|place|setting|scene)[ _]?(name|1)?")
_LABEL = re.compile(
    r"(?i)^\s*(?:[-*•>#]+|\d{1,2}[.)])?\s*(?:key )?(?:frame|shot|image|scene|line|sentence|answer|output|text"
    r"|description)?\s*\d{0,2}\s*[:.)-]\s+"
)


class Notes:
    """The mends so far, each once, at most MOST_NOTES."""

    def __init__(self) -> None:
        self._mends: dict[Mend, None] = {}

    def __call__(self, rule: str, where: str, was: str, now: str = "") -> None:
        """Note that a rule was broken, and what was done; another case of letters is not worth a note."""
        if len(self._mends) < MOST_NOTES and was.lower() != now.lower():
            self._mends.setdefault(Mend(rule, where, _short(was), _short(now)))

    @property
    def mends(self) -> tuple[Mend, ...]:
        """All of them in order."""
        return tuple(self._mends)


def finished(text: str, people: Sequence[str], location: str = "") -> str:
    """One clean line: placeholders in braces filled in where it is plain what they mean, else removed."""

    def filled(found: re.Match[str]) -> str:
        slot = found[1]
        known = next((name for name in people if name.lower() == slot.lower()), "")
        if known or not people:
            return known
        if _FIRST.fullmatch(slot):
            return people[0]
        if _SECOND.fullmatch(slot):
            return people[min(1, len(people) - 1)]
        return location if _PLACE.fullmatch(slot) else ""

    text = plain_text.cleaned(_SLOT.sub(filled, text))
    return _LABEL.sub("", text).strip().strip('"“”`*').strip()


def as_sentence(text: str) -> str:
    """The text with a capital letter at its beginning and a mark at its end."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?', '…', '”')) else '.'}" if text else ""


def concise(text: str, sentences: int) -> str:
    """The first sentences of a text, none of them twice; where none is finished, its first words."""
    found = list(dict.fromkeys(part.strip() for part in re.split(r"(?<=[.!?])\s+", text.strip()) if part.strip()))
    whole = [part for part in found if part.endswith((".", "!", "?", '"', "”", "}"))]
    return " ".join(whole[:sentences] or text.split()[:_UNFINISHED_WORDS])


def is_prose(text: str, words: int = 3) -> bool:
    """Whether a text could be something that somebody says: enough words, and letters rather than signs."""
    found = re.findall(r"[^\W\d_]{1,20}(?:['’][^\W\d_]+)?", text)
    letters = sum(map(len, found))
    return (
        len(found) >= words
        and letters * 2 >= len(text.replace(" ", ""))
        and len(set(map(str.lower, found))) * 2 > words
    )


def closest(text: str, options: Sequence[str]) -> str:
    """The option that a text means: the same but for case, article or a letter, or the one it contains; else empty."""
    wanted = re.sub(r"^(?:in|at|on|the|a|an)\s+(?:the\s+)?", "", text.strip().lower())
    small = {option.lower(): option for option in options}
    if wanted in small:
        return small[wanted]
    inside = [option for low, option in small.items() if re.search(rf"\b{re.escape(low)}s?\b", wanted)]
    if inside:
        return max(inside, key=len)
    around = [option for low, option in small.items() if wanted and re.search(rf"\b{re.escape(wanted)}\b", low)]
    near = difflib.get_close_matches(wanted, small, n=1, cutoff=0.8)
    return around[0] if around else small[near[0]] if near else ""


def meant(text: str, characters: Sequence[Character]) -> str:
    """The name of whom a text names: by name, alias, part of a name or occupation, in any case; else empty."""
    wanted = re.sub(r"^(?:the|a|an)\s+", "", text.strip().lower())
    for character in characters:
        if wanted in {
            mention.lower() for mention in (character.name, *character.aliases, character.occupation) if mention
        }:
            return character.name
    words = set(re.findall(r"\w{3,}", wanted))
    for character in characters:
        if words & set(re.findall(r"\w{3,}", " ".join((character.name, *character.aliases)).lower())):
            return character.name
    return ""


def rightly_named(text: str, characters: Sequence[Character]) -> str:
    """The text with names and aliases in the case they are spelled in, and no name twice in a row.

    Small letters mean a name only in a text that has no others: "rose" and "will" are words, too.
    """
    spelled = {m.lower(): m for person in characters for m in (*person.aliases, person.name) if len(m) >= _SHORTEST}
    if not spelled:
        return text
    known = "|".join(map(re.escape, sorted(spelled, key=len, reverse=True)))
    small = text == text.lower()

    def rightly(found: re.Match[str]) -> str:
        return spelled[found.group().lower()] if small or not found.group().islower() else found.group()

    text = re.sub(rf"\b(?:{known})\b", rightly, text, flags=re.IGNORECASE)
    return re.sub(rf"\b({'|'.join(map(re.escape, spelled.values()))}) \1\b", r"\1", text)


def place_phrase(location: str) -> str:
    """`in the library`, `on the beach`."""
    known = next((place for place in vocabulary.LOCATIONS if place.name == location), None)
    return f"{known.preposition if known else 'in'} the {location}"


def last_sentence(text: str) -> str:
    """The last sentence of a text."""
    sentences = [sentence for sentence in re.split(r"(?<=[.!?])\s+", text.strip()) if sentence]
    return sentences[-1] if sentences else ""


def evenly(count: int, wanted: int) -> list[int]:
    """`wanted` of `count` indices, evenly spread, with the first and the last one."""
    if wanted >= count:
        return list(range(count))
    return [round(index * (count - 1) / max(1, wanted - 1)) for index in range(wanted)]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

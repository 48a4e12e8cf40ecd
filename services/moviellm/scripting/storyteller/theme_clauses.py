"""What the hero of a theme does: the verb phrase behind "who", or behind the hero itself."""

import re
from dataclasses import dataclass

from moviellm.scripting import english
from moviellm.scripting.storyteller import theme_words


@dataclass(frozen=True)
class Clause:
    """A verb phrase of a theme.

    `deed` in base form ("find a message"), `verb` its first word, `goal` a second verb phrase that the hero strives
    for ("sail home"), `state` a clause that only describes ("is afraid of water"), `thing` the noun phrase the deed
    is about ("message") and `thing_phrase` the same with its article, `companion` a person in the deed's object.
    """

    deed: str = ""
    verb: str = ""
    goal: str = ""
    state: str = ""
    thing: str = ""
    thing_phrase: str = ""
    companion: tuple[str, ...] = ()


def is_verb(word: str, *, plural: bool, after: list[str]) -> bool:
    """Whether a word behind a noun is its verb."""
    if word in ("is", "are", "has", "have", "must", "can", "cannot", "can't", "who", "that", "which", "was", "doesn't"):
        return True
    if word in theme_words.GERUNDS or word in ("lost", "trapped", "stranded", "stuck"):
        return True
    if word in theme_words.PASTS and after:
        return True
    if plural:
        return word in theme_words.VERBS and bool(after)
    if word in theme_words.THIRDS:
        return True
    return word in theme_words.ADVERBS


def clause_of(words: list[str], *, plural: bool) -> Clause:
    """The clause that the words behind the hero make; an empty one if they make none."""
    words = [word for word in words if word not in ("“", "”", '"', "(", ")")]
    skipped = {"who", "that", "which", ",", "and", *(theme_words.ADVERBS - {"never"})}
    while words and words[0].lower() in skipped:
        words = words[1:]
    if not words:
        return Clause()
    first, lowered = words[0].lower(), [word.lower() for word in words]
    if first == "must":
        return _deed(words[1:], goal=True)
    if lowered[:2] in (["has", "to"], ["have", "to"]):
        return _deed(words[2:], goal=True)
    if lowered[:3] in (
        ["is", "trying", "to"],
        ["are", "trying", "to"],
        ["is", "forced", "to"],
        ["are", "forced", "to"],
    ):
        return _deed(words[3:], goal=True)
    verb = theme_words.THIRDS.get(first) or theme_words.GERUNDS.get(first) or theme_words.PASTS.get(first, "")
    if not verb and first in theme_words.VERBS and plural:
        verb = first
    if verb in theme_words.WISHING and "to" in lowered[1:3]:
        return _deed(words[lowered.index("to") + 1 :], goal=True)
    if verb == "dream" and lowered[1:2] == ["of"]:
        return _deed(words[2:], goal=True)
    if lowered[:3] in (["sets", "out", "to"], ["set", "out", "to"]):
        return _deed(words[3:], goal=True)
    if first in ("lost", "trapped", "stranded", "stuck") and lowered[1:2] and lowered[1] in theme_words.PREPOSITIONS:
        return Clause(state="is " + _joined(words))
    if verb and first not in ("can", "cannot"):
        return _deed([verb, *words[1:]], goal=False)
    if first in ("is", "are", "has", "have", "was", "can", "cannot", "can't", "doesn't", "never"):
        singular = {"are": "is", "have": "has"}.get(first, first)
        return Clause(state=_joined([singular, *_until_break(words[1:])]))
    return Clause()


def _deed(words: list[str], *, goal: bool) -> Clause:
    if not words:
        return Clause()
    verb = theme_words.GERUNDS.get(words[0].lower(), words[0].lower())
    words = [verb, *words[1:]]
    kept, second = _split(words)
    kept = _until_break(kept)
    thing, phrase, companion = _object(kept)
    second_clause = clause_of(second, plural=False) if second else Clause()
    return Clause(
        deed=_joined(kept),
        verb=verb,
        goal=_joined(kept) if goal else second_clause.goal or second_clause.deed,
        thing=thing,
        thing_phrase=phrase,
        companion=companion,
    )


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """The first verb phrase and the one behind "and" or "but"."""
    for index, word in enumerate(words):
        if word.lower() in ("and", "but", "then") and index > 0:
            behind = [other.lower() for other in words[index + 1 : index + 3]]
            if any(other in theme_words.THIRDS or other == "must" for other in behind):
                return words[:index], words[index + 1 :]
    return words, []


def _until_break(words: list[str]) -> list[str]:
    """The words up to a mark that ends the clause."""
    for index, word in enumerate(words):
        if not re.match(r"[\w']", word) or word.lower() in (
            "when",
            "while",
            "but",
            "until",
            "after",
            "before",
            "because",
        ):
            return words[:index]
    return words


def _object(words: list[str]) -> tuple[str, str, tuple[str, ...]]:
    """The first noun phrase with an article in a verb phrase, without and with it; a person comes back as companion."""
    for index in range(1, len(words)):
        word = words[index].lower()
        if word not in theme_words.DETERMINERS and not word.endswith("'s"):
            continue
        stop = index + 1
        while stop < len(words) and words[stop].lower() not in theme_words.FUNCTION_WORDS:
            if stop > index + 1 and words[stop].lower() in theme_words.THIRDS and not english.is_plural(words[index]):
                break
            stop += 1
        noun = words[index + 1 : stop]
        if not noun:
            continue
        if theme_words.is_person(noun[-1].lower()):
            return "", "", tuple(words[index:stop])
        return _joined(noun), _joined(words[index:stop]), ()
    return "", "", ()


def _joined(words: list[str]) -> str:
    return " ".join(words)

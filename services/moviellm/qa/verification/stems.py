"""Texts as sets of word stems, for comparing what was said with what was meant."""

import functools
import re
from collections.abc import Iterable

_IRREGULAR = {"has": "have", "is": "be", "are": "be", "am": "be", "does": "do", "goes": "go", "was": "be", "were": "be"}
_ES = re.compile(r"(s|x|z|ch|sh|o)es$")


@functools.lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The word without its endings of number and person: "carries" and "carry" have the same stem."""
    word = _IRREGULAR.get(word, word)
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if _ES.search(word):
        word = word[:-2]
    elif len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


@functools.lru_cache(maxsize=65536)
def stems(text: str) -> frozenset[str]:
    """The stems of all words of the text."""
    return frozenset(map(stem, re.findall(r"[^\W_]+", text.lower().replace("'s ", " "))))


_STOP = stems("""
    a an the this that these those and or but then of to in on at by with for from as it its be do he she they them him
    his her their who whom what when where why how which there because so not no first second third all finally right
    while
""")


@functools.lru_cache(maxsize=65536)
def telling(text: str) -> frozenset[str]:
    """The stems that say something: without articles, pronouns and the like."""
    return stems(text) - _STOP


def share(part: frozenset[str], whole: Iterable[str]) -> float:
    """How much of the part is in the whole, 0 to 1; 1 for an empty part."""
    return len(part.intersection(whole)) / len(part) if part else 1.0

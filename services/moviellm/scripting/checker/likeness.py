"""Real faces do not belong into a dataset: where a plot asks for one, an invented appearance takes its place."""

import random
import re
from collections.abc import Sequence

from moviellm.pocket import vocabulary
from moviellm.scripting import names
from moviellm.scripting.checker.rules_of_plans import REAL_PERSON
from moviellm.scripting.storyteller import casting

_FEMALE = re.compile(
    r"\b(?:woman|girl|lady|she|her|female|queen|princess|duchess|mother|sister|aunt|wife)\b", re.IGNORECASE
)
_MALE = re.compile(
    r"\b(?:man|boy|gentleman|he|his|male|king|prince|duke|father|brother|uncle|husband)\b", re.IGNORECASE
)
_CHILD = re.compile(r"\b(?:boy|girl|child|kid|little)\b", re.IGNORECASE)
_OLD = re.compile(r"\b(?:old|elderly|aged|grey-haired|gray-haired|grandmother|grandfather)\b", re.IGNORECASE)
_LIKENESS = re.compile(
    r"(?:,\s*)?\b(?:who |that )?(?:looks?|looking|resembl\w+|similar to|reminiscent of|played by|portrayed by)"
    r"(?: (?:exactly|just|a bit|very))?(?: like)?(?: (?:the )?(?:actor|actress|singer|star))?"
    r" (?P<name>[A-Z][\w.’'-]*(?: (?:(?:de|von|van|di|da) )?[A-Z][\w.’'-]*){0,3})"
)
"""A comparison with somebody by name."""


def likeness_in(text: str) -> str:
    """The name of whom somebody is compared with; empty if nobody."""
    found = _LIKENESS.search(text)
    return found.group("name") if found else ""


def is_real(appearance: str) -> bool:
    """Whether an appearance is the likeness of somebody real."""
    return bool(REAL_PERSON.search(appearance)) or bool(likeness_in(appearance))


def without_likeness(text: str) -> str:
    """The text without comparisons with real people."""
    return re.sub(r"\s+", " ", _LIKENESS.sub("", text)).strip()


def invented(rng: random.Random, name: str, described: str, colour: str, taken: Sequence[str]) -> str:
    """An invented appearance for somebody whose sex and age the description or the name tells, unlike those taken."""
    female = female_by(described)
    if female is None:
        female = names.female_by_name(name.split(" ")[0])
    if female is None:
        female = rng.random() < 0.5
    age = "old" if _OLD.search(described) else "child" if _CHILD.search(described) else ""
    return casting.appearance(rng, female, age, colour, taken)


def female_by(text: str) -> bool | None:
    """Whether a text speaks of a woman; None where it does not tell, or tells of both."""
    woman, man = bool(_FEMALE.search(text)), bool(_MALE.search(text))
    return None if woman == man else woman


def colour_in(text: str) -> str:
    """The colour of the clothing that a description names last, as it mostly does; empty if there is none."""
    without_hair = re.sub(r"\b\w+(?:, \w+)? (?:hair|eyes|beard|skin|haired|eyed)\b", "", text.lower())
    colours = "|".join(_COLOURS)
    found = re.findall(rf"\b({colours})\b", without_hair)
    return str(found[-1]) if found else ""


_COLOURS = (
    *vocabulary.COLOURS, "grey", "gray", "golden", "silver", "violet", "turquoise", "teal", "beige", "cream", "navy",
    "crimson", "scarlet", "maroon", "khaki", "olive", "gold", "emerald", "lavender", "magenta",
)  # fmt: skip

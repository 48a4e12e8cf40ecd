"""Whether an answer given anew says what the known answer says."""

import re
from enum import StrEnum

from moviellm.movie import Question
from moviellm.qa.asking import words
from moviellm.qa.verification.stems import share, telling

_SAME, _OTHER = 0.65, 0.25
_UNKNOWN = frozenset({"", "unknown", "i do not know", "i don t know", "not known", "none", "n a"})
_LETTER = re.compile(r"^\W*([A-Z])\b\W*(?=$|[.):\s])")


class Likeness(StrEnum):
    """How an answer given anew compares with the known one."""

    SAME = "same"
    OTHER = "other"
    UNCLEAR = "unclear"


def compared(question: Question, given: str) -> Likeness:
    """By letter or words; what has some words in common with the right answer is unclear and needs a reader."""
    if words(given) in _UNKNOWN:
        return Likeness.OTHER
    if question.choices:
        return Likeness.SAME if choice_of(question, given) == question.answer else Likeness.OTHER
    asked = telling(question.question)
    wanted = telling(question.answer) - asked or telling(question.answer)
    said = telling(given) - asked or telling(given)
    found = share(wanted, said)
    if found >= _SAME:
        return Likeness.SAME
    return Likeness.UNCLEAR if found >= _OTHER else Likeness.OTHER


def choice_of(question: Question, given: str) -> str:
    """The choice that is meant, by its letter or its words; empty for none."""
    for choice in question.choices:
        if words(choice) == words(given):
            return choice
    if letter := _LETTER.match(given.strip()):
        place = ord(letter[1]) - ord("A")
        return question.choices[place] if place < len(question.choices) else ""
    named = [choice for choice in question.choices if words(choice) in words(given)]
    return named[0] if len(named) == 1 else ""


def lettered(question: Question) -> str:
    """The question as it is put to a model, with its choices by letter."""
    listed = (f"{chr(ord('A') + place)}) {choice}" for place, choice in enumerate(question.choices))
    return " ".join((question.question, *listed))

"""The blind reader: what can be answered, or guessed, by somebody who has not seen the movie."""

import re

from moviellm.movie import Outline, Question, QuestionKind
from moviellm.qa.asking import words
from moviellm.qa.verification.stems import telling

_YES_OR_NO = re.compile(r"(?:^|, )(is|are|does|do|did|can|will|has|have|was|were) (?!.*\bor\b)", re.IGNORECASE)
_ASKS = re.compile(r"\b(who|whom|whose|what|when|where|why|how|which)\b", re.IGNORECASE)
_CUES = {"first": telling("begin start introduce"), "last": telling("end finish finally last")}
_LONGER = 1.6


def gives_away(question: Question) -> bool:
    """Whether the question says the answer: every telling word of it, unless it offers the answer among others."""
    offered = question.category == "order" or (question.category in ("first", "last") and not question.choices)
    if question.kind is QuestionKind.TEMPORAL and offered:
        return False
    said = telling(question.answer)
    return bool(said) and said <= telling(question.question)


def guessable(question: Question, outline: Outline) -> bool:
    """Whether somebody who has not seen the movie finds the answer by its wording."""
    if not _ASKS.search(question.question) and _YES_OR_NO.search(question.question):
        return True
    if question.choices:
        return _stands_out(question)
    if question.kind is QuestionKind.DIALOGUE and question.category == "speaker":
        return _last_one(question, outline)
    return _cued(question)


def longest(question: Question) -> str:
    """The guess of somebody who takes the longest choice."""
    return max(question.choices, key=len)


def nearest(question: Question) -> str:
    """The guess of somebody who takes the choice with most words of the question."""
    asked = telling(question.question)
    return max(question.choices, key=lambda choice: (len(telling(choice) & asked), -len(choice)))


def _stands_out(question: Question) -> bool:
    others = [choice for choice in question.choices if choice != question.answer]
    lengths = [len(choice) for choice in others]
    size = len(question.answer)
    if size > _LONGER * max(lengths) or size * _LONGER < min(lengths):
        return True
    asked = telling(question.question)
    if len(telling(question.answer) & asked) > 1 + max(len(telling(choice) & asked) for choice in others):
        return True
    for feature in (_opening, _mark):
        values = {feature(choice) for choice in others}
        if len(values) == 1 and feature(question.answer) not in values:
            return True
    return False


def _opening(text: str) -> str:
    first = words(text).partition(" ")[0]
    return first if first in ("because", "by", "with", "to", "since", "for") else ""


def _mark(text: str) -> str:
    return text.strip()[-1:]


def _last_one(question: Question, outline: Outline) -> bool:
    """A line that names everybody but its speaker tells who speaks."""
    names = [character.name for character in outline.characters]
    named = {name for name in names if re.search(rf"\b{re.escape(name)}\b", question.question)}
    return len(names) > 1 and len(set(names) - named) <= 1


def _cued(question: Question) -> bool:
    """An event that says of itself that it is the first or the last of the story."""
    cues = _CUES.get(question.category, frozenset())
    return bool(cues & telling(re.sub(r"^(First|Last) of all,", "", question.answer)))

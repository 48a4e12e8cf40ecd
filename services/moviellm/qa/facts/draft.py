"""A question before it is decided whether it is asked openly or with answers to choose from."""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from moviellm.movie import Question
from moviellm.qa.verification.stems import share, telling

CHOICES = 4
_PRONOUN = re.compile(r"\b(he|she|they|it|his|her|their|him|them)\b", re.IGNORECASE)
_NEARBY = 8
_SPREAD = 1.5
"""How much longer than the others the right answer may be, or shorter."""


@dataclass(frozen=True)
class Draft:
    """An open question; `short` is its answer as a choice, `others` are wrong answers of the same sort.

    `choosing` is the question as it is worded with its choices, where that needs other words.
    """

    question: Question
    short: str = ""
    others: tuple[str, ...] = ()
    choosing: Question | None = None


def posed(drafts: Iterable[Draft], rng: random.Random, choice_share: float) -> list[Question]:
    """The drafts as questions, about that share of them multiple-choice where there are enough wrong answers."""
    return [chosen(draft, rng) if rng.random() < choice_share else draft.question for draft in map(_tidy_draft, drafts)]


def chosen(draft: Draft, rng: random.Random) -> Question:
    """The draft as a multiple-choice question with three wrong answers; the open question where they are too few.

    Wrong answers are of about the right one's length and begin as it does, so that the wording tells nothing.
    """
    if draft.choosing is not None:
        return draft.choosing
    wrong = _wrong(draft, rng)
    lengths = sorted(map(len, wrong))
    if len(wrong) < CHOICES - 1 or not lengths[0] / _SPREAD <= len(draft.short) <= lengths[-1] * _SPREAD:
        return draft.question
    choices = [draft.short, *wrong]
    rng.shuffle(choices)
    return replace(draft.question, answer=draft.short, choices=tuple(choices))


def _tidy_draft(draft: Draft) -> Draft:
    choosing = None if draft.choosing is None else _tidy(draft.choosing)
    return Draft(_tidy(draft.question), _line(draft.short), tuple(map(_line, draft.others)), choosing)


def _tidy(question: Question) -> Question:
    return replace(
        question,
        question=_line(question.question),
        answer=_line(question.answer),
        choices=tuple(map(_line, question.choices)),
    )


def _line(text: str) -> str:
    """The text on one line, with single spaces."""
    return " ".join(text.split())


def _wrong(draft: Draft, rng: random.Random) -> list[str]:
    if not draft.short.strip():
        return []
    manner = _manner(draft.short)
    alike = [other for other in sorted(set(draft.others)) if _manner(other) == manner]
    found: list[str] = []
    near = sorted(alike, key=lambda other: (abs(len(other) - len(draft.short)), other))[:_NEARBY]
    rng.shuffle(near)
    for other in near:
        if draft.question.category == "order" or all(_distinct(other, known) for known in (draft.short, *found)):
            found.append(other)
    return found[: CHOICES - 1]


def _manner(text: str) -> tuple[str, ...]:
    """What gives a choice away by its form alone: the first word of a reason or a means, its pronouns, its mark."""
    first = next(iter(text.lower().split()), "")
    opening = first if first in ("because", "by", "with", "to", "since", "for") else ""
    opening = "in order" if text.lower().startswith("in order ") else opening
    pronoun = _PRONOUN.search(text)
    return opening, pronoun[0].lower() if pronoun and opening else "", text[-1:]


def _distinct(one: str, other: str) -> bool:
    a, b = telling(one), telling(other)
    return a != b and (share(a, b) < 0.8 or share(b, a) < 0.8)


def outside(candidates: Sequence[str], taken: Iterable[str]) -> tuple[str, ...]:
    """The candidates, each once, that say something else than what is taken."""
    known = [telling(text) for text in taken]
    fresh = (text for text in dict.fromkeys(candidates) if text)
    return tuple(text for text in fresh if all(share(telling(text), other) < 0.8 for other in known))

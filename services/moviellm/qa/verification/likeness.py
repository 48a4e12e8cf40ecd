"""Which questions ask the same thing."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from moviellm.movie import Question
from moviellm.qa.asking import words
from moviellm.qa.verification.sieve import DUPLICATE, SEVERAL, Sieve

_ALIKE = 0.8
"""The Jaccard index of two sets of words from which on two texts say the same."""


@dataclass(frozen=True)
class _Mark:
    """A question and its answer as sets of words, each a whole number with a bit a word."""

    question: int
    answer: int
    numbers: tuple[str, ...]

    def like(self, other: "_Mark") -> bool:
        return jaccard(self.answer, other.answer) >= _ALIKE and jaccard(self.question, other.question) >= _ALIKE


def without_duplicates(questions: Sequence[Question], sieve: Sieve) -> list[Question]:
    """The questions, each once: of two that ask and are answered nearly the same, the later one goes.

    Questions that are worded alike and answered differently have several answers, so all of them go.
    """
    answers: dict[str, set[str]] = defaultdict(set)
    for question in questions:
        answers[_asked(question)].add(words(question.answer))
    clear = sieve.keep(questions, lambda question: SEVERAL if len(answers[_asked(question)]) > 1 else "")
    bits: dict[str, int] = {}
    seen: dict[tuple[str, ...], list[_Mark]] = {}
    kept = []
    for question in clear:
        mark = _Mark(_bits(question.question, bits), _bits(question.answer, bits), _numbers(question))
        same = seen.setdefault(mark.numbers, [])
        if any(mark.like(other) for other in same):
            sieve.drop(DUPLICATE)
            continue
        same.append(mark)
        kept.append(question)
    return kept


def jaccard(one: int, other: int) -> float:
    """|A ∩ B| / |A ∪ B| of two sets of bits; 1 for two empty ones."""
    every = (one | other).bit_count()
    return (one & other).bit_count() / every if every else 1.0


def _asked(question: Question) -> str:
    """What tells questions apart: among several choices, "Which comes first?" is another question each time."""
    return words(" ".join((question.question, *sorted(question.choices))))


def _bits(text: str, bits: dict[str, int]) -> int:
    found = 0
    for word in words(text).split():
        found |= 1 << bits.setdefault(word, len(bits))
    return found


def _numbers(question: Question) -> tuple[str, ...]:
    return tuple(sorted(re.findall(r"\d+", question.question)))

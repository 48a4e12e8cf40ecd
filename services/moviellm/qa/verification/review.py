"""What only a look at all questions of a movie can tell: repetitions between parts, and answers that can be guessed."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from moviellm.movie import Outline, Question
from moviellm.qa.asking import Asked, words
from moviellm.qa.verification.blind import longest, nearest
from moviellm.qa.verification.likeness import without_duplicates
from moviellm.qa.verification.sieve import BLIND, MALFORMED, Sieve
from moviellm.qa.verification.verifying import corrupting

_MANY = 8
"""Questions of one wording from which on an answer can become a habit."""
_HABIT = 0.4
"""The share of questions that one habit of guessing may answer; of four choices chance gives 0.25."""


def reviewed(outline: Outline, questions: Sequence[Question]) -> Asked:
    """The questions that stay, in the same order, and what was dropped.

    What would corrupt a trainer's labels goes, also from imported questions that no asker has seen. Near-duplicates go;
    so do as many questions as it takes that no habit (the most frequent answer to a wording, the
    longest choice, the choice nearest to the question) finds more than 40 % of the answers.
    """
    sieve = Sieve()
    sound = sieve.keep(questions, lambda question: MALFORMED if corrupting(question) else "")
    kept = without_duplicates(sound, sieve)
    kept = _without_habits(kept, outline, sieve)
    for guess in (longest, nearest):
        kept = _without_luck(kept, guess, sieve)
    return Asked(tuple(kept), dropped=sieve.dropped)


def _without_habits(questions: Sequence[Question], outline: Outline, sieve: Sieve) -> list[Question]:
    names = tuple(character.name for character in outline.characters)
    groups: dict[tuple[str, str, str], list[Question]] = defaultdict(list)
    for question in questions:
        if not question.choices:
            groups[question.kind, question.category, _pattern(question.question, names)].append(question)
    surplus: set[int] = set()
    for group in groups.values():
        if len(group) >= _MANY:
            surplus |= _surplus(group, [words(question.answer) for question in group])
    return sieve.keep(questions, lambda question: BLIND if id(question) in surplus else "")


def _surplus(group: Sequence[Question], answers: Sequence[str]) -> set[int]:
    """Of the questions with the most frequent answer those that are more than a habit may find."""
    answer, count = Counter(answers).most_common(1)[0]
    allowed = _allowed(len(group) - count)
    same = [question for question, said in zip(group, answers, strict=True) if said == answer]
    return _rest(same, allowed)


def _without_luck(questions: Sequence[Question], guess: Callable[[Question], str], sieve: Sieve) -> list[Question]:
    chosen = [question for question in questions if question.choices]
    lucky = [question for question in chosen if guess(question) == question.answer]
    if len(chosen) < _MANY:
        return list(questions)
    surplus = _rest(lucky, _allowed(len(chosen) - len(lucky)))
    return sieve.keep(questions, lambda question: BLIND if id(question) in surplus else "")


def _rest(questions: Sequence[Question], keep: int) -> set[int]:
    """All but so many of the questions, spread evenly over the movie."""
    if len(questions) <= keep:
        return set()
    kept = {index * len(questions) // keep for index in range(keep)}
    return {id(question) for index, question in enumerate(questions) if index not in kept}


def _allowed(others: int) -> int:
    """How many right guesses may stand beside so many wrong ones: n / (n + others) ≤ 0.4, at least one."""
    return max(1, int(others * _HABIT / (1 - _HABIT)))


def _pattern(question: str, names: Sequence[str]) -> str:
    """The wording without what changes from one question to the next: quotations, passages, names and numbers."""
    text = re.sub(r'"[^"]*"', " ", question)
    text = re.sub(r"\b[Ii]n the \w+ (scene of the )?(\w+ )?chapter\b,?", " ", text)
    for name in names:
        text = re.sub(rf"\b{re.escape(name)}\b", " ", text)
    return words(re.sub(r"\d+", " ", text))

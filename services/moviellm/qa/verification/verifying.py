"""The port of verifiers, and what every pair must pass before a movie is read for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from moviellm.movie import Question
from moviellm.qa.asking import FORBIDDEN, flaw
from moviellm.qa.script import Script
from moviellm.qa.verification.blind import gives_away, guessable
from moviellm.qa.verification.likeness import without_duplicates
from moviellm.qa.verification.reader import Reader
from moviellm.qa.verification.sieve import BLIND, MALFORMED, NOT_IN_EVIDENCE, TELLS, Sieve

MOST_WORDS = 60
"""Words of the longest answer."""


@dataclass(frozen=True)
class Verified:
    """The questions that stay, and the tokens of a language model that it cost to find them."""

    questions: tuple[Question, ...]
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Verifier(Protocol):
    """Answers questions again and compares; what does not hold is dropped and counted."""

    async def verify(self, script: Script, questions: Sequence[Question], seed: int, sieve: Sieve) -> Verified:
        """Those that the evidence answers, that nobody answers without it, each once."""


class LexicalVerifier:
    """Reads the evidence word by word; see `Reader` for what it understands and `blind` for what it guesses."""

    async def verify(self, script: Script, questions: Sequence[Question], seed: int, sieve: Sieve) -> Verified:
        """Malformed, given away, not in evidence, guessable, asked before: in this order."""
        return Verified(tuple(lexically_verified(script, questions, sieve)))


def lexically_verified(script: Script, questions: Sequence[Question], sieve: Sieve) -> list[Question]:
    """What `LexicalVerifier` keeps."""
    reader = Reader(script)
    sound = well_formed(questions, sieve)
    proved = sieve.keep(sound, lambda question: "" if holds(reader, question) else NOT_IN_EVIDENCE)
    hard = sieve.keep(proved, lambda question: BLIND if guessable(question, script.outline) else "")
    return without_duplicates(hard, sieve)


def well_formed(questions: Sequence[Question], sieve: Sieve) -> list[Question]:
    """The pairs that a trainer can use and that do not say their own answer."""
    sound = sieve.keep(questions, lambda question: MALFORMED if misshapen(question) else "")
    return sieve.keep(sound, lambda question: TELLS if gives_away(question) else "")


def misshapen(question: Question) -> str:
    """What makes a pair useless to a trainer; empty for a good one."""
    if wrong := flaw(question.question, question.answer):
        return "" if wrong == "contains its own answer" else wrong
    if len(question.answer.split()) > MOST_WORDS:
        return f"has an answer of more than {MOST_WORDS} words"
    if corrupting(question):
        return "has a choice that cannot be used"
    if question.choices and (question.choices.count(question.answer) != 1 or len(set(question.choices)) < 2):
        return "does not have its answer once among its choices"
    return ""


def corrupting(question: Question) -> bool:
    """Whether the pair has an empty text, or one that trainers give a meaning of their own."""
    texts = (question.question, question.answer, *question.choices)
    return any(not text.strip() or any(sign.lower() in text.lower() for sign in FORBIDDEN) for text in texts)


def holds(reader: Reader, question: Question) -> bool:
    """Whether the evidence gives the answer, and none of the other choices."""
    wrong = (choice for choice in question.choices if choice != question.answer)
    return reader.supports(question, question.answer) and not any(reader.supports(question, other) for other in wrong)

"""What only a look at all questions of a movie can tell."""

from collections.abc import Sequence

from moviellm.movie import Outline, Question
from moviellm.qa.asking import Asked
from moviellm.qa.likeness import without_duplicates
from moviellm.qa.sieve import Sieve


def reviewed(outline: Outline, questions: Sequence[Question]) -> Asked:
    """The questions that stay, in the same order, and what was dropped."""
    sieve = Sieve()
    kept = without_duplicates(questions, sieve)
    return Asked(tuple(kept), dropped=sieve.dropped)

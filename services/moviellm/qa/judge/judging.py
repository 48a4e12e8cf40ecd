"""The port of judges: which of two answers is nearer to a reference."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Winner(StrEnum):
    """The better of two answers."""

    CANDIDATE = "candidate"
    BASELINE = "baseline"
    TIE = "tie"


@dataclass(frozen=True)
class Case:
    """A question with the right answer and two answers to compare."""

    question: str
    reference: str
    candidate: str
    baseline: str


@dataclass(frozen=True)
class Judgement:
    """One comparison: scores from 0 to 5 and the better answer."""

    candidate_score: float
    baseline_score: float
    winner: Winner


@dataclass(frozen=True)
class Verdict:
    """Both orders of showing the answers, and the tokens of a language model that they cost."""

    candidate_first: Judgement
    baseline_first: Judgement
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt: str = ""

    @property
    def winner(self) -> Winner:
        """The winner where both orders agree, else a tie: an answer gains nothing by coming first."""
        first, second = self.candidate_first.winner, self.baseline_first.winner
        return first if first is second else Winner.TIE


class Judge(Protocol):
    """Compares two answers; raises moviellm.errors only."""

    @property
    def name(self) -> str:
        """What judged, for its bill."""

    async def judge(self, case: Case) -> Verdict:
        """Compare in both orders."""


def winner_of(candidate_score: float, baseline_score: float) -> Winner:
    """The answer with the higher score."""
    if candidate_score == baseline_score:
        return Winner.TIE
    return Winner.CANDIDATE if candidate_score > baseline_score else Winner.BASELINE

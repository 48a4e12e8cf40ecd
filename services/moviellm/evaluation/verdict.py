"""What a judge says of two answers, and the port of judges."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Winner(StrEnum):
    """The better of two answers."""

    CANDIDATE = "candidate"
    BASELINE = "baseline"
    TIE = "tie"


@dataclass(frozen=True)
class Comparison:
    """Two answers to one question, none of them empty, and the right answer."""

    question: str
    reference: str
    candidate: str
    baseline: str


@dataclass(frozen=True)
class Judgement:
    """One order of showing: scores from 0 to 5 and the better answer."""

    candidate_score: float
    baseline_score: float
    winner: Winner


@dataclass(frozen=True)
class Verdict:
    """Both orders of showing, who judged, and what that cost."""

    candidate_first: Judgement
    baseline_first: Judgement
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Judge(Protocol):
    """Compares two answers in both orders; raises moviellm.errors only."""

    @property
    def name(self) -> str:
        """Who judges, as far as it is known beforehand; judgements of another name are not taken for this one's."""

    async def judge(self, comparison: Comparison) -> Verdict:
        """Compare."""

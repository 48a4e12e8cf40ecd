"""What a verdict, or a missing answer, means for one question."""

from dataclasses import dataclass

from moviellm.evaluation.pairing import Item
from moviellm.evaluation.verdict import Comparison, Verdict, Winner

NO_ANSWER = "(no answer)"
"""What a judge is shown where an answer is missing."""


@dataclass(frozen=True)
class Scored:
    """One question's outcome: scores 0 to 5, the mean of both orders; the winner where both orders agree, else a tie.

    `verdict` is None where an answer is missing: then the judge's word on order counts for nothing.
    """

    item: Item
    candidate_score: float
    baseline_score: float
    winner: Winner
    verdict: Verdict | None = None

    @property
    def orders_agree(self) -> bool:
        """Whether the judge named the same winner in both orders."""
        return self.verdict is not None and (self.verdict.candidate_first.winner is self.verdict.baseline_first.winner)


def comparison_of(item: Item) -> Comparison | None:
    """What to ask a judge; None where both answers are missing and there is nothing to judge."""
    if not item.candidate and not item.baseline:
        return None
    return Comparison(item.question, item.reference, item.candidate or NO_ANSWER, item.baseline or NO_ANSWER)


def scored(item: Item, verdict: Verdict | None) -> Scored:
    """The outcome; a missing answer has 0 and never wins, whatever the judge made of it."""
    if verdict is None:
        return Scored(item, 0.0, 0.0, Winner.TIE)
    first, second = verdict.candidate_first, verdict.baseline_first
    candidate = (first.candidate_score + second.candidate_score) / 2
    baseline = (first.baseline_score + second.baseline_score) / 2
    if not item.candidate:
        return Scored(item, 0.0, baseline, Winner.BASELINE if baseline > 0 else Winner.TIE)
    if not item.baseline:
        return Scored(item, candidate, 0.0, Winner.CANDIDATE if candidate > 0 else Winner.TIE)
    winner = first.winner if first.winner is second.winner else Winner.TIE
    return Scored(item, candidate, baseline, winner, verdict)

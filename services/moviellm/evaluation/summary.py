"""From outcomes of single questions to figures of a kind, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moviellm.evaluation.kinds import ALL, in_order
from moviellm.evaluation.scoring import Scored
from moviellm.evaluation.statistics import Figure, mean_by_movie, share
from moviellm.evaluation.verdict import Winner


@dataclass(frozen=True)
class Position:
    """How the judge took the order of showing, over its judgements (two a question).

    `bias` is (first_wins − second_wins) / judgements: 0 for a judge that does not care, 1 for one that always prefers
    what it sees first, −1 for the last.
    """

    judgements: int
    first_wins: int
    second_wins: int
    ties: int
    bias: float | None
    orders_agree: Figure | None


@dataclass(frozen=True)
class Summary:
    """The figures of one kind of questions.

    `win_rate` counts a tie as half a win, so that the two sides' rates add up to 1 as in the paper; `decided_win_rate`
    leaves ties out. Shares carry Wilson intervals, means and differences bootstrap intervals over movies. Of the
    `ties`, `disagreements` are questions whose two orders named different winners.
    """

    kind: str
    questions: int
    movies: int
    candidate_wins: int
    baseline_wins: int
    ties: int
    disagreements: int
    missing: int
    win_rate: Figure | None
    decided_win_rate: Figure | None
    net_wins: Figure | None
    candidate_score: Figure | None
    baseline_score: Figure | None
    score_difference: Figure | None
    position: Position


def summaries(outcomes: Sequence[Scored], *, seed: int = 0) -> tuple[Summary, ...]:
    """The figures of each kind, and of all together last where there is more than one kind."""
    by_kind: Mapping[str, list[Scored]] = {
        kind: [outcome for outcome in outcomes if outcome.item.kind == kind]
        for kind in in_order(outcome.item.kind for outcome in outcomes)
    }
    single = [_summary(kind, group, seed) for kind, group in by_kind.items()]
    return (*single, _summary(ALL, outcomes, seed)) if len(single) > 1 else tuple(single)


def _summary(kind: str, outcomes: Sequence[Scored], seed: int) -> Summary:
    movies = [outcome.item.movie for outcome in outcomes]
    wins = [_sign(outcome.winner) for outcome in outcomes]
    won, lost, tied = wins.count(1), wins.count(-1), wins.count(0)

    def mean(values: Sequence[float]) -> Figure | None:
        return mean_by_movie(values, movies, seed=seed)

    judged = [outcome for outcome in outcomes if outcome.verdict is not None]
    return Summary(
        kind=kind,
        questions=len(outcomes),
        movies=len(set(movies)),
        candidate_wins=won,
        baseline_wins=lost,
        ties=tied,
        disagreements=sum(not outcome.orders_agree for outcome in judged),
        missing=len(outcomes) - len(judged),
        win_rate=share(won + tied / 2, len(outcomes)),
        decided_win_rate=share(won, won + lost),
        net_wins=mean(wins),
        candidate_score=mean([outcome.candidate_score for outcome in outcomes]),
        baseline_score=mean([outcome.baseline_score for outcome in outcomes]),
        score_difference=mean([outcome.candidate_score - outcome.baseline_score for outcome in outcomes]),
        position=position_of(judged),
    )


def position_of(outcomes: Sequence[Scored]) -> Position:
    """How the order of showing mattered to the judge."""
    firsts: list[int] = []
    for outcome in outcomes:
        if outcome.verdict is not None:
            firsts += [_sign(outcome.verdict.candidate_first.winner), -_sign(outcome.verdict.baseline_first.winner)]
    first, second = firsts.count(1), firsts.count(-1)
    return Position(
        judgements=len(firsts),
        first_wins=first,
        second_wins=second,
        ties=firsts.count(0),
        bias=(first - second) / len(firsts) if firsts else None,
        orders_agree=share(sum(outcome.orders_agree for outcome in outcomes), len(firsts) // 2),
    )


def _sign(winner: Winner) -> int:
    return {Winner.CANDIDATE: 1, Winner.BASELINE: -1, Winner.TIE: 0}[winner]

"""What verdicts mean, counted by hand."""

import pytest

from moviellm.evaluation.journal import Journal
from moviellm.evaluation.pairing import Pairs
from moviellm.evaluation.report import as_json, report_of, write_whole
from moviellm.evaluation.scoring import scored
from moviellm.evaluation.statistics import Figure
from moviellm.evaluation.summary import summaries
from moviellm.evaluation.verdict import Judgement, Verdict, Winner

C, B, T = Winner.CANDIDATE, Winner.BASELINE, Winner.TIE


def verdict(first, second, scores=((4, 2), (4, 2))):
    return Verdict(Judgement(*scores[0], first), Judgement(*scores[1], second), "tiny", 100, 10)


@pytest.mark.parametrize(
    ("first", "second", "winner"), [(C, C, C), (B, B, B), (T, T, T), (C, B, T), (B, C, T), (C, T, T), (T, B, T)]
)
def test_only_a_win_in_both_orders_is_a_win(item, first, second, winner):
    assert scored(item(), verdict(first, second)).winner is winner


def test_scores_are_the_mean_of_both_orders(item):
    outcome = scored(item(), verdict(C, T, ((5, 2), (3, 3))))
    assert (outcome.candidate_score, outcome.baseline_score) == (4.0, 2.5)


def test_a_missing_answer_has_nothing_whatever_the_judge_says(item):
    outcome = scored(item(candidate=""), verdict(C, C, ((5, 2), (5, 3))))
    assert (outcome.candidate_score, outcome.baseline_score, outcome.winner) == (0.0, 2.5, B)
    outcome = scored(item(baseline=""), verdict(T, T, ((0, 4), (0, 4))))
    assert (outcome.candidate_score, outcome.baseline_score, outcome.winner) == (0.0, 0.0, T)
    assert scored(item(candidate="", baseline=""), None).winner is T


def test_the_figures_of_a_kind(item):
    verdicts = [
        verdict(C, C),
        verdict(C, C),
        verdict(B, B, ((1, 3), (1, 3))),
        verdict(C, B),
        verdict(T, T, ((3, 3), (3, 3))),
    ]
    outcomes = [scored(item(number, movie=f"m{number % 2}"), one) for number, one in enumerate(verdicts)]
    (summary,) = summaries(outcomes)
    assert (summary.kind, summary.questions, summary.movies) == ("plot", 5, 2)
    assert (summary.candidate_wins, summary.baseline_wins, summary.ties, summary.disagreements) == (2, 1, 2, 1)
    assert summary.win_rate.value == pytest.approx(3 / 5), "two wins and two halves"
    assert summary.decided_win_rate.value == pytest.approx(2 / 3)
    assert summary.net_wins.value == pytest.approx(1 / 5)
    assert summary.candidate_score.value == pytest.approx((4 + 4 + 1 + 4 + 3) / 5)
    assert summary.score_difference.value == pytest.approx((2 + 2 - 2 + 2 + 0) / 5)
    assert summary.position.orders_agree.value == pytest.approx(4 / 5)


def test_both_sides_win_rates_add_up_to_one(item):
    ours = summaries([scored(item(1), verdict(C, C)), scored(item(2), verdict(T, T)), scored(item(3), verdict(B, B))])
    theirs = summaries([scored(item(1), verdict(B, B)), scored(item(2), verdict(T, T)), scored(item(3), verdict(C, C))])
    assert ours[0].win_rate.value + theirs[0].win_rate.value == 1.0


def test_a_judge_that_prefers_the_first_moves_nothing_and_is_found_out(item):
    outcomes = [scored(item(number, movie=f"m{number}"), verdict(C, B, ((5, 1), (1, 5)))) for number in range(30)]
    (summary,) = summaries(outcomes)
    assert (summary.win_rate.value, summary.net_wins, summary.score_difference) == (
        0.5,
        Figure(0.0, 0.0, 0.0),
        Figure(0.0, 0.0, 0.0),
    )
    assert (summary.ties, summary.disagreements, summary.decided_win_rate) == (30, 30, None)
    position = summary.position
    assert (position.bias, position.orders_agree.value) == (1.0, 0.0)
    assert (position.judgements, position.first_wins, position.second_wins) == (60, 60, 0)


def test_a_judge_that_prefers_the_last_is_found_out_too(item):
    assert summaries([scored(item(), verdict(B, C))])[0].position.bias == -1.0


def test_a_clear_difference_shows_no_position_bias(item):
    position = summaries([scored(item(number), verdict(C, C)) for number in range(4)])[0].position
    assert (position.bias, position.first_wins, position.second_wins) == (0.0, 4, 4)


def test_missing_answers_say_nothing_about_the_judge(item):
    (summary,) = summaries([scored(item(1, candidate=""), verdict(C, B)), scored(item(2), verdict(B, B))])
    assert (summary.missing, summary.disagreements, summary.position.judgements) == (1, 0, 2)
    assert summary.baseline_wins == 2


def test_kinds_stand_in_the_papers_order_and_all_last(item):
    kinds = ("wild", "temporal", "other", "dialogue", "overview", "temporal")
    rows = summaries([scored(item(number, kind=kind), verdict(C, C)) for number, kind in enumerate(kinds)])
    assert [(row.kind, row.questions) for row in rows] == [
        ("overview", 1),
        ("temporal", 2),
        ("dialogue", 1),
        ("other", 1),
        ("wild", 1),
        ("all", 6),
    ]
    assert summaries([]) == ()


def test_a_report_holds_what_the_journal_knows_and_counts_a_shared_judgement_once(item, tmp_path):
    items = (item(1), item(1, movie="again"), item(2), item(3, candidate="", baseline=""))
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.add(items[0].digest("j"), verdict(C, C))
        report = report_of(Pairs(items), journal, "j", given_up={"q2": "nonsense"})
    assert [outcome.item.movie for outcome in report.outcomes] == ["m", "again", "m"]
    assert (report.prompt_tokens, report.completion_tokens, report.models) == (100, 10, ("tiny",))
    plain = as_json(report, [])
    assert plain["not_judged"] == {"q2": "nonsense"}
    assert plain["kinds"]["plot"]["candidate_wins"] == 2
    assert plain["questions"][0]["orders"][1] == {"candidate_score": 4, "baseline_score": 2, "winner": "candidate"}


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new/result.json"
    write_whole(path, {"a": "é"})
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_whole(path, {"a": object()})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]

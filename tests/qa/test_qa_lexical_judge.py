"""The embedded judge: words in common, scaled to 0–5."""

import pytest

from moviellm.qa.judge.judging import Case, Winner
from moviellm.qa.judge.lexical_judge import LexicalJudge, score


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("Mara finds a letter.", "mara finds a LETTER", 5.0),
        ("a ship", "Mara finds the letter", 0.0),
        ("Mara finds", "Mara finds the letter", 3.33),
        ("letter letter letter", "the letter", 2.0),
        ("...", "the letter", 0.0),
    ],
)
def test_the_score_is_the_f1_of_the_words(answer, reference, expected):
    assert score(answer, reference) == expected


@pytest.mark.parametrize(
    ("candidate", "baseline", "winner"),
    [
        ("Mara finds a letter", "a ship", Winner.CANDIDATE),
        ("a ship", "Mara finds a letter", Winner.BASELINE),
        ("a ship", "a ship", Winner.TIE),
    ],
)
async def test_the_nearer_answer_wins_in_both_orders(candidate, baseline, winner):
    verdict = await LexicalJudge().judge(Case("What happens?", "Mara finds a letter", candidate, baseline))
    assert verdict.winner is winner
    assert verdict.candidate_first == verdict.baseline_first
    assert (verdict.prompt_tokens, verdict.completion_tokens) == (0, 0)

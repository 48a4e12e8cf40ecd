"""The embedded judge: words in common with the reference."""

import re
from collections import Counter

from moviellm.qa.judge.judging import Case, Judgement, Verdict, winner_of


class LexicalJudge:
    """Scores an answer by the F1 of its words with the reference's, times 5.

    What it is worth: it needs no model and is symmetric and repeatable, so it shows whether a whole evaluation runs and
    finds gross differences. It does not understand: a right answer in other words scores low, a wrong one that borrows
    the reference's words ("Mara does not find the letter") scores high. Publish figures of a language model's judge.
    """

    name = "lexical"

    async def judge(self, case: Case) -> Verdict:
        """Compare; the order of showing makes no difference here, so both judgements are equal."""
        candidate, baseline = score(case.candidate, case.reference), score(case.baseline, case.reference)
        judgement = Judgement(candidate, baseline, winner_of(candidate, baseline))
        return Verdict(judgement, judgement)


def score(answer: str, reference: str) -> float:
    """5 · 2PR / (P + R) over the words of both, each counted as often as it stands there; 0 to 5, two decimals."""
    given, wanted = _words(answer), _words(reference)
    common = (given & wanted).total()
    if common == 0:
        return 0.0
    precision, recall = common / given.total(), common / wanted.total()
    return round(5 * 2 * precision * recall / (precision + recall), 2)


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.lower()))

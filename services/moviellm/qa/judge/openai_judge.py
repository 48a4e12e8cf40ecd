"""The judge that has a language model score both answers, once in each order."""

from typing import Any

from moviellm.llm.openai_chat import OpenAIChat
from moviellm.llm.reply import Reply, Unusable
from moviellm.qa.by_model.prompting import Templates
from moviellm.qa.judge.judging import Case, Judgement, Verdict, Winner, winner_of

_SCHEMA: dict[str, Any] = {
    "title": "judgement",
    "type": "object",
    "properties": {
        "score_a": {"type": "number", "description": "0 to 5"},
        "score_b": {"type": "number", "description": "0 to 5"},
        "better": {"type": "string", "enum": ["a", "b", "tie"]},
    },
    "required": ["score_a", "score_b", "better"],
    "additionalProperties": False,
}
_BEST = 5.0


class OpenAIJudge:
    """Language models favour the answer they see first, so both orders are judged; see Verdict.winner."""

    def __init__(self, *, chat: OpenAIChat, templates: Templates | None = None) -> None:
        self._chat = chat
        self._templates = templates or Templates()
        self.name = chat.model

    async def judge(self, case: Case) -> Verdict:
        """Compare in both orders; raises what OpenAIChat raises."""
        first = await self._compare(case, case.candidate, case.baseline)
        second = await self._compare(case, case.baseline, case.candidate)
        return Verdict(
            candidate_first=first.value,
            baseline_first=_exchanged(second.value),
            prompt_tokens=first.prompt_tokens + second.prompt_tokens,
            completion_tokens=first.completion_tokens + second.completion_tokens,
            prompt=self._templates["judge"].label,
        )

    async def _compare(self, case: Case, a: str, b: str) -> Reply[Judgement]:
        user = self._templates["judge_case"].filled(question=case.question, reference=case.reference, a=a, b=b)
        return await self._chat.ask(_SCHEMA, self._templates["judge"].filled(), user, _judgement)


def _judgement(reply: dict[str, Any]) -> Judgement:
    """The reply with answer A as the candidate."""
    scores = []
    for key in ("score_a", "score_b"):
        score = reply.get(key)
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= _BEST:
            raise Unusable(f'"{key}" must be a number from 0 to 5')
        scores.append(float(score))
    named = {"a": Winner.CANDIDATE, "b": Winner.BASELINE, "tie": Winner.TIE}.get(str(reply.get("better")))
    if named is None:
        raise Unusable('"better" must be "a", "b" or "tie"')
    if winner_of(*scores) not in (named, Winner.TIE):
        raise Unusable('"better" contradicts the scores')
    return Judgement(scores[0], scores[1], named)


def _exchanged(judgement: Judgement) -> Judgement:
    winner = {Winner.CANDIDATE: Winner.BASELINE, Winner.BASELINE: Winner.CANDIDATE, Winner.TIE: Winner.TIE}
    return Judgement(judgement.baseline_score, judgement.candidate_score, winner[judgement.winner])

"""What the questions of one part will cost: the conversations that would be had, with replies of the usual length."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from moviellm.qa.by_model.openai_verifier import ANSWERS_SCHEMA, evidence_questions
from moviellm.qa.by_model.prompting import Template, Templates
from moviellm.qa.by_model.replies import Part
from moviellm.qa.by_model.script_text import part_text

_QUESTION = "In the first scene of the chapter, why does Mara look for the letter that her brother has hidden?"
_ANSWER = "Mara looks for it because her brother has asked her to find it."


class TokenCounts(Protocol):
    """What the endpoint of a language model counts; OpenAIChat is one."""

    def messages_tokens(self, schema: Mapping[str, Any], system: str, user: str) -> int:
        """The prompt tokens of one question."""
        ...

    def text_tokens(self, text: str) -> int:
        """The completion tokens of a reply."""
        ...


@dataclass(frozen=True)
class Cost:
    """Tokens sent and received."""

    prompt: float
    completion: float


def rehearsed(part: Part, rules: Template, templates: Templates, counts: TokenCounts) -> Cost:
    """Asking for the questions, answering them from the evidence, and answering them blind."""
    reply = {"questions": [_item(part) for _ in range(part.count)]}
    questions = [draft.question for draft in part.read(reply).drafts]
    script = part_text(part.script)
    user = templates[part.level].filled(count=part.count, name=part.name, script=script)
    listed = evidence_questions(part.script, questions)
    answers = {"answers": [{"number": number, "answer": _ANSWER} for number in range(1, part.count + 1)]}
    unknown = {"answers": [{"number": number, "answer": "unknown"} for number in range(1, part.count + 1)]}
    conversations = (
        (part.schema(), rules.filled(), user, reply),
        (
            ANSWERS_SCHEMA,
            templates["answer"].filled(),
            templates["answer_case"].filled(script=script, questions=listed),
            answers,
        ),
        (ANSWERS_SCHEMA, templates["blind"].filled(), templates["blind_case"].filled(questions=listed), unknown),
    )
    return Cost(
        sum(counts.messages_tokens(schema, system, said) for schema, system, said, _ in conversations),
        sum(counts.text_tokens(json.dumps(answer)) for *_, answer in conversations),
    )


def _item(part: Part) -> dict[str, Any]:
    wrong = [_ANSWER] * 3
    return {
        "category": part.categories[0],
        "question": _QUESTION,
        "answer": _ANSWER,
        "wrong_answers": wrong,
        "first": 1,
        "last": 1,
    }

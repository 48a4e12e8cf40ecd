"""The verifier that has a language model answer the questions again, with the evidence and without."""

from collections.abc import Mapping, Sequence
from typing import Any

from moviellm.llm.openai_chat import OpenAIChat
from moviellm.llm.reply import Bill, NothingUsable, Unusable
from moviellm.movie import FrameRange, Question
from moviellm.qa.by_model.prompting import Templates
from moviellm.qa.by_model.script_text import part_text
from moviellm.qa.script import Script
from moviellm.qa.verification.blind import guessable
from moviellm.qa.verification.comparing import Likeness, compared, lettered
from moviellm.qa.verification.likeness import without_duplicates
from moviellm.qa.verification.sieve import BLIND, NOT_IN_EVIDENCE, Sieve
from moviellm.qa.verification.verifying import Verified, well_formed


class OpenAIVerifier:
    """Asks all questions of a part in one call with their evidence and in one without, and compares the answers.

    What words cannot decide is decided by the model in one more call. A model that gives no usable answers has not
    found anything in the evidence, so nothing is kept; in the blind pass it has not guessed anything.
    """

    def __init__(self, *, chat: OpenAIChat, templates: Templates) -> None:
        self._chat = chat
        self._templates = templates

    async def verify(self, script: Script, questions: Sequence[Question], seed: int, sieve: Sieve) -> Verified:
        """Malformed, given away, guessable by wording, asked before, not in evidence, answered blind: in this order."""
        bill = Bill()
        sound = well_formed(questions, sieve)
        hard = sieve.keep(sound, lambda question: BLIND if guessable(question, script.outline) else "")
        once = without_duplicates(hard, sieve)
        proved = await self._right(once, _evidence_case(self._templates, script, once), "answer", seed, bill)
        supported = sieve.keep(once, lambda question: "" if id(question) in proved else NOT_IN_EVIDENCE)
        case = self._templates["blind_case"].filled(questions=_numbered(map(lettered, supported)))
        guessed = await self._right(supported, case, "blind", seed, bill)
        kept = sieve.keep(supported, lambda question: BLIND if id(question) in guessed else "")
        return Verified(tuple(kept), bill.prompt_tokens, bill.completion_tokens)

    async def _right(self, questions: Sequence[Question], case: str, name: str, seed: int, bill: Bill) -> set[int]:
        """The identities of the questions that the model answers right."""
        if not questions:
            return set()
        given = await self._answers(self._templates[name].filled(), case, name, len(questions), seed, bill)
        likeness = {number: compared(question, given.get(number, "")) for number, question in enumerate(questions, 1)}
        same = {number for number, like in likeness.items() if like is Likeness.SAME}
        unclear = [number for number, like in likeness.items() if like is Likeness.UNCLEAR]
        if unclear:
            pairs = "\n".join(_pair(number, questions[number - 1], given[number]) for number in unclear)
            same |= await self._same(pairs, unclear, seed, bill)
        return {id(questions[number - 1]) for number in same}

    async def _same(self, pairs: str, numbers: Sequence[int], seed: int, bill: Bill) -> set[int]:
        system, user = self._templates["same"].filled(), self._templates["same_case"].filled(pairs=pairs)
        try:
            reply = await self._chat.ask(SAME_SCHEMA, system, user, _numbers, seed=seed, bill=bill)
        except NothingUsable:
            return set()
        return reply.value & set(numbers)

    async def _answers(self, system: str, user: str, name: str, count: int, seed: int, bill: Bill) -> Mapping[int, str]:
        try:
            reply = await self._chat.ask({**ANSWERS_SCHEMA, "title": name}, system, user, _texts, seed=seed, bill=bill)
        except NothingUsable:
            return {}
        return {number: text for number, text in reply.value.items() if 1 <= number <= count}


ANSWERS_SCHEMA: Mapping[str, Any] = {
    "title": "answers",
    "type": "object",
    "properties": {
        "answers": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"number": {"type": "integer"}, "answer": {"type": "string"}},
                "required": ["number", "answer"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["answers"],
    "additionalProperties": False,
}

SAME_SCHEMA: Mapping[str, Any] = {
    "title": "same",
    "type": "object",
    "properties": {
        "same": {"type": "array", "items": {"type": "integer"}, "description": "numbers of the pairs that are the same"}
    },
    "required": ["same"],
    "additionalProperties": False,
}


def evidence_questions(script: Script, questions: Sequence[Question]) -> str:
    """The questions with numbers, each with the part of the script that it may be answered from."""
    return _numbered(f"({portion(script, question.evidence)}) {lettered(question)}" for question in questions)


def portion(script: Script, span: FrameRange) -> str:
    """The evidence in the numbers that the text of the part uses: frames of a scene, scenes, or chapters."""
    shape = script.shape
    if script.scenes:
        unit, size, start = "frame", 1, script.span(script.scenes[0].chapter, script.scenes[0].number).first
    elif script.chapters:
        unit, size, start = "scene", shape.frames, shape.chapter_range(script.chapters[0].number).first
    else:
        unit, size, start = "chapter", shape.frames * shape.scenes, 1
    first, last = (span.first - start) // size + 1, (span.last - start) // size + 1
    return f"use {unit} {first}" if first == last else f"use {unit}s {first} to {last}"


def _evidence_case(templates: Templates, script: Script, questions: Sequence[Question]) -> str:
    return templates["answer_case"].filled(script=part_text(script), questions=evidence_questions(script, questions))


def _numbered(texts: Any) -> str:
    return "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))


def _pair(number: int, question: Question, given: str) -> str:
    return f"{number}. Question: {question.question}\n   First answer: {question.answer}\n   Second answer: {given}"


def _texts(reply: dict[str, Any]) -> dict[int, str]:
    """The answers by number; a list of plain texts counts from 1."""
    items = reply.get("answers")
    found: dict[int, str] = {}
    for place, item in enumerate(items if isinstance(items, list) else [], 1):
        if isinstance(item, str):
            found[place] = item
        elif isinstance(item, dict) and isinstance(item.get("answer"), str):
            number = item.get("number")
            found[number if isinstance(number, int) else place] = item["answer"]
    if not found:
        raise Unusable('"answers" must be a list with a number and an answer for each question')
    return found


def _numbers(reply: dict[str, Any]) -> set[int]:
    items = reply.get("same")
    if not isinstance(items, list):
        raise Unusable('"same" must be a list of numbers')
    return {item for item in items if isinstance(item, int)}

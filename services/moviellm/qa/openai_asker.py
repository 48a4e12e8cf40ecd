"""The asker that has a language model read the script and ask."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from moviellm.llm.openai_chat import OpenAIChat
from moviellm.llm.reply import Unusable
from moviellm.movie import Chapter, FrameRange, Outline, Question, QuestionKind, Scene, Shape
from moviellm.qa.asking import Asked, Forecast, Prompts, flaw, words
from moviellm.qa.fact_asker import FactAsker
from moviellm.qa.prompting import prompt
from moviellm.qa.review import reviewed

_OVERVIEW = ("what", "who", "why", "how", "where")
_PLOT = ("what", "why", "how", "where")
_MOVIE_COUNT, _CHAPTER_COUNT, _SCENE_COUNT = 8, 8, 4


class OpenAIAsker:
    """Asks with a language model; every reply is checked, and evidence comes from the shape, not from the model.

    Temporal questions are the embedded asker's: their answers follow from the order of the script, by construction.
    The seed goes to the endpoint with each request; whether equal requests give equal questions is up to the model.
    """

    def __init__(self, *, chat: OpenAIChat) -> None:
        self._chat = chat
        self._facts = FactAsker()
        self.name = chat.model

    async def ask_movie(self, outline: Outline, shape: Shape, seed: int, prompts: Prompts = ()) -> Asked:
        """Overview questions; their evidence is the whole movie."""
        text = prompt("movie", count=_MOVIE_COUNT, outline=_text(outline))
        wanted = _Wanted(QuestionKind.OVERVIEW, _OVERVIEW, _MOVIE_COUNT, shape.movie_range(), "movie")
        return await self._ask(text, wanted, seed)

    async def ask_chapter(
        self, outline: Outline, chapter: Chapter, shape: Shape, seed: int, prompts: Prompts = ()
    ) -> Asked:
        """Plot questions about one chapter; their evidence is the chapter."""
        text = prompt(
            "chapter", count=_CHAPTER_COUNT, outline=_text(outline), chapter=_text(chapter), number=chapter.number
        )
        evidence = shape.chapter_range(chapter.number)
        wanted = _Wanted(QuestionKind.PLOT, _PLOT, _CHAPTER_COUNT, evidence, "chapter")
        return await self._ask(text, wanted, seed)

    async def ask_scene(
        self, outline: Outline, chapter: Chapter, scene: Scene, shape: Shape, seed: int, prompts: Prompts = ()
    ) -> Asked:
        """Plot questions about one scene, its frames and dialogue; their evidence is the scene."""
        plan = next(plan for plan in chapter.scenes if plan.number == scene.number)
        text = prompt("scene", count=_SCENE_COUNT, outline=_text(outline), plan=_text(plan), scene=_text(scene))
        evidence = shape.scene_range(scene.chapter, scene.number)
        wanted = _Wanted(QuestionKind.PLOT, _PLOT, _SCENE_COUNT, evidence, "scene")
        return await self._ask(text, wanted, seed)

    async def ask_order(
        self,
        outline: Outline,
        chapters: tuple[Chapter, ...],
        shape: Shape,
        seed: int,
        prompts: Prompts = (),
        scenes: tuple[Scene, ...] = (),
    ) -> Asked:
        """Temporal questions from the order of the scenes, without the model."""
        return await self._facts.ask_order(outline, chapters, shape, seed, prompts, scenes)

    async def review(self, outline: Outline, questions: tuple[Question, ...]) -> Asked:
        """Without near-duplicates."""
        return reviewed(outline, questions)

    async def estimate(self, theme: str, shape: Shape, dialogue_lines: int, prompts: Prompts = ()) -> Forecast:
        """Typical sizes."""
        return Forecast()

    async def check(self) -> None:
        """Raise while the endpoint does not answer or refuses the key."""
        await self._chat.check()

    async def _ask(self, text: str, wanted: "_Wanted", seed: int) -> Asked:
        reply = await self._chat.ask(wanted.schema(), prompt("asker"), text, wanted.read, seed=seed)
        return Asked(reply.value, reply.prompt_tokens, reply.completion_tokens)


@dataclasses.dataclass(frozen=True)
class _Wanted:
    """What a reply may hold, and what every question of it gets from us."""

    kind: QuestionKind
    categories: Sequence[str]
    count: int
    evidence: FrameRange
    level: str

    def schema(self) -> dict[str, Any]:
        texts = {"question": {"type": "string"}, "answer": {"type": "string"}}
        item = {
            "type": "object",
            "properties": {"category": {"type": "string", "enum": list(self.categories)}, **texts},
            "required": ["category", *texts],
            "additionalProperties": False,
        }
        return {
            "title": "questions",
            "type": "object",
            "properties": {"questions": {"type": "array", "items": item}},
            "required": ["questions"],
            "additionalProperties": False,
        }

    def read(self, reply: dict[str, Any]) -> tuple[Question, ...]:
        """The reply's questions, at most as many as were asked for; raises Unusable for the first flaw."""
        items = reply.get("questions")
        if not isinstance(items, list) or not items:
            raise Unusable('"questions" must be a list with at least one question')
        questions = tuple(self._question(item, number) for number, item in enumerate(items, 1))
        seen: set[str] = set()
        for number, question in enumerate(questions, 1):
            if words(question.question) in seen:
                raise Unusable(f"question {number} repeats an earlier one")
            seen.add(words(question.question))
        return questions[: self.count]

    def _question(self, item: object, number: int) -> Question:
        if not isinstance(item, dict) or not all(
            isinstance(item.get(key), str) for key in ("category", "question", "answer")
        ):
            raise Unusable(f'question {number} must have the texts "category", "question" and "answer"')
        category, question, answer = (item[key].strip() for key in ("category", "question", "answer"))
        if category not in self.categories:
            raise Unusable(f"the category of question {number} must be one of {', '.join(self.categories)}")
        if wrong := flaw(question, answer):
            raise Unusable(f"question {number} {wrong}")
        return Question(self.kind, category, question, answer, self.evidence, self.level)


def _text(value: Any) -> str:
    return json.dumps(dataclasses.asdict(value), ensure_ascii=False, indent=1)

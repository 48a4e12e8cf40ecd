"""What a language model is asked for about one part of a script, and how its reply is read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from moviellm.llm.reply import Unusable
from moviellm.movie import FrameRange, Question, QuestionKind, Shape
from moviellm.qa.asking import words
from moviellm.qa.by_model.typical import typical_script
from moviellm.qa.facts.draft import Draft
from moviellm.qa.script import Script
from moviellm.qa.verification.sieve import MALFORMED
from moviellm.qa.verification.verifying import misshapen

_KINDS = {
    "who": QuestionKind.CHARACTER,
    "said": QuestionKind.DIALOGUE,
}


@dataclass(frozen=True)
class Counts:
    """How many questions a model is asked for at once: about the movie, a chapter, a scene."""

    movie: int = 10
    chapter: int = 10
    scene: int = 6


@dataclass(frozen=True)
class Read:
    """The usable questions of a reply, and how many were not."""

    drafts: tuple[Draft, ...]
    unusable: int

    @property
    def dropped(self) -> tuple[str, int]:
        """For the sieve."""
        return MALFORMED, self.unusable


@dataclass(frozen=True)
class Part:
    """One part of a script, its frames, and how evidence within it is counted: `unit` frames at a time."""

    script: Script
    level: str
    name: str
    span: FrameRange
    unit: int
    categories: tuple[str, ...]
    count: int

    @classmethod
    def movie(cls, script: Script, count: int) -> Self:
        """The whole movie, by its outline; evidence is counted in chapters."""
        shape = script.shape
        categories = ("what", "who", "why", "how", "where")
        return cls(script, "movie", "the movie", shape.movie_range(), shape.scenes * shape.frames, categories, count)

    @classmethod
    def chapter(cls, script: Script, count: int) -> Self:
        """The script's first chapter; evidence is counted in scenes."""
        number, shape = script.chapters[0].number, script.shape
        categories = ("what", "why", "how", "where")
        name, span = script.chapter_name(number), shape.chapter_range(number)
        return cls(script, "chapter", name, span, shape.frames, categories, count)

    @classmethod
    def scene(cls, script: Script, count: int) -> Self:
        """The script's first scene; evidence is counted in frames."""
        scene = script.scenes[0]
        name, span = script.scene_name(scene.chapter, scene.number), script.span(scene.chapter, scene.number)
        return cls(script, "scene", name, span, 1, ("what", "why", "how", "where", "who", "said"), count)

    @classmethod
    def typical(cls, theme: str, shape: Shape, dialogue_lines: int, counts: Counts) -> Iterator[tuple[Self, int]]:
        """A part of each level with texts of usual length, and how many such parts a movie has."""
        script = typical_script(theme, shape, dialogue_lines)
        yield cls.movie(Script(script.outline, shape), counts.movie), 1
        yield cls.chapter(Script(script.outline, shape, script.chapters), counts.chapter), shape.chapters
        yield cls.scene(script, counts.scene), shape.chapters * shape.scenes

    def schema(self) -> dict[str, Any]:
        """The JSON schema of a reply."""
        properties = {
            "category": {"type": "string", "enum": list(self.categories)},
            "question": {"type": "string"},
            "answer": {"type": "string"},
            "wrong_answers": {"type": "array", "items": {"type": "string"}},
            "first": {"type": "integer"},
            "last": {"type": "integer"},
        }
        item = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
        return {
            "title": "questions",
            "type": "object",
            "properties": {"questions": {"type": "array", "items": item}},
            "required": ["questions"],
            "additionalProperties": False,
        }

    def read(self, reply: dict[str, Any]) -> Read:
        """The usable questions, at most as many as were asked for; raises Unusable where there is none."""
        items = reply.get("questions")
        if not isinstance(items, list) or not items:
            raise Unusable('"questions" must be a list with at least one question')
        drafts: list[Draft] = []
        problems: list[str] = []
        for number, item in enumerate(items[: self.count], 1):
            try:
                drafts.append(self._draft(item, number))
            except Unusable as error:
                problems.append(str(error))
        if not drafts:
            raise Unusable(problems[0])
        return Read(tuple(drafts), len(problems))

    def _draft(self, item: object, number: int) -> Draft:
        item = {str(key).lower(): value for key, value in item.items()} if isinstance(item, dict) else {}
        if not all(isinstance(item.get(key), str) for key in ("question", "answer")):
            raise Unusable(f'question {number} must have the texts "category", "question" and "answer"')
        question, answer = item["question"].strip(), item["answer"].strip()
        category = self._category(item.get("category"), question)
        if not category:
            raise Unusable(f"the category of question {number} must be one of {', '.join(self.categories)}")
        kind = QuestionKind.OVERVIEW if self.level == "movie" else _KINDS.get(category, QuestionKind.PLOT)
        evidence = self._evidence(item.get("first"), item.get("last"))
        asked = Question(
            kind, category, question, answer, evidence, self.level, difficulty=self.script.difficulty(evidence)
        )
        if wrong := misshapen(asked):
            raise Unusable(f"question {number} {wrong}")
        others = item.get("wrong_answers")
        usable = tuple(text.strip() for text in others if isinstance(text, str)) if isinstance(others, list) else ()
        return Draft(asked, answer, usable)

    def _category(self, given: object, question: str) -> str:
        """What the model says, else what the question begins with."""
        if isinstance(given, str) and given.strip().lower() in self.categories:
            return given.strip().lower()
        first = words(question).partition(" ")[0]
        return first if first in self.categories else ""

    def _evidence(self, first: object, last: object) -> FrameRange:
        """The frames that are meant; the whole part for numbers that make no sense."""
        most = (self.span.last - self.span.first + 1) // self.unit
        if isinstance(first, int) and isinstance(last, int) and 1 <= first <= last <= most:
            start = self.span.first - 1
            return FrameRange(start + (first - 1) * self.unit + 1, start + last * self.unit)
        return self.span

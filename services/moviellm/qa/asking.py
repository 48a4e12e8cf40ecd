"""The port of askers, and what every question must be, whoever asked it."""

import functools
import re
from dataclasses import dataclass
from typing import Protocol

from moviellm.movie import Chapter, Dropped, Outline, Prompt, Question, Scene, Shape

#: Texts that trainers give a meaning of their own: inside a question or an answer they corrupt the labels.
FORBIDDEN = ("<image>", "<video>", "</s>", "ASSISTANT:", "USER:")

Prompts = tuple[Prompt, ...]
"""The requester's own prompt templates."""


@dataclass(frozen=True)
class Asked:
    """Questions, how many were not good enough, and the tokens of a language model that they cost (0 without one).

    `prompt` names the prompt template and its digest; empty without a language model.
    """

    questions: tuple[Question, ...]
    prompt_tokens: int = 0
    completion_tokens: int = 0
    dropped: tuple[Dropped, ...] = ()
    prompt: str = ""


@dataclass(frozen=True)
class Forecast:
    """The tokens of a language model that the questions of one movie will take; 0 without one."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Asker(Protocol):
    """Makes questions from a script. Methods are pure functions of their arguments and raise moviellm.errors only."""

    @property
    def name(self) -> str:
        """What did the work, for its bill: "facts" or the language model's name."""

    async def ask_movie(self, outline: Outline, shape: Shape, seed: int, prompts: Prompts = ()) -> Asked:
        """Questions about the movie as a whole, from its outline."""

    async def ask_chapter(
        self, outline: Outline, chapter: Chapter, shape: Shape, seed: int, prompts: Prompts = ()
    ) -> Asked:
        """Questions about one chapter, from its plan."""

    async def ask_scene(
        self, outline: Outline, chapter: Chapter, scene: Scene, shape: Shape, seed: int, prompts: Prompts = ()
    ) -> Asked:
        """Questions about one scene, from its plan, its frames and its dialogue."""

    async def ask_order(
        self,
        outline: Outline,
        chapters: tuple[Chapter, ...],
        shape: Shape,
        seed: int,
        prompts: Prompts = (),
        scenes: tuple[Scene, ...] = (),
    ) -> Asked:
        """Temporal questions over the whole script; none where the script orders nothing."""

    async def review(self, outline: Outline, questions: tuple[Question, ...]) -> Asked:
        """The questions of a whole movie that stay when all of them are seen together, in the same order."""

    async def estimate(self, theme: str, shape: Shape, dialogue_lines: int, prompts: Prompts = ()) -> Forecast:
        """What the questions of one movie will cost; nothing is asked."""

    async def check(self) -> None:
        """Raise one of our errors while the asker cannot work."""


def flaw(question: str, answer: str) -> str:
    """What makes the pair useless, as an end of "The question …"; empty for a good pair."""
    if not question.strip():
        return "is empty"
    if not answer.strip():
        return "has an empty answer"
    if not question.endswith("?"):
        return 'does not end with "?"'
    for text in FORBIDDEN:
        if text.lower() in question.lower() or text.lower() in answer.lower():
            return f'holds the forbidden text "{text}"'
    if tells(question, answer):
        return "contains its own answer"
    return ""


def tells(text: str, secret: str) -> bool:
    """Whether the text says the secret, word for word, whatever the punctuation."""
    hidden = words(secret)
    return bool(hidden) and f" {hidden} " in f" {words(text)} "


@functools.lru_cache(maxsize=65536)
def words(text: str) -> str:
    """The text's words alone, in lower case, a space between them: equal for texts that read the same."""
    return " ".join(re.findall(r"[^\W_]+", text.lower().replace("'s ", " ")))

"""The embedded asker: questions from the script's own facts and order, with no network and no key."""

import random

from moviellm.movie import Chapter, Outline, Question, Scene, Shape
from moviellm.qa.asking import Asked, Forecast, Prompts, distinct
from moviellm.qa.order import order_questions
from moviellm.qa.overview import overview_questions
from moviellm.qa.plot import chapter_passage, plot_questions, scene_passage
from moviellm.qa.review import reviewed


class FactAsker:
    """Asks what the facts answer; the seed chooses among wordings and events."""

    name = "facts"

    async def ask_movie(self, outline: Outline, shape: Shape, seed: int, prompts: Prompts = ()) -> Asked:
        """Overview questions; their evidence is the whole movie, or its first or last chapter."""
        return Asked(distinct(overview_questions(outline, shape, random.Random(seed))))

    async def ask_chapter(
        self, outline: Outline, chapter: Chapter, shape: Shape, seed: int, prompts: Prompts = ()
    ) -> Asked:
        """Plot questions from the chapter's content and facts."""
        return Asked(distinct(plot_questions(chapter_passage(outline, chapter, shape), random.Random(seed))))

    async def ask_scene(
        self, outline: Outline, chapter: Chapter, scene: Scene, shape: Shape, seed: int, prompts: Prompts = ()
    ) -> Asked:
        """Plot questions from the content and facts of the scene's plan."""
        passage = scene_passage(outline, chapter, scene.number, shape)
        return Asked(distinct(plot_questions(passage, random.Random(seed))))

    async def ask_order(
        self,
        outline: Outline,
        chapters: tuple[Chapter, ...],
        shape: Shape,
        seed: int,
        prompts: Prompts = (),
        scenes: tuple[Scene, ...] = (),
    ) -> Asked:
        """Temporal questions from the order of the scenes."""
        return Asked(distinct(order_questions(outline, chapters, shape, random.Random(seed))))

    async def review(self, outline: Outline, questions: tuple[Question, ...]) -> Asked:
        """Without near-duplicates."""
        return reviewed(outline, questions)

    async def estimate(self, theme: str, shape: Shape, dialogue_lines: int, prompts: Prompts = ()) -> Forecast:
        """Nothing: no language model is asked."""
        return Forecast()

    async def check(self) -> None:
        """Always ready."""

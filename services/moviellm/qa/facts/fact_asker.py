"""The embedded asker: questions from the script's own facts, frames, lines and order, with no network and no key."""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from moviellm.movie import Chapter, Outline, Question, Scene, Shape
from moviellm.qa.asking import Asked, Forecast, Prompts
from moviellm.qa.facts.doings import doing_questions, duration_questions
from moviellm.qa.facts.draft import Draft, posed
from moviellm.qa.facts.order import order_questions
from moviellm.qa.facts.overview import overview_questions
from moviellm.qa.facts.people import appearance_questions, cast_questions, presence_questions
from moviellm.qa.facts.plot import chapter_passage, plot_questions, scene_passage
from moviellm.qa.facts.spans import coming_questions, place_questions
from moviellm.qa.facts.speech import speech_questions
from moviellm.qa.script import Script
from moviellm.qa.verification.review import reviewed
from moviellm.qa.verification.sieve import Sieve
from moviellm.qa.verification.verifying import lexically_verified

_ROUNDS = 2
"""How often each sort of question about the order of events is asked, about other events each time."""


@dataclass(frozen=True)
class Limits:
    """How many questions are kept at most: of a movie as a whole, each chapter, each scene, and the order of all."""

    movie: int = 30
    chapter: int = 12
    scene: int = 5
    order: int = 110


class FactAsker:
    """Asks what the script answers and checks it by reading again; the seed chooses among wordings and events.

    About `choice_share` (0 to 1) of the questions are multiple-choice, where the movie has enough wrong answers.
    """

    name = "facts"

    def __init__(self, *, limits: Limits | None = None, choice_share: float = 0.5) -> None:
        self._limits = limits or Limits()
        self._choice_share = choice_share

    async def ask_movie(self, outline: Outline, shape: Shape, seed: int, prompts: Prompts = ()) -> Asked:
        """Overview questions and who is who; their evidence is the whole movie or a chapter that tells it."""
        script, rng = Script(outline, shape), random.Random(seed)
        drafts = [*overview_questions(script, rng), *cast_questions(script, rng)]
        return self._asked(script, drafts, self._limits.movie, rng)

    async def ask_chapter(
        self, outline: Outline, chapter: Chapter, shape: Shape, seed: int, prompts: Prompts = ()
    ) -> Asked:
        """Plot questions from the chapter's content and facts."""
        script, rng = Script(outline, shape, (chapter,)), random.Random(seed)
        drafts = plot_questions(chapter_passage(script, chapter.number), rng)
        return self._asked(script, drafts, self._limits.chapter, rng)

    async def ask_scene(
        self, outline: Outline, chapter: Chapter, scene: Scene, shape: Shape, seed: int, prompts: Prompts = ()
    ) -> Asked:
        """Questions from the scene's plan, its frames and its dialogue."""
        script, rng = Script(outline, shape, (chapter,), (scene,)), random.Random(seed)
        where = (script, scene.chapter, scene.number, rng)
        drafts = [
            *plot_questions(scene_passage(*where[:3]), rng),
            *presence_questions(*where),
            *doing_questions(*where),
            *duration_questions(*where),
            *speech_questions(*where),
        ]
        return self._asked(script, drafts, self._limits.scene, rng)

    async def ask_order(
        self,
        outline: Outline,
        chapters: tuple[Chapter, ...],
        shape: Shape,
        seed: int,
        prompts: Prompts = (),
        scenes: tuple[Scene, ...] = (),
    ) -> Asked:
        """Temporal questions from the order of the scenes; with all scenes, also how long and how somebody looks."""
        script, rng = Script(outline, shape, chapters, scenes), random.Random(seed)
        drafts = [*order_questions(script, rng, rounds=_ROUNDS)]
        if len(scenes) == shape.chapters * shape.scenes:
            drafts += [
                *place_questions(script, rng),
                *coming_questions(script, rng),
                *appearance_questions(script, rng),
            ]
        return self._asked(script, drafts, self._limits.order, rng)

    async def review(self, outline: Outline, questions: tuple[Question, ...]) -> Asked:
        """Without near-duplicates and what all together give away."""
        return reviewed(outline, questions)

    async def estimate(self, theme: str, shape: Shape, dialogue_lines: int, prompts: Prompts = ()) -> Forecast:
        """Nothing: no language model is asked."""
        return Forecast()

    async def check(self) -> None:
        """Always ready."""

    def _asked(self, script: Script, drafts: Iterable[Draft], most: int, rng: random.Random) -> Asked:
        sieve = Sieve()
        verified = lexically_verified(script, posed(drafts, rng, self._choice_share), sieve)
        return Asked(tuple(selected(verified, most, rng)), dropped=sieve.dropped)


def selected(questions: list[Question], most: int, rng: random.Random) -> list[Question]:
    """At most so many of the questions, in their order: in turn one of each kind, and of each kind of each category."""
    kinds: dict[str, dict[str, list[Question]]] = defaultdict(lambda: defaultdict(list))
    for question in rng.sample(questions, len(questions)):
        kinds[question.kind][question.category].append(question)
    turns = {kind: _in_turn(list(categories.values())) for kind, categories in sorted(kinds.items())}
    chosen = _in_turn([turns[kind] for kind in rng.sample(sorted(turns), len(turns))])[:most]
    kept = {id(question) for question in chosen}
    return [question for question in questions if id(question) in kept]


def _in_turn(rows: list[list[Question]]) -> list[Question]:
    """One of each row, then a second one of each that has one, and so on."""
    longest = max(map(len, rows), default=0)
    return [row[place] for place in range(longest) for row in rows if place < len(row)]

"""The asker that has a language model read the script and ask."""

import random
from dataclasses import replace

from moviellm.llm.openai_chat import OpenAIChat
from moviellm.llm.reply import Bill, NothingUsable
from moviellm.movie import Chapter, Outline, Question, Scene, Shape
from moviellm.qa.asking import Asked, Forecast, Prompts
from moviellm.qa.by_model.experience import Experience
from moviellm.qa.by_model.forecasting import Cost, rehearsed
from moviellm.qa.by_model.openai_verifier import OpenAIVerifier
from moviellm.qa.by_model.prompting import Template, Templates
from moviellm.qa.by_model.replies import Counts, Part
from moviellm.qa.by_model.script_text import part_text
from moviellm.qa.facts.draft import posed
from moviellm.qa.facts.fact_asker import FactAsker, Limits, selected
from moviellm.qa.script import Script
from moviellm.qa.verification.review import reviewed
from moviellm.qa.verification.sieve import Sieve

FELL_BACK = "part left to the facts"
"""Under this reason a part is counted, once, whose questions the embedded asker had to ask."""


class OpenAIAsker:
    """Asks with a language model, and has it answer its own questions again before they count.

    What of a reply cannot be used is dropped and the rest is kept. A part of which nothing is left gets the embedded
    asker's questions; its `dropped` says so. Temporal questions are always the embedded asker's: their answers follow
    from the order of the script. The seed goes to the endpoint with each request; whether equal requests give equal
    questions is up to the model, and to the cache of replies.
    """

    def __init__(
        self,
        *,
        chat: OpenAIChat,
        templates: Templates | None = None,
        limits: Limits | None = None,
        counts: Counts | None = None,
        choice_share: float = 0.5,
    ) -> None:
        self.name = chat.model
        self._chat = chat
        self._templates = templates or Templates()
        self._limits = limits or Limits()
        self._counts = counts or Counts()
        self._choice_share = choice_share
        self._facts = FactAsker(limits=limits, choice_share=choice_share)
        self._verifier = OpenAIVerifier(chat=chat, templates=self._templates)
        self._experience = Experience()

    async def ask_movie(self, outline: Outline, shape: Shape, seed: int, prompts: Prompts = ()) -> Asked:
        """Questions about the movie as a whole; the evidence is the chapters that the model names."""
        part = Part.movie(Script(outline, shape), self._counts.movie)
        asked = await self._asked(part, self._limits.movie, seed, prompts)
        return asked if asked.questions else _instead(asked, await self._facts.ask_movie(outline, shape, seed))

    async def ask_chapter(
        self, outline: Outline, chapter: Chapter, shape: Shape, seed: int, prompts: Prompts = ()
    ) -> Asked:
        """Plot questions about one chapter; the evidence is the scenes that the model names."""
        part = Part.chapter(Script(outline, shape, (chapter,)), self._counts.chapter)
        asked = await self._asked(part, self._limits.chapter, seed, prompts)
        if asked.questions:
            return asked
        return _instead(asked, await self._facts.ask_chapter(outline, chapter, shape, seed))

    async def ask_scene(
        self, outline: Outline, chapter: Chapter, scene: Scene, shape: Shape, seed: int, prompts: Prompts = ()
    ) -> Asked:
        """Questions about one scene, its frames and dialogue; the evidence is the frames that the model names."""
        part = Part.scene(Script(outline, shape, (chapter,), (scene,)), self._counts.scene)
        asked = await self._asked(part, self._limits.scene, seed, prompts)
        if asked.questions:
            return asked
        return _instead(asked, await self._facts.ask_scene(outline, chapter, scene, shape, seed))

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
        return await self._facts.ask_order(outline, chapters, shape, seed, (), scenes)

    async def review(self, outline: Outline, questions: tuple[Question, ...]) -> Asked:
        """Without near-duplicates and what all together give away; the model is not asked."""
        return reviewed(outline, questions)

    async def estimate(self, theme: str, shape: Shape, dialogue_lines: int, prompts: Prompts = ()) -> Forecast:
        """Typical parts of that shape with these prompts, corrected by what finished parts have cost."""
        rules = self._templates.rules(prompts)
        prompt = completion = 0.0
        for part, times in Part.typical(theme, shape, dialogue_lines, self._counts):
            cost = self._cost(part, rules)
            prompt += times * cost.prompt * self._experience.factor(part.level, "prompt")
            completion += times * cost.completion * self._experience.factor(part.level, "completion")
        return Forecast(round(prompt), round(completion))

    async def check(self) -> None:
        """Raise while the endpoint does not answer or refuses the key."""
        await self._chat.check()

    async def _asked(self, part: Part, most: int, seed: int, prompts: Prompts) -> Asked:
        rules, sieve, rng = self._templates.rules(prompts), Sieve(), random.Random(seed)
        asked, label = Bill(), f"{rules.label}, {self._templates[part.level].label}"
        user = self._templates[part.level].filled(count=part.count, name=part.name, script=part_text(part.script))
        try:
            reply = await self._chat.ask(part.schema(), rules.filled(), user, part.read, seed=seed, bill=asked)
        except NothingUsable:
            return Asked((), asked.prompt_tokens, asked.completion_tokens, sieve.dropped, label)
        sieve.drop(*reply.value.dropped)
        questions = posed(reply.value.drafts, rng, self._choice_share)
        verified = await self._verifier.verify(part.script, questions, seed, sieve)
        sent = asked.prompt_tokens + verified.prompt_tokens
        received = asked.completion_tokens + verified.completion_tokens
        self._learn(part, rules, sent, received)
        kept = selected(list(verified.questions), most, rng)
        return Asked(tuple(kept), sent, received, sieve.dropped, label)

    def _learn(self, part: Part, rules: Template, sent: int, received: int) -> None:
        """How far a part of usual texts, by which is estimated, is from this one."""
        script = part.script
        lines = len(script.scenes[0].dialogue) if script.scenes else 0
        usual = Part.typical(script.outline.theme, script.shape, lines, self._counts)
        cost = next(self._cost(other, rules) for other, _ in usual if other.level == part.level)
        self._experience.learn(part.level, "prompt", estimated=round(cost.prompt), actual=sent)
        self._experience.learn(part.level, "completion", estimated=round(cost.completion), actual=received)

    def _cost(self, part: Part, rules: Template) -> Cost:
        return rehearsed(part, rules, self._templates, self._chat)


def _instead(asked: Asked, facts: Asked) -> Asked:
    """The embedded asker's questions on the model's bill."""
    sieve = Sieve()
    sieve.drop(FELL_BACK)
    for dropped in (*asked.dropped, *facts.dropped):
        sieve.drop(dropped.reason, dropped.count)
    return replace(asked, questions=facts.questions, dropped=sieve.dropped)

"""One unit of work: look whether it is made, else have it made, and store it once."""

import copy
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

import structlog

from moviellm import tracing, wire
from moviellm.artifacts import ArtifactStore
from moviellm.controller.lanes import Lanes
from moviellm.controller.metrics import Metrics
from moviellm.controller.policy import RetryPolicy, retried
from moviellm.controller.progress import Progress, add_use
from moviellm.controller.stages import Made
from moviellm.controller.troubles import trouble_of
from moviellm.dataset import ModelUse, Provenance, Stage, Trouble
from moviellm.errors import MovieLLMError, Temporary, Unsatisfied
from moviellm.movie import Work

T = TypeVar("T")

PAID_IN_TOKENS = (Stage.SCRIPTING, Stage.QA)
"""Stages that may ask a language model."""

log = structlog.get_logger()


class Failed(Exception):
    """A unit was given up; carries what the requester should read."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble


class Maker:
    """Makes units of one dataset: existing artifacts are read, missing ones made with retries and stored.

    `present` holds the keys that the store had when the work was taken up: no others are looked for. What somebody else
    stored meanwhile is found when it is to be written, and then taken instead.
    """

    def __init__(
        self,
        *,
        dataset: str,
        store: ArtifactStore,
        lanes: Lanes,
        policy: RetryPolicy,
        progress: Progress,
        metrics: Metrics,
        present: Collection[str],
        may_work: Callable[[], None] = lambda: None,
    ) -> None:
        self._may_work = may_work
        self._present = present
        self.store = store
        self.progress = progress
        self.metrics = metrics
        self._lanes = lanes
        self._policy = policy
        self._log = log.bind(dataset=dataset)
        self.use: dict[str, ModelUse] | None = {}

    def of_movie(self) -> "Maker":
        """The same for the units of one movie: `use` sums up what they cost, None where some were there already."""
        story = copy.copy(self)
        story.use = {}
        return story

    async def made(
        self,
        stage: Stage,
        unit: str,
        key: str,
        cls: type[T],
        make: Callable[[], Awaitable[Made[T]]],
        *,
        counted: bool = True,
    ) -> T:
        """The artifact under `key`, made first when it is missing. Raises Failed when it cannot be made.

        A unit that is made now counts as progress of its stage, unless its stage counts something finer.
        """
        existing = await self.attempt(stage, unit, lambda: self.store.find(key)) if key in self._present else None
        if existing is not None:
            self.use = None
            return wire.from_json(existing, cls, key)
        async with self._lanes.place(stage, self.progress):
            self._stay_within_budget(stage, unit)
            with tracing.span(f"Make {stage}", unit=unit):
                made = await self.attempt(stage, unit, make)
            self.progress.used(made.work)
            data = wire.to_json(made.value, Provenance(made.made_from, made.work, made.mends))
            is_first = await self.attempt(stage, unit, lambda: self.store.put(key, data))
        self.metrics.succeeded(stage, made.work, tenant=self.progress.owner)
        if counted:
            self.progress.made(stage)
        self._log.info("made", stage=stage, unit=unit, seconds=round(made.work.seconds, 2), by=made.work.model)
        if is_first:
            if self.use is not None:
                add_use(self.use, made.work)
            return made.value
        self.use = None
        return wire.from_json(await self.attempt(stage, unit, lambda: self.store.get(key)), cls, key)

    async def attempt(self, stage: Stage, unit: str, make: Callable[[], Awaitable[T]]) -> T:
        """The result of `make` with retries; troubles show in the dataset's status while they last."""
        name = _name(stage, unit)

        def on_trouble(error: Temporary, attempts: int) -> None:
            self.metrics.failed(stage, error.reason, final=False)
            self.progress.troubles[name] = trouble_of(error, service=stage, unit=unit, attempts=attempts)
            self.progress.notify()
            self._log.warning("will try again", stage=stage, unit=unit, attempts=attempts, why=error.message)

        async def allowed() -> T:
            self._may_work()
            return await make()

        try:
            result = await retried(allowed, self._policy, on_trouble=on_trouble)
        except MovieLLMError as error:
            raise self._given_up(stage, unit, name, error) from error
        self.moving(stage, unit)
        return result

    def _stay_within_budget(self, stage: Stage, unit: str) -> None:
        """Begin nothing more that costs tokens once they are used up; what is under way is paid for and kept."""
        most, used = self.progress.spec.max_llm_tokens, self.progress.tokens
        if stage in PAID_IN_TOKENS and 0 < most <= used:
            message = (
                f"{used:,} of at most {most:,} tokens are used; what is made is kept, "
                "and a retry with a higher max_llm_tokens goes on"
            )
            raise self._given_up(stage, unit, _name(stage, unit), Unsatisfied(message, reason="LLM_BUDGET_USED_UP"))

    def held_gpus(self, stage: Stage, work: Work) -> None:
        """GPUs were held for pictures that are part of no unit."""
        self.metrics.held_gpus(stage, work, tenant=self.progress.owner)

    def moving(self, stage: Stage, unit: str) -> None:
        """The unit gets on, so whatever held it up is over."""
        if self.progress.troubles.pop(_name(stage, unit), None):
            self.progress.notify()

    def _given_up(self, stage: Stage, unit: str, name: str, error: MovieLLMError) -> Failed:
        attempts = self.progress.troubles[name].attempts if name in self.progress.troubles else 1
        self.metrics.failed(stage, error.reason, final=True)
        self._log.error("given up", stage=stage, unit=unit, attempts=attempts, why=error.message, reason=error.reason)
        trouble = trouble_of(error, service=stage, unit=unit, attempts=attempts)
        self.progress.troubles[name] = trouble
        return Failed(trouble)


def _name(stage: Stage, unit: str) -> str:
    return f"{stage}: {unit}"

"""How far a dataset is, kept in memory, counted from the store at start, and watched."""

import asyncio
from dataclasses import dataclass, field

from moviellm.dataset import ModelUse, MovieDatasetSpec, Stage, StageProgress, Trouble
from moviellm.movie import Work
from moviellm.security.identity import DEFAULT_TENANT

UNITS = {
    Stage.SCRIPTING: "scripts",
    Stage.INVERSION: "styles",
    Stage.RENDERING: "frames",
    Stage.QA: "question sets",
    Stage.EXPORT: "exports",
}


def totals(spec: MovieDatasetSpec) -> dict[Stage, int]:
    """Units of each stage that the dataset needs."""
    parts = 1 + spec.chapters + spec.chapters * spec.scenes
    return {
        Stage.SCRIPTING: spec.movies * parts,
        Stage.INVERSION: spec.movies,
        Stage.RENDERING: spec.movies * spec.shape.total_frames,
        Stage.QA: spec.movies * (parts + 2),
        Stage.EXPORT: spec.movies + 1,
    }


def add_use(total: dict[str, ModelUse], work: Work) -> None:
    """Add a unit's tokens to what its model has used so far."""
    if work.prompt_tokens or work.completion_tokens:
        use = total.get(work.model, ModelUse(work.model, 0, 0))
        prompt, completion = use.prompt_tokens + work.prompt_tokens, use.completion_tokens + work.completion_tokens
        total[work.model] = ModelUse(work.model, prompt, completion)


@dataclass
class Progress:
    """Counts by stage, titles and troubles of one dataset; `next_change` wakes whoever watches.

    `revision` grows with every unit made and every change of state and is derived from what the store holds, so that a
    watcher's token stays good across restarts of the controller.
    """

    spec: MovieDatasetSpec
    done: dict[Stage, int] = field(default_factory=lambda: dict.fromkeys(Stage, 0))
    in_progress: dict[Stage, int] = field(default_factory=lambda: dict.fromkeys(Stage, 0))
    partial: dict[str, tuple[Stage, float]] = field(default_factory=dict)
    titles: dict[int, str] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    use: dict[str, ModelUse] = field(default_factory=dict)
    state_changes: int = 0
    owner: str = DEFAULT_TENANT
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def revision(self) -> int:
        """Units made plus changes of state."""
        return sum(self.done.values()) + self.state_changes

    @property
    def trouble(self) -> Trouble | None:
        """The trouble that has been tried most often, if any unit is in trouble now."""
        return max(self.troubles.values(), key=lambda trouble: trouble.attempts, default=None)

    def stages(self) -> list[StageProgress]:
        """All stages in order."""
        wanted = totals(self.spec)
        return [self._stage(stage, wanted[stage]) for stage in Stage]

    def _stage(self, stage: Stage, total: int) -> StageProgress:
        parts = [part for of, part in self.partial.values() if of is stage]
        return StageProgress(
            stage=stage,
            unit=UNITS[stage],
            done=self.done[stage],
            total=total,
            in_progress=self.in_progress[stage],
            partial=sum(parts) / len(parts) if parts else 0.0,
        )

    def made(self, stage: Stage) -> None:
        """One more unit of the stage is in the store."""
        self.done[stage] += 1
        self.notify()

    def used(self, work: Work) -> None:
        """Count the tokens of a unit by its model."""
        add_use(self.use, work)

    @property
    def tokens(self) -> int:
        """Tokens sent to and received from all language models."""
        return sum(use.prompt_tokens + use.completion_tokens for use in self.use.values())

    def notify(self) -> None:
        """Wake all watchers."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def next_change(self) -> asyncio.Event:
        """An event that the next change sets; take it before looking, so that no change slips by."""
        return self._changed

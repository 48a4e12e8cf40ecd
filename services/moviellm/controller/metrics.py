"""The per-stage figures, exported in one place under one name (no dataset, movie or scene ids in labels)."""

import contextlib
from collections.abc import Iterator, Mapping
from functools import cache, partial

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from moviellm.controller.estimate import Prices, cost
from moviellm.controller.progress import Progress, totals
from moviellm.dataset import ModelUse, Stage, State
from moviellm.movie import Work

_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)

NO_RETRY_MENDS = ("LLM_UNAUTHORIZED", "LLM_MODEL_UNKNOWN", "LLM_CREDIT_SPENT")
"""Reasons whose first time raises an alert."""


class Metrics:
    """What the controller hears of every finished unit, as Prometheus series; one instance a process.

    What has not happened yet is there as 0, so that its first time shows as an increase. The node pool of a try is
    known when its answer comes: failures and what is under way have an empty one.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY, *, prices: Prices | None = None) -> None:
        self._prices = prices or {}
        self._progresses: list[Progress] = []
        self.items = Counter(
            "moviellm_stage_items", "Units of work ended", ("stage", "node_pool", "outcome"), registry=registry
        )
        self.errors = Counter(
            "moviellm_stage_errors", "Tries that failed, by the error's reason", ("stage", "reason"), registry=registry
        )
        self.in_progress = Gauge(
            "moviellm_stage_items_in_progress", "Units under way", ("stage", "node_pool"), registry=registry
        )
        self.queue_depth = Gauge(
            "moviellm_stage_queue_depth", "Units that wait for a place", ("stage",), registry=registry
        )
        self.duration = Histogram(
            "moviellm_stage_duration_seconds",
            "Seconds a unit took in its service",
            ("stage", "node_pool"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self.last_success = Gauge(
            "moviellm_stage_last_success_timestamp_seconds",
            "When a unit last succeeded, in seconds since 1970; 0 before the first",
            ("stage",),
            registry=registry,
        )
        self.frames = Counter("moviellm_frames", "Frames by outcome", ("node_pool", "outcome"), registry=registry)
        self.scenes = Counter("moviellm_scenes", "Scenes rendered whole", ("node_pool",), registry=registry)
        self.gpu_seconds = Counter(
            "moviellm_gpu_seconds", "Seconds GPUs were held", ("node_pool", "tenant"), registry=registry
        )
        self.stage_gpu_seconds = Counter(
            "moviellm_stage_gpu_seconds", "Seconds GPUs were held, by stage", ("stage", "node_pool"), registry=registry
        )
        self.llm_tokens = Counter("moviellm_llm_tokens", "Tokens paid for", ("kind", "model"), registry=registry)
        self.llm_cost = Counter(
            "moviellm_llm_cost",
            "What the tokens cost, in the prices' currency",
            ("kind", "model"),
            registry=registry,
        )
        self.datasets = Gauge("moviellm_datasets", "Datasets by state", ("state",), registry=registry)
        self.datasets_ended = Counter(
            "moviellm_datasets_ended", "Runs of datasets that came to their end", ("outcome",), registry=registry
        )
        self.units_wanted = Gauge(
            "moviellm_stage_units_wanted", "Units that the running datasets need", ("stage",), registry=registry
        )
        self.units_made = Gauge(
            "moviellm_stage_units_made", "Units that the running datasets have", ("stage",), registry=registry
        )
        self._keep_children()
        self._begin_at_zero()

    def _keep_children(self) -> None:
        """Series are looked up by their labels once: `labels` takes longer than what is then done with them."""
        self._items, self._duration = cache(self.items.labels), cache(self.duration.labels)
        self._last_success = cache(self.last_success.labels)
        self._gpu_seconds, self._stage_gpu_seconds = (
            cache(self.gpu_seconds.labels),
            cache(self.stage_gpu_seconds.labels),
        )
        self._frames, self._scenes = cache(self.frames.labels), cache(self.scenes.labels)
        self.waiting, self.working = cache(self.queue_depth.labels), cache(self.in_progress.labels)

    def _begin_at_zero(self) -> None:
        for stage in Stage:
            self.queue_depth.labels(stage)
            self.in_progress.labels(stage, "")
            self.last_success.labels(stage)
            for outcome in ("failure", "retry"):
                self.items.labels(stage, "", outcome)
            self.units_wanted.labels(stage).set_function(partial(self._wanted, stage))
            self.units_made.labels(stage).set_function(partial(self._made, stage))
        for stage in (Stage.SCRIPTING, Stage.QA):
            for reason in NO_RETRY_MENDS:
                self.errors.labels(stage, reason)
        for state in State:
            self.datasets.labels(state)
        for outcome in ("succeeded", "failed"):
            self.datasets_ended.labels(outcome)

    def succeeded(self, stage: Stage, work: Work, *, tenant: str) -> None:
        """A unit was made."""
        self._items(stage, work.node_pool, "success").inc()
        self._duration(stage, work.node_pool).observe(work.seconds)
        self._last_success(stage).set_to_current_time()
        self.held_gpus(stage, work, tenant=tenant)
        if work.prompt_tokens or work.completion_tokens:
            self._paid("prompt", ModelUse(work.model, work.prompt_tokens, 0))
            self._paid("completion", ModelUse(work.model, 0, work.completion_tokens))

    def rendered_frame(self, work: Work, *, existed: bool) -> None:
        """A frame is in the store."""
        self._frames(work.node_pool, "existed" if existed else "rendered").inc()

    def rendered_scene(self, work: Work) -> None:
        """All frames of a scene are in the store."""
        self._scenes(work.node_pool).inc()

    def held_gpus(self, stage: Stage, work: Work, *, tenant: str) -> None:
        """GPUs were held: for a unit that was made, or for pictures that are part of none."""
        self._gpu_seconds(work.node_pool, tenant).inc(work.gpu_seconds)
        self._stage_gpu_seconds(stage, work.node_pool).inc(work.gpu_seconds)

    def failed(self, stage: Stage, reason: str, *, final: bool) -> None:
        """A try failed for a `reason` of errors.py or of a service; `final` when the unit is given up."""
        self.items.labels(stage, "", "failure" if final else "retry").inc()
        self.errors.labels(stage, reason).inc()

    def count_datasets(self, counts: Mapping[State, int]) -> None:
        """How many datasets are in each state now."""
        for state, count in counts.items():
            self.datasets.labels(state).set(count)

    @contextlib.contextmanager
    def running(self, progress: Progress) -> Iterator[None]:
        """A dataset is being made while the body runs: its units count, and how it ends unless it is stopped."""
        self._progresses = [*self._progresses, progress]
        try:
            yield
        except Exception:
            self.datasets_ended.labels("failed").inc()
            raise
        else:
            self.datasets_ended.labels("succeeded").inc()
        finally:
            self._progresses = [one for one in self._progresses if one is not progress]

    # The thread that answers Prometheus calls these two: the list they look at is replaced, never changed.

    def _wanted(self, stage: Stage) -> float:
        return float(sum(totals(progress.spec)[stage] for progress in self._progresses))

    def _made(self, stage: Stage) -> float:
        return float(sum(progress.done[stage] for progress in self._progresses))

    def _paid(self, kind: str, use: ModelUse) -> None:
        self.llm_tokens.labels(kind, use.model).inc(use.prompt_tokens + use.completion_tokens)
        self.llm_cost.labels(kind, use.model).inc(cost(use, self._prices))

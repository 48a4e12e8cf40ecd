"""The per-stage figures, exported in one place under one name (no dataset, movie or scene ids in labels)."""

from collections.abc import Mapping

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from moviellm.dataset import Stage, State
from moviellm.movie import Work

_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)


class Metrics:
    """What the controller hears of every finished unit, as Prometheus series; one instance a process."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.items = Counter(
            "moviellm_stage_items", "Units of work ended", ("stage", "node_pool", "outcome"), registry=registry
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
            "When a unit last succeeded",
            ("stage",),
            registry=registry,
        )
        self.frames = Counter("moviellm_frames", "Frames rendered", ("node_pool", "outcome"), registry=registry)
        self.gpu_seconds = Counter(
            "moviellm_gpu_seconds", "Seconds GPUs were held", ("node_pool", "tenant"), registry=registry
        )
        self.llm_tokens = Counter("moviellm_llm_tokens", "Tokens paid for", ("kind", "model"), registry=registry)
        self.datasets = Gauge("moviellm_datasets", "Datasets by state", ("state",), registry=registry)
        for stage in Stage:
            self.queue_depth.labels(stage)
            self.in_progress.labels(stage, "")
        for state in State:
            self.datasets.labels(state)

    def succeeded(self, stage: Stage, work: Work) -> None:
        """A unit was made."""
        self.items.labels(stage, work.node_pool, "success").inc()
        self.duration.labels(stage, work.node_pool).observe(work.seconds)
        self.last_success.labels(stage).set_to_current_time()
        self.gpu_seconds.labels(work.node_pool, "default").inc(work.gpu_seconds)
        if work.prompt_tokens or work.completion_tokens:
            self.llm_tokens.labels("prompt", work.model).inc(work.prompt_tokens)
            self.llm_tokens.labels("completion", work.model).inc(work.completion_tokens)

    def failed(self, stage: Stage, *, final: bool) -> None:
        """A try failed; `final` when the unit is given up."""
        self.items.labels(stage, "", "failure" if final else "retry").inc()

    def count_datasets(self, counts: Mapping[State, int]) -> None:
        """How many datasets are in each state now."""
        for state, count in counts.items():
            self.datasets.labels(state).set(count)

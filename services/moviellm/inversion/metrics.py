"""What this process tells Prometheus of itself; the figures by stage come from the controller."""

import contextlib
from collections.abc import Iterator

from prometheus_client import Counter, Gauge, Histogram

from moviellm.errors import Temporary

LESSONS = Counter("moviellm_inversion_lessons", "Styles that were begun to be learnt, by how it ended", ["outcome"])
WAITING = Gauge("moviellm_inversion_waiting", "Calls that wait for their turn")
STEP_SECONDS = Histogram(
    "moviellm_inversion_step_seconds",
    "Seconds of one optimisation step",
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)


@contextlib.contextmanager
def counted_lesson() -> Iterator[None]:
    """Counts the lesson in its body as succeeded, failed, or interrupted: asked again, it may well succeed."""
    outcome = "interrupted"
    try:
        yield
        outcome = "succeeded"
    except Temporary:
        raise
    except Exception:
        outcome = "failed"
        raise
    finally:
        LESSONS.labels(outcome).inc()

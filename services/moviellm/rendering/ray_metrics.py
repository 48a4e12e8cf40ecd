"""What a replica tells Prometheus, through Ray's metrics agent on its node, where names get the prefix ray_."""

from ray.util.metrics import Counter, Gauge, Histogram

BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256]
SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]


class RayTally:
    """Counts pictures by outcome, batches by size and seconds, and what waits."""

    def __init__(self, *, node_pool: str, model: str) -> None:
        tags = ("node_pool", "model")
        self._pictures = Counter("moviellm_pictures_total", "Pictures asked for.", (*tags, "outcome"))
        self._attempts = Counter("moviellm_picture_attempts_total", "Attempts at pictures.", (*tags, "verdict"))
        self._seconds = Histogram("moviellm_picture_seconds", "A picture's share of its batch.", SECONDS, tags)
        self._batch_size = Histogram("moviellm_picture_batch_size", "Pictures denoised together.", BATCH_SIZES, tags)
        self._batch_seconds = Histogram("moviellm_picture_batch_seconds", "Denoising of one batch.", SECONDS, tags)
        self._waiting = Gauge("moviellm_pictures_waiting", "Pictures that wait or are being denoised.", tags)
        for metric in (
            self._pictures,
            self._attempts,
            self._seconds,
            self._batch_size,
            self._batch_seconds,
            self._waiting,
        ):
            metric.set_default_tags({"node_pool": node_pool, "model": model})

    def picture(self, outcome: str, seconds: float) -> None:
        """A picture left the service; `outcome` is rendered, existed or failed."""
        self._pictures.inc(tags={"outcome": outcome})
        if outcome == "rendered":
            self._seconds.observe(max(seconds, 1e-6))

    def attempt(self, verdict: str) -> None:
        """One attempt at a picture was looked at; `verdict` says what is wrong with it, if anything."""
        self._attempts.inc(tags={"verdict": verdict.replace(" ", "_") or "good"})

    def batch(self, size: int, seconds: float, waiting: int) -> None:
        """A batch left the painter, and `waiting` pictures have not."""
        self._batch_size.observe(size)
        self._batch_seconds.observe(max(seconds, 1e-6))
        self._waiting.set(waiting)

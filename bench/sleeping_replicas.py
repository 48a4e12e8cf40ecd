"""The real rendering service on its own Ray Serve, with a painter that sleeps: `python -m bench.sleeping_replicas`.

Everything but the model is the service's own: proxy, router, replicas as processes, batches, files, the store. It reads
the service's settings; `MOVIELLM_BENCH_SECONDS_A_PICTURE` is what a picture of a full batch takes.
"""

import signal
import threading

from moviellm.errors import Unavailable
from moviellm.rendering import ray_environment
from moviellm.rendering.ports import free_port
from moviellm.rendering.ray_guard import RayGuard
from moviellm.rendering.settings import RenderingSettings
from moviellm.telemetry import configure_logging

ATTEMPTS = 4


def main() -> None:
    """Serve until SIGTERM."""
    settings = RenderingSettings.load()
    configure_logging("rendering", level="warning")
    host, _, port = settings.listen.rpartition(":")
    ray_environment.prepare(host)
    from bench.sleeping_painter import SleepingRendering
    from moviellm.rendering import ray_cluster

    asked_to_stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked_to_stop.set())
    guard = started(settings)
    try:
        ray_cluster.deploy(settings, int(port), replica=SleepingRendering)
        asked_to_stop.wait()
        ray_cluster.stop_own()
    finally:
        guard.close()


def started(settings: RenderingSettings) -> RayGuard:
    """A Ray of our own; a machine that is busy may be too slow for its patience."""
    from moviellm.rendering import ray_cluster

    for attempts_left in reversed(range(ATTEMPTS)):
        guard = RayGuard()
        try:
            ray_cluster.start_own(settings, guard.folder, free_port())
            return guard
        except Unavailable:
            guard.close()
            if not attempts_left:
                raise
    raise AssertionError("the last attempt returns or raises")


if __name__ == "__main__":
    main()

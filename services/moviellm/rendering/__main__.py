"""Starts the rendering service: Ray, Serve with its gRPC proxy, and the application, until SIGTERM or SIGINT."""

import signal
import sys
import threading

import structlog

from moviellm.errors import MovieLLMError, Unsatisfied
from moviellm.rendering.ports import free_port, wait_until_free
from moviellm.rendering.settings import RenderingSettings
from moviellm.telemetry import configure_logging

PREDECESSOR_SECONDS = 20.0
"""How long a killed predecessor's processes may take to free the port."""

log = structlog.get_logger()


def main() -> None:
    """Run the service; exit code 2 when a setting is wrong, 1 when it cannot start."""
    settings = RenderingSettings.load()
    configure_logging("rendering", level=settings.log_level, style=settings.log_format)
    try:
        run(settings)
    except Unsatisfied as error:
        print(error.message, file=sys.stderr)
        raise SystemExit(2) from None
    except MovieLLMError as error:
        print(error.message, file=sys.stderr)
        raise SystemExit(1) from None


def run(settings: RenderingSettings) -> None:
    """Start, serve, stop."""
    from moviellm.rendering import ray_cluster

    stop = threading.Event()
    host, _, port = settings.listen.rpartition(":")
    address = f"{host}:{port}" if int(port) else f"{host}:{free_port(host)}"
    ray_cluster.prepare_environment()
    if settings.ray_address:
        ray_cluster.join(settings)
    else:
        wait_until_free(address, within=PREDECESSOR_SECONDS)
        ray_cluster.start_own(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        ray_cluster.deploy(settings, int(address.rpartition(":")[2]))
        log.info("listening", address=address, model=settings.model, replicas=settings.replicas)
        stop.wait()
        log.info("draining", seconds=settings.drain_seconds)
    finally:
        if settings.ray_address:
            ray_cluster.leave()
        else:
            ray_cluster.stop_own()
    log.info("stopped")


if __name__ == "__main__":
    main()

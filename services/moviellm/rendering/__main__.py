"""Starts the rendering service: Ray, Serve with its gRPC proxy, and the application, until SIGTERM or SIGINT."""

import os
import signal
import sys
import threading
from collections.abc import Callable

import structlog

from moviellm.errors import MovieLLMError, Unavailable, Unsatisfied
from moviellm.node_pool import located
from moviellm.rendering import ray_environment
from moviellm.rendering.folders import check_folders
from moviellm.rendering.health_port import HealthPort
from moviellm.rendering.ports import free_port, wait_until_free
from moviellm.rendering.ray_figures import RayFigures
from moviellm.rendering.ray_guard import RayGuard
from moviellm.rendering.settings import RenderingSettings
from moviellm.telemetry import configure_logging, say_where

PREDECESSOR_SECONDS = 20.0
"""How long a killed predecessor's processes may take to free the port."""

ATTEMPTS = 2
"""How often a Ray of our own may fail to come up."""

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
    """Serve on a Ray of our own or on the cluster to join, until a signal comes."""
    host, _, wanted = settings.listen.rpartition(":")
    port = int(wanted) or free_port(host)
    if settings.ray_address:
        ray_environment.quieten()
        from moviellm.rendering import ray_cluster

        ray_cluster.join(settings)
        _serve(settings, host, port, stop=ray_cluster.leave)
        return
    check_folders(settings)
    wait_until_free(host, port, within=PREDECESSOR_SECONDS)
    metrics_host, _, metrics_port = settings.metrics_listen.rpartition(":")
    wait_until_free(metrics_host, int(metrics_port), within=PREDECESSOR_SECONDS)
    ray_environment.prepare(host)
    from moviellm.rendering import ray_cluster

    say_where("rendering", located(settings, os.environ).node_pool)
    figures_port = free_port()
    guard = _start_ray(settings, figures_port)
    try:
        figures = RayFigures(settings.metrics_listen, figures_port)
        _serve(settings, host, port, stop=ray_cluster.stop_own)
        figures.close()
    finally:
        guard.close()
    log.info("stopped")


def _start_ray(settings: RenderingSettings, figures_port: int) -> RayGuard:
    from moviellm.rendering import ray_cluster

    for attempts_left in reversed(range(ATTEMPTS)):
        guard = RayGuard()
        try:
            ray_cluster.start_own(settings, guard.folder, figures_port)
            return guard
        except Unavailable as error:
            guard.close()
            if not attempts_left:
                raise
            log.warning("starting Ray again", why=error.message)
    raise AssertionError("the last attempt returns or raises")


def _serve(settings: RenderingSettings, host: str, port: int, *, stop: Callable[[], None]) -> None:
    from moviellm.rendering import ray_cluster

    asked_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked_to_stop.set())
    health = HealthPort(settings.health_listen) if settings.health_listen else None
    try:
        ray_cluster.deploy(settings, port)
        if health:
            health.serves()
        log.info("listening", address=f"{host}:{port}", model=settings.model, replicas=settings.replicas)
        asked_to_stop.wait()
        log.info("draining", seconds=settings.drain_seconds)
    finally:
        if health:
            health.close()
        stop()


if __name__ == "__main__":
    main()

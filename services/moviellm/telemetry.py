"""Logs and the Prometheus endpoint of a service process."""

import asyncio
import atexit
import contextlib
import importlib.metadata
import logging
import sys
import time
from collections.abc import Iterator

import prometheus_client
import structlog

from moviellm import tracing
from moviellm.errors import Broken, Permanent, Temporary

CALLS = prometheus_client.Counter("moviellm_calls", "gRPC calls that ended in this process", ("method", "outcome"))
CALLS_IN_PROGRESS = prometheus_client.Gauge(
    "moviellm_calls_in_progress", "gRPC calls under way in this process", ("method",)
)
CALL_SECONDS = prometheus_client.Histogram(
    "moviellm_call_duration_seconds",
    "Seconds a gRPC call took in this process, streams to their end",
    ("method",),
    buckets=(0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1200),
)
SERVICE = prometheus_client.Gauge(
    "moviellm_service_info", "1 for this process, with the node pool it runs in", ("service", "version", "node_pool")
)


def configure_logging(service: str, *, level: str = "info", style: str = "json") -> None:
    """One line an event on standard error, JSON or coloured text, with service, level and time on each."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(pad_event_to=0, colors=sys.stderr.isatty())
        if style == "console"
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        tracing.add_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.StackInfoRenderer(),
    ]
    if style == "json":
        shared.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level.upper()),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(level=max(getattr(logging, level.upper()), logging.WARNING), stream=sys.stderr, force=True)


def export_spans(service: str, endpoint: str) -> None:
    """Send this process's spans to the OpenTelemetry collector at `endpoint`; nowhere when it is empty."""
    if not endpoint:
        return
    try:
        from moviellm.opentelemetry_spans import OtlpSpans
    except ImportError:
        print(f"MOVIELLM_{service.upper()}_OTLP_ENDPOINT needs `pip install moviellm[tracing]`", file=sys.stderr)
        raise SystemExit(2) from None
    spans = OtlpSpans(service, importlib.metadata.version("moviellm"), endpoint)
    tracing.export_to(spans)
    atexit.register(spans.close)


def serve_metrics(address: str, *, service: str = "", node_pool: str = "") -> int:
    """Serve /metrics on `address` ("host:port") and return the port; port 0 takes a free one.

    With a `service` the process says what it is and where, so that all its figures can be had by node pool.
    """
    if service:
        say_where(service, node_pool)
    host, _, port = address.rpartition(":")
    server, _ = prometheus_client.start_http_server(int(port), addr=host)
    return int(server.server_port)


def say_where(service: str, node_pool: str) -> None:
    """Name this process's service and node pool among its figures."""
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
    SERVICE.labels(service, importlib.metadata.version("moviellm"), node_pool).set(1)


@contextlib.contextmanager
def counted_call(method: str) -> Iterator[None]:
    """Counts the call in its body while it lasts, and how it ended: would asking again have helped?"""
    began, outcome = time.perf_counter(), "broken"
    try:
        with CALLS_IN_PROGRESS.labels(method).track_inprogress():
            yield
        outcome = "ok"
    except Temporary:
        outcome = "temporary"
        raise
    except Permanent as error:
        outcome = "broken" if isinstance(error, Broken) else "permanent"
        raise
    except (asyncio.CancelledError, GeneratorExit):
        outcome = "cancelled"
        raise
    finally:
        CALLS.labels(method, outcome).inc()
        CALL_SECONDS.labels(method).observe(time.perf_counter() - began)

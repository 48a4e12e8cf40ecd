"""Logs and the Prometheus endpoint of a service process."""

import logging
import sys

import prometheus_client
import structlog


def configure_logging(service: str, *, level: str = "info", style: str = "json") -> None:
    """One line an event on standard error, JSON or coloured text, with service, level and time on each."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(pad_event_to=0, colors=sys.stderr.isatty())
        if style == "console"
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
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


def serve_metrics(address: str) -> int:
    """Serve /metrics on `address` ("host:port") and return the port; port 0 takes a free one."""
    host, _, port = address.rpartition(":")
    server, _ = prometheus_client.start_http_server(int(port), addr=host)
    return int(server.server_port)

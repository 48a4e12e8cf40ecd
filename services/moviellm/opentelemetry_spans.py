"""Spans to an OpenTelemetry collector over OTLP/HTTP."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from moviellm.tracing import Span

SCOPE = InstrumentationScope("moviellm")


class OtlpSpans:
    """A span sink that sends batches from a thread of its own; what a collector does not take is dropped.

    `endpoint` is the collector's address, such as http://collector:4318; headers that it wants are taken from the
    variable OTEL_EXPORTER_OTLP_HEADERS, which belongs to OpenTelemetry.
    """

    def __init__(self, service: str, version: str, endpoint: str, *, every_seconds: float = 2.0) -> None:
        self._resource = Resource({"service.name": f"moviellm-{service}", "service.version": version})
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
        self._processor = BatchSpanProcessor(exporter, schedule_delay_millis=every_seconds * 1000)

    def ended(self, span: Span) -> None:
        """Queue the span."""
        self._processor.on_end(
            ReadableSpan(
                name=span.name,
                context=_context(span.trace.trace_id, span.trace.span_id),
                parent=_context(span.trace.trace_id, span.parent_id) if span.parent_id else None,
                resource=self._resource,
                attributes=dict(span.attributes),
                kind=SpanKind.SERVER if span.is_server else SpanKind.INTERNAL,
                status=Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.OK),
                start_time=span.began,
                end_time=span.ended,
                instrumentation_scope=SCOPE,
            )
        )

    def close(self) -> None:
        """Send what is queued."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

"""One trace id from the requester through every service: on calls, in log lines, in failures, and at a collector."""

import asyncio
import contextlib
import io
import json

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from otlp_collector import collector

from moviellm import errors, rpc, telemetry, tracing
from moviellm.opentelemetry_spans import OtlpSpans
from moviellm.v1 import question_service_pb2 as pb
from moviellm.v1 import question_service_pb2_grpc as pb_grpc

NAME = pb.DESCRIPTOR.services_by_name["QuestionService"].full_name
ID = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADER = f"00-{ID}-00f067aa0ba902b7-01"


class Servicer(pb_grpc.QuestionServiceServicer):
    """Says where it is, asks the next service in the row, or fails."""

    def __init__(self, peer=None, error=None):
        self.peer = peer
        self.error = error
        self.seen = []

    @rpc.method
    async def AskMovie(self, request, context):
        self.seen.append(tracing.current())
        if self.error:
            raise self.error
        if self.peer:
            await rpc.call("next", pb_grpc.QuestionServiceStub(self.peer).AskMovie(request))
        return pb.AskMovieResponse()


@contextlib.asynccontextmanager
async def serving(servicer):
    add = pb_grpc.add_QuestionServiceServicer_to_server
    server = rpc.Server([rpc.Registration(NAME, lambda into: add(servicer, into))], listen="127.0.0.1:0")
    await server.start()
    try:
        async with rpc.channel(f"127.0.0.1:{server.port}") as peer:
            yield peer
    finally:
        await server.stop()


class Spans:
    def __init__(self):
        self.all = []

    def ended(self, span):
        self.all.append(span)


@pytest.fixture
def spans():
    sink = Spans()
    stop = tracing.export_to(sink)
    yield sink.all
    stop()


async def test_the_id_goes_through_services_and_every_span_hangs_on_its_caller(spans):
    behind = Servicer()
    async with serving(behind) as second, serving(Servicer(peer=second)) as first:
        await pb_grpc.QuestionServiceStub(first).AskMovie(pb.AskMovieRequest(), metadata=((tracing.HEADER, HEADER),))
    inner, outer = spans
    assert {inner.trace.trace_id, outer.trace.trace_id, behind.seen[0].trace_id} == {ID}
    assert (outer.parent_id, inner.parent_id) == ("00f067aa0ba902b7", outer.trace.span_id)
    assert inner.is_server
    assert inner.began <= inner.ended


async def test_calls_without_a_trace_begin_one_each():
    servicer = Servicer()
    async with serving(servicer) as peer:
        for _ in range(2):
            await pb_grpc.QuestionServiceStub(peer).AskMovie(pb.AskMovieRequest())
    first, second = servicer.seen
    assert first.trace_id != second.trace_id


@pytest.mark.parametrize(
    "header",
    ["", "x", HEADER.upper(), f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{ID}-{'0' * 16}-01", f"{HEADER}\r\nx: y"],
)
def test_what_is_no_trace_is_passed_over(header):
    assert tracing.parsed(header) is None


def test_what_the_caller_does_not_want_kept_is_not_told(spans):
    with tracing.span("quiet", parent=tracing.parsed(HEADER[:-1] + "0")):
        assert tracing.current().header.endswith("-00")
    assert spans == []


@pytest.mark.parametrize("error", [errors.NotFound("there is no x"), ZeroDivisionError("secret 42")])
async def test_a_failure_tells_its_trace_and_its_span_only_the_reason(error, spans):
    async with serving(Servicer(error=error)) as peer:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await pb_grpc.QuestionServiceStub(peer).AskMovie(pb.AskMovieRequest(), metadata=((tracing.HEADER, HEADER),))
    info = error_details_pb2.ErrorInfo()
    rpc_status.from_call(caught.value).details[0].Unpack(info)
    assert info.metadata["trace"] == ID
    assert spans[0].error in ("NOT_FOUND", "ZeroDivisionError")
    assert isinstance(error, errors.NotFound) or ID in caught.value.details()
    assert "42" not in caught.value.details() + spans[0].error


def test_log_lines_carry_it(monkeypatch):
    import structlog

    kept = structlog.get_config()
    out = io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    telemetry.configure_logging("qa")
    try:
        with tracing.span("work", parent=tracing.parsed(HEADER)):
            structlog.get_logger().info("within")
        structlog.get_logger().info("without")
    finally:
        structlog.configure(**kept)
        structlog.contextvars.clear_contextvars()
    within, without = map(json.loads, out.getvalue().splitlines())
    assert within["trace"] == ID
    assert "trace" not in without


async def failing_work():
    with tracing.span("outer", parent=tracing.parsed(HEADER), unit="movie 1"):
        with tracing.span("inner"):
            await asyncio.sleep(0)
        raise errors.Unavailable("no", reason="LLM_UNREACHABLE")


async def test_a_collector_gets_spans_with_their_service_and_reason():
    with collector() as (address, received):
        sink = OtlpSpans("qa", "1.2.3", address)
        stop = tracing.export_to(sink)
        with contextlib.suppress(errors.Unavailable):
            await failing_work()
        stop()
        sink.close()
    paths = {path for path, _ in received}
    resources = [spans for _, request in received for spans in request.resource_spans]
    found = {span.name: span for spans in resources for scope in spans.scope_spans for span in scope.spans}
    assert paths == {"/v1/traces"}
    assert {(a.key, a.value.string_value) for a in resources[0].resource.attributes} >= {
        ("service.name", "moviellm-qa"),
        ("service.version", "1.2.3"),
    }
    assert {span.trace_id.hex() for span in found.values()} == {ID}
    assert found["inner"].parent_span_id == found["outer"].span_id
    assert found["outer"].status.message == "LLM_UNREACHABLE"
    assert found["outer"].attributes[0].value.string_value == "movie 1"


def test_a_collector_that_is_down_disturbs_nobody():
    sink = OtlpSpans("qa", "1", "http://127.0.0.1:9")
    stop = tracing.export_to(sink)
    with tracing.span("work"):
        pass
    stop()
    sink.close()
    assert tracing.current() is None

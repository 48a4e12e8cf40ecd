"""Our errors as gRPC statuses and back: the one file that knows both."""

import contextlib
import functools
import inspect
import re
from collections.abc import AsyncIterator, Callable
from typing import Any, NoReturn

import grpc
import structlog
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from moviellm import bounds, errors, tracing
from moviellm.telemetry import counted_call

log = structlog.get_logger()

DOMAIN = "moviellm.dev"
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
STATUS_DETAILS_KEY = "grpc-status-details-bin"

_CODES: tuple[tuple[type[errors.MovieLLMError], grpc.StatusCode], ...] = (
    (errors.InvalidInput, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.NotFound, grpc.StatusCode.NOT_FOUND),
    (errors.AlreadyExists, grpc.StatusCode.ALREADY_EXISTS),
    (errors.Unsatisfied, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.Unauthenticated, grpc.StatusCode.UNAUTHENTICATED),
    (errors.Denied, grpc.StatusCode.PERMISSION_DENIED),
    (errors.Broken, grpc.StatusCode.INTERNAL),
    (errors.Exhausted, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.Interrupted, grpc.StatusCode.ABORTED),
    (errors.Unavailable, grpc.StatusCode.UNAVAILABLE),
)

_PROXY_CODES = (grpc.StatusCode.INTERNAL, grpc.StatusCode.NOT_FOUND)
"""Our services explain each of these with ErrorInfo. Without it they come from a proxy on the way: Ray Serve's answers
INTERNAL when a replica died under the call, and NOT_FOUND while the application is starting or being taken down."""

CALL_LOST = "CALL_LOST"
"""The reason where a service died under the call, which the call itself may have caused."""

_BROKEN_OFF = re.compile("socket closed|connection reset|broken pipe|stream removed", re.IGNORECASE)
"""How gRPC tells of a connection that broke under a call; one that could not be made it tells in other words."""


MAX_SENTENCE = 1_500
"""Characters of a message; trailers of a few kilobytes are cut off by proxies."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def status_of(error: BaseException) -> status_pb2.Status:
    """The google.rpc.Status a caller gets; anything but our own errors becomes "internal error"."""
    trace = tracing.current()
    if not isinstance(error, errors.MovieLLMError):
        where = f"; the log of the service has the details{f', under trace {trace.trace_id}' if trace else ''}"
        error = errors.Broken(f"internal error{where}")
    code = next((code for cls, code in _CODES if isinstance(error, cls)), grpc.StatusCode.UNKNOWN)
    status = status_pb2.Status(code=code.value[0], message=_plain(error.message))
    metadata = {"trace": trace.trace_id} if trace else {}
    _attach(status, error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata))
    if isinstance(error, errors.InvalidInput):
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=_plain(error.field), description=_plain(error.allowed)
        )
        _attach(status, error_details_pb2.BadRequest(field_violations=[violation]))
    if isinstance(error, errors.Temporary) and error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(round(error.retry_after * 1000))
        _attach(status, error_details_pb2.RetryInfo(retry_delay=delay))
    return status


def _plain(text: str) -> str:
    """On one line, without control characters, and not endless: messages quote what people sent."""
    line = _CONTROL.sub("\ufffd", " ".join(text.split()))
    return line if len(line) <= MAX_SENTENCE else f"{line[:MAX_SENTENCE]}…"


def _attach(status: status_pb2.Status, detail: Message) -> None:
    packed = any_pb2.Any()
    packed.Pack(detail)
    status.details.append(packed)


def error_of(call: grpc.RpcError, service: str) -> errors.MovieLLMError:
    """Our error for a failed call; `service` is named in messages about a peer that does not answer."""
    code = call.code()
    details = call.details() or ""
    info, bad_request, retry = _details_of(call)
    reason = info.reason if info else None
    delay = retry.retry_delay.ToMilliseconds() / 1000 if retry else None
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        if bad_request and bad_request.field_violations:
            violation = bad_request.field_violations[0]
            return errors.InvalidInput(violation.field, violation.description)
        return errors.Permanent(details, reason=reason or "INVALID_INPUT")
    if info is None and code is grpc.StatusCode.NOT_FOUND:
        return errors.Unavailable(f"the {service} service is starting or stopping", reason="SERVICE_UNREACHABLE")
    is_cut = code is grpc.StatusCode.UNAVAILABLE and _BROKEN_OFF.search(details)
    if info is None and (is_cut or code in _PROXY_CODES):
        return errors.Unavailable(f"the {service} service lost the call before it was answered", reason=CALL_LOST)
    if code is grpc.StatusCode.UNAVAILABLE and reason is None:
        return errors.Unavailable(f"the {service} service does not answer", reason="SERVICE_UNREACHABLE")
    if code in (grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED):
        return errors.Interrupted(f"the {service} service was interrupted: {details}", reason=code.name)
    for cls, known in _CODES:
        if code is known and issubclass(cls, errors.Temporary):
            return cls(details, reason=reason, retry_after=delay)
        if code is known:
            return cls(details, reason=reason)
    return errors.Broken(details or code.name, reason=reason or code.name)


def _details_of(
    call: grpc.RpcError,
) -> tuple[error_details_pb2.ErrorInfo | None, error_details_pb2.BadRequest | None, error_details_pb2.RetryInfo | None]:
    found: dict[type[Message], Message] = {}
    metadata: Any = call.trailing_metadata() or ()
    for key, value in metadata:
        if key != STATUS_DETAILS_KEY:
            continue
        status = status_pb2.Status.FromString(value)
        for packed in status.details:
            for cls in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo):
                if packed.Is(cls.DESCRIPTOR):
                    found[cls] = cls.FromString(packed.value)
    return (
        found.get(error_details_pb2.ErrorInfo),
        found.get(error_details_pb2.BadRequest),
        found.get(error_details_pb2.RetryInfo),
    )


def method(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a servicer method, unary or streaming: our errors become statuses, bugs are logged and hidden."""
    if inspect.isasyncgenfunction(handler):

        @functools.wraps(handler)
        async def streaming(
            self: object, request: Message, context: grpc.aio.ServicerContext[Any, Any]
        ) -> AsyncIterator[Any]:
            with _served(handler.__name__, context) as span:
                try:
                    with counted_call(handler.__name__):
                        bounds.check(request)
                        async with contextlib.aclosing(handler(self, request, context)) as responses:
                            async for response in responses:
                                yield response
                except Exception as error:
                    span.failed(error)
                    await abort(context, error, handler.__name__)

        return streaming

    @functools.wraps(handler)
    async def unary(self: object, request: Message, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        with _served(handler.__name__, context) as span:
            try:
                with counted_call(handler.__name__):
                    bounds.check(request)
                    return await handler(self, request, context)
            except Exception as error:
                span.failed(error)
                await abort(context, error, handler.__name__)

    return unary


def _served(name: str, context: Any) -> contextlib.AbstractContextManager[tracing.Span]:
    return tracing.span(name, parent=tracing.incoming(context.invocation_metadata()), is_server=True)


async def abort(context: grpc.aio.ServicerContext[Any, Any], error: Exception, name: str) -> NoReturn:
    """End a call with the error's status; bugs are logged and hidden."""
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if not isinstance(error, errors.MovieLLMError) or isinstance(error, errors.Broken):
        log.error("call failed", method=name, exc_info=error)
    await context.abort_with_status(rpc_status.to_status(status_of(error)))
    raise AssertionError("abort_with_status raises")

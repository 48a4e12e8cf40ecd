"""gRPC at both ends: the one file that knows both our errors and status codes.

The serving side maps errors to google.rpc statuses, answers health and reflection truthfully and drains on SIGTERM;
the calling side opens channels and maps statuses back to the same errors.
"""

import asyncio
import contextlib
import functools
import inspect
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import grpc
import structlog
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from moviellm import errors, tracing
from moviellm.telemetry import counted_call
from moviellm.trace_channel import TraceChannel

log = structlog.get_logger()
T = TypeVar("T")

DOMAIN = "moviellm.dev"
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
STATUS_DETAILS_KEY = "grpc-status-details-bin"

_CODES: tuple[tuple[type[errors.MovieLLMError], grpc.StatusCode], ...] = (
    (errors.InvalidInput, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.NotFound, grpc.StatusCode.NOT_FOUND),
    (errors.AlreadyExists, grpc.StatusCode.ALREADY_EXISTS),
    (errors.Unsatisfied, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.Denied, grpc.StatusCode.PERMISSION_DENIED),
    (errors.Broken, grpc.StatusCode.INTERNAL),
    (errors.Exhausted, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.Interrupted, grpc.StatusCode.ABORTED),
    (errors.Unavailable, grpc.StatusCode.UNAVAILABLE),
)

_PROXY_CODES = (grpc.StatusCode.INTERNAL, grpc.StatusCode.NOT_FOUND)
"""Our services explain each of these with ErrorInfo. Without it they come from a proxy on the way: Ray Serve's answers
INTERNAL when a replica died under the call, and NOT_FOUND while the application is starting or being taken down."""


# ---- errors and statuses ----


def status_of(error: BaseException) -> status_pb2.Status:
    """The google.rpc.Status a caller gets; anything but our own errors becomes "internal error"."""
    trace = tracing.current()
    if not isinstance(error, errors.MovieLLMError):
        where = f"; the log of the service has the details{f', under trace {trace.trace_id}' if trace else ''}"
        error = errors.Broken(f"internal error{where}")
    code = next((code for cls, code in _CODES if isinstance(error, cls)), grpc.StatusCode.UNKNOWN)
    status = status_pb2.Status(code=code.value[0], message=error.message)
    metadata = {"trace": trace.trace_id} if trace else {}
    _attach(status, error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata))
    if isinstance(error, errors.InvalidInput):
        violation = error_details_pb2.BadRequest.FieldViolation(field=error.field, description=error.allowed)
        _attach(status, error_details_pb2.BadRequest(field_violations=[violation]))
    if isinstance(error, errors.Temporary) and error.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(round(error.retry_after * 1000))
        _attach(status, error_details_pb2.RetryInfo(retry_delay=delay))
    return status


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
    if info is None and code in _PROXY_CODES:
        return errors.Unavailable(f"the {service} service lost the call before it was answered", reason="CALL_LOST")
    if code is grpc.StatusCode.UNAVAILABLE and reason is None:
        return errors.Unavailable(f"the {service} service does not answer", reason="SERVICE_UNREACHABLE")
    if code in (grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED):
        return errors.Interrupted(f"the {service} service was interrupted: {details}", reason=code.name)
    for cls, known in _CODES:
        if code is known and issubclass(cls, errors.Temporary):
            return cls(details, reason=reason, retry_after=delay)
        if code is known:
            return cls(details, reason=reason)
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return errors.Denied(details, reason=reason or "UNAUTHENTICATED")
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
                        async with contextlib.aclosing(handler(self, request, context)) as responses:
                            async for response in responses:
                                yield response
                except Exception as error:
                    span.failed(error)
                    await _abort(context, error, handler.__name__)

        return streaming

    @functools.wraps(handler)
    async def unary(self: object, request: Message, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        with _served(handler.__name__, context) as span:
            try:
                with counted_call(handler.__name__):
                    return await handler(self, request, context)
            except Exception as error:
                span.failed(error)
                await _abort(context, error, handler.__name__)

    return unary


def _served(name: str, context: Any) -> contextlib.AbstractContextManager[tracing.Span]:
    return tracing.span(name, parent=tracing.incoming(context.invocation_metadata()), is_server=True)


async def _abort(context: grpc.aio.ServicerContext[Any, Any], error: Exception, name: str) -> NoReturn:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if not isinstance(error, errors.MovieLLMError) or isinstance(error, errors.Broken):
        log.error("call failed", method=name, exc_info=error)
    await context.abort_with_status(rpc_status.to_status(status_of(error)))
    raise AssertionError("abort_with_status raises")


# ---- serving ----


@dataclass(frozen=True)
class Registration:
    """One gRPC service of a server: its full name and the generated function that adds its servicer."""

    name: str
    add: Callable[[grpc.aio.Server], None]


Check = Callable[[], Awaitable[None]]
"""Raises one of our errors while the service cannot do its work; it is asked again and again."""


async def _always_ready() -> None:
    return None


class Server:
    """A gRPC server with health, reflection and draining.

    Health says NOT_SERVING until `check` passes and whenever it fails later. `on_drain` is called when stopping
    begins, so that endless streams can end. `port` is known after `start`.
    """

    def __init__(
        self,
        registrations: Sequence[Registration],
        *,
        listen: str,
        check: Check = _always_ready,
        check_every: float = 5.0,
        drain_seconds: float = 20.0,
        on_drain: Check = _always_ready,
    ) -> None:
        self._on_drain = on_drain
        self._server = grpc.aio.server(options=_OPTIONS)
        self._names = [registration.name for registration in registrations]
        for registration in registrations:
            registration.add(self._server)
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection([*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server)
        self._listen = listen
        self._check = check
        self._check_every = check_every
        self._drain_seconds = drain_seconds
        self._watcher: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self) -> None:
        """Bind and serve; raises Unsatisfied when the address is taken."""
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        try:
            self.port = self._server.add_insecure_port(self._listen)
        except RuntimeError as error:
            raise errors.Unsatisfied(f"cannot listen on {self._listen}: is another process using it?") from error
        await self._server.start()
        self._watcher = asyncio.create_task(self._watch_health())

    async def stop(self) -> None:
        """Refuse new calls, let those under way finish within the drain time, then cut them."""
        if self._watcher:
            self._watcher.cancel()
        await self._health.enter_graceful_shutdown()
        await self._on_drain()
        await self._server.stop(self._drain_seconds)

    async def run(self) -> None:
        """Start, serve until SIGTERM or SIGINT, drain."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        try:
            await self.start()
            log.info("listening", address=self._listen, port=self.port)
            await stop.wait()
            log.info("draining", seconds=self._drain_seconds)
        finally:
            await self.stop()
        log.info("stopped")

    async def _watch_health(self) -> None:
        previous: str | None = None
        while True:
            try:
                await self._check()
                state, why = health_pb2.HealthCheckResponse.SERVING, ""
            except errors.MovieLLMError as error:
                state, why = health_pb2.HealthCheckResponse.NOT_SERVING, error.message
            except Exception as error:
                log.error("health check failed", exc_info=error)
                state, why = health_pb2.HealthCheckResponse.NOT_SERVING, "internal error"
            if why != previous:
                log.info("serving" if not why else "not serving", **({"why": why} if why else {}))
                previous = why
            await self._set_health(state)
            await asyncio.sleep(self._check_every if not why else min(1.0, self._check_every))

    async def _set_health(self, state: int) -> None:
        for name in ("", *self._names):
            await self._health.set(name, state)


_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)


# ---- calling ----


def channel(target: str) -> grpc.aio.Channel:
    """A channel that spreads calls over all addresses of `target` and notices dead peers within 30 s."""
    return TraceChannel(
        grpc.aio.insecure_channel(
            target,
            options=(
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
                ("grpc.lb_policy_name", "round_robin"),
                ("grpc.keepalive_time_ms", 20_000),
                ("grpc.keepalive_timeout_ms", 10_000),
                ("grpc.initial_reconnect_backoff_ms", 500),
                ("grpc.max_reconnect_backoff_ms", 5_000),
            ),
        )
    )


async def call(service: str, invocation: Awaitable[T]) -> T:
    """Await a unary call; raises our errors instead of gRPC's."""
    try:
        return await invocation
    except grpc.aio.AioRpcError as error:
        raise error_of(error, service) from error


async def stream(service: str, responses: AsyncIterator[T]) -> AsyncIterator[T]:
    """Iterate a streaming call; raises our errors instead of gRPC's."""
    try:
        async for response in responses:
            yield response
    except grpc.aio.AioRpcError as error:
        raise error_of(error, service) from error


async def is_serving(peer: grpc.aio.Channel, *, within: float = 2.0) -> bool:
    """Whether the peer's health service says SERVING."""
    try:
        answer = await health_pb2_grpc.HealthStub(peer).Check(health_pb2.HealthCheckRequest(), timeout=within)
    except grpc.aio.AioRpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

"""The serving side: health, reflection, draining, TLS, and the doorkeeper before every call."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from moviellm import errors
from moviellm.rpc.crowd import Crowd
from moviellm.rpc.health import TellingHealth
from moviellm.rpc.ready_made import ReadyMade
from moviellm.rpc.statuses import MAX_MESSAGE_BYTES, abort
from moviellm.rpc.unreadable import Reader
from moviellm.security.certificates import server_credentials
from moviellm.security.doorkeeper import Doorkeeper
from moviellm.security.identity import Guard, Role
from moviellm.security.pem import NO_FILES, PairFiles
from moviellm.security.tokens import ServiceToken
from moviellm.settings import ServiceSettings

log = structlog.get_logger()


@dataclass(frozen=True)
class Registration:
    """One gRPC service of a server: its full name and the generated function that adds its servicer."""

    name: str
    add: Callable[[grpc.aio.Server], None]


Check = Callable[[], Awaitable[None]]
"""Raises one of our errors while the service cannot do its work; it is asked again and again."""


async def _always_ready() -> None:
    return None


@dataclass(frozen=True)
class Security:
    """What guards a server: its certificate, who may call, the role each method needs; nothing where nothing is set.

    `health_listen` is a second address that answers health alone, in the clear, for kubelets, which speak no TLS.
    """

    files: PairFiles = NO_FILES
    guard: Guard | None = None
    roles: Mapping[str, Role] | None = None
    health_listen: str = ""


OPEN = Security()

MOST_CALLS = 2000
"""Calls, watches among them, that a server answers at once."""


def security_of(settings: ServiceSettings) -> Security:
    """What the settings of a service say that only the controller calls."""
    return Security(
        files=settings.server_files,
        guard=ServiceToken(settings.service_token_file) if settings.service_token_file else None,
        health_listen=settings.health_listen,
    )


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
        security: Security = OPEN,
        most_calls: int = MOST_CALLS,
    ) -> None:
        self._on_drain = on_drain
        self._security = security
        doorkeeper = Doorkeeper(security.guard, security.roles, abort)
        self._server = grpc.aio.server(
            options=_OPTIONS, interceptors=[doorkeeper, Crowd(most_calls), Reader(abort), ReadyMade()]
        )
        self._names = [registration.name for registration in registrations]
        for registration in registrations:
            registration.add(self._server)
        self._health = TellingHealth()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._health_server = self._health_alone()
        reflection.enable_server_reflection([*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server)
        self._listen = listen
        self._check = check
        self._check_every = check_every
        self._drain_seconds = drain_seconds
        self._watcher: asyncio.Task[None] | None = None
        self.port = 0
        self.health_port = 0

    def _health_alone(self) -> grpc.aio.Server | None:
        if not self._security.health_listen:
            return None
        server = grpc.aio.server(options=_OPTIONS, interceptors=[Reader(abort)])
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        return server

    async def start(self) -> None:
        """Bind and serve; raises Unsatisfied when the address is taken or a certificate is no good."""
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        self.port = _bound(self._server, self._listen, self._security.files)
        await self._server.start()
        if self._health_server is not None:
            self.health_port = _bound(self._health_server, self._security.health_listen, NO_FILES)
            await self._health_server.start()
        self._watcher = asyncio.create_task(self._watch_health())

    async def stop(self) -> None:
        """Refuse new calls, let those under way finish within the drain time, then cut them."""
        if self._watcher:
            self._watcher.cancel()
        await self._health.enter_graceful_shutdown()
        stopping = asyncio.create_task(self._server.stop(self._drain_seconds))
        try:
            await self._on_drain()
        finally:
            await stopping
        if self._health_server is not None:
            await self._health_server.stop(0)

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
            self._health.why = why
            await self._set_health(state)
            await asyncio.sleep(self._check_every if not why else min(1.0, self._check_every))

    async def _set_health(self, state: int) -> None:
        for name in ("", *self._names):
            await self._health.set(name, state)


def _bound(server: grpc.aio.Server, listen: str, files: PairFiles) -> int:
    try:
        if not files.certificate:
            return server.add_insecure_port(listen)
        return server.add_secure_port(listen, server_credentials(files))
    except (OSError, ValueError) as error:
        raise errors.Unsatisfied(f"the certificates for {listen} are no good: {error}") from error
    except RuntimeError as error:
        raise errors.Unsatisfied(f"cannot listen on {listen}: is another process using it?") from error


_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
)

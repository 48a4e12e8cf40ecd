"""A controller without Kubernetes: it stands by until the lease in the store is its own, then leads."""

import asyncio
import contextlib
import secrets
import socket

import structlog

from moviellm import rpc
from moviellm.artifacts import ArtifactStore
from moviellm.controller.diagnosis.deployment_servicer import deployment_registration
from moviellm.controller.leadership.fencing import Fence
from moviellm.controller.leadership.forwarding import advertised, behind
from moviellm.controller.leadership.lease import Election, Terms
from moviellm.controller.leadership.replica import ADDRESS_MARK, LedDatasets, Nothing, Replica
from moviellm.controller.leadership.store_lease import StoreLease, is_gone, own_signature
from moviellm.controller.reception import Reception
from moviellm.controller.registry import Registry
from moviellm.controller.servicer import MovieDatasetServicer, registration_of
from moviellm.controller.settings import ControllerSettings
from moviellm.controller.tenancy.rights import other_controller, security_of

log = structlog.get_logger()

LED = 1
"""Exit code of a controller that leads no longer; started again, it stands by."""

FIRST_LOOK = 1.0
"""How long, in seconds, the server waits for the lease before it says that it stands by."""


def own_ip() -> str:
    """The address of this machine or pod: its hosts file names it."""
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return "127.0.0.1"


def identity_of(settings: ControllerSettings) -> str:
    """Who this controller is, in the lease, and where the others reach it."""
    address = settings.lease_address or advertised(settings.listen, own_ip())
    return f"{socket.gethostname()}_{secrets.token_hex(4)}{ADDRESS_MARK}{address}"


def built(
    settings: ControllerSettings,
    *,
    store: ArtifactStore,
    leases: ArtifactStore,
    registry: Registry,
    reception: Reception,
    fence: Fence,
) -> tuple[rpc.Server, Replica]:
    """The server of one controller and its part in the election; the lease lies in `leases`, which no fence closes."""
    election = Election(
        StoreLease(leases),
        identity_of(settings),
        terms=Terms(settings.lease_seconds),
        signature=own_signature(),
        is_gone=is_gone,
    )
    replica = Replica(
        election=election,
        registry=registry,
        following=Nothing(),
        store=store,
        fence=fence,
        others=other_controller(settings),
    )
    servicer = MovieDatasetServicer(
        registry=LedDatasets(replica, registry), store=store, reception=reception, prices=settings.llm_prices
    )
    server = rpc.Server(
        [behind(replica.forwarder, registration_of(servicer)), deployment_registration(settings)],
        listen=settings.listen,
        check=replica.check,
        check_every=1.0,
        drain_seconds=settings.drain_seconds,
        on_drain=replica.retire,
        security=security_of(settings),
    )
    return server, replica


async def serve(server: rpc.Server, replica: Replica) -> int:
    """Stand by, lead, serve until SIGTERM or until the lease is lost; returns the exit code."""
    leading = asyncio.create_task(replica.lead())
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(replica.began.wait(), FIRST_LOOK)
    return await until_over(server, replica, leading)


async def until_over(server: rpc.Server, replica: Replica, leading: "asyncio.Task[None]") -> int:
    """Serve until SIGTERM or until the lease is lost; returns the exit code."""
    serving = asyncio.create_task(server.run())
    try:
        await asyncio.wait((serving, leading), return_when=asyncio.FIRST_COMPLETED)
        if replica.is_retired or serving.done():
            await serving
            return 0
        log.error("this controller leads no longer and ends", exc_info=leading.exception())
        return LED
    finally:
        serving.cancel()
        leading.cancel()
        await asyncio.gather(serving, leading, return_exceptions=True)
        await replica.forwarder.close()

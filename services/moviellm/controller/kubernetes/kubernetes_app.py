"""The controller on a cluster, put together; the one file here that reads settings."""

import asyncio
import secrets
import socket
import sys

import structlog

from moviellm import rpc
from moviellm.artifacts import ArtifactStore, DatasetKeys
from moviellm.controller.kubernetes.door import ClusterDatasets
from moviellm.controller.kubernetes.forwarding import advertised, behind
from moviellm.controller.kubernetes.house import House, Pace
from moviellm.controller.kubernetes.kubernetes_api import (
    KubernetesApi,
    KubernetesDatasets,
    KubernetesLease,
    connect,
    own_namespace,
)
from moviellm.controller.kubernetes.lease import Election, Terms
from moviellm.controller.kubernetes.operator import Operator
from moviellm.controller.kubernetes.replica import ADDRESS_MARK, LedDatasets, Replica
from moviellm.controller.kubernetes.resource import without_uploads
from moviellm.controller.kubernetes.watching import Gallery
from moviellm.controller.reception import Reception, Request
from moviellm.controller.registry import Registry
from moviellm.controller.servicer import MovieDatasetServicer, registration_of
from moviellm.controller.settings import ControllerSettings
from moviellm.dataset import MovieDatasetSpec
from moviellm.errors import Unsatisfied

log = structlog.get_logger()

LED, NO_CLUSTER = 1, 2
"""Exit codes: of a replica that leads no longer and stands by when it is started again; of one without a cluster."""


def own_ip() -> str:
    """The address of this pod: its hosts file names it."""
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return "127.0.0.1"


class KubernetesController:
    """One replica: its gRPC server and its part in the election."""

    def __init__(
        self,
        settings: ControllerSettings,
        api: KubernetesApi,
        *,
        store: ArtifactStore,
        registry: Registry,
        reception: Reception,
    ) -> None:
        home = own_namespace(settings.kubernetes_namespace)
        identity = f"{socket.gethostname()}_{secrets.token_hex(4)}"
        address = settings.kubernetes_address or advertised(settings.listen, own_ip())
        cluster = KubernetesDatasets(
            api,
            namespace="" if settings.kubernetes_all_namespaces else home,
            labels=settings.kubernetes_labels,
        )

        async def accept(identifier: str, spec: MovieDatasetSpec) -> None:
            received = await reception.receive(Request(without_uploads(spec)))
            await registry.create(identifier, received.spec, estimate=received.estimate)

        gallery = Gallery()
        house = House(
            cluster=cluster,
            gallery=gallery,
            registry=registry,
            accept=accept,
            admit=reception.admit,
            artifacts=lambda identifier: store.uri(DatasetKeys(identifier).files),
            prices=settings.llm_prices,
            identity=identity,
            pace=Pace(status_every=settings.kubernetes_status_seconds),
        )
        operator = Operator(house, home=home)
        election = Election(
            KubernetesLease(api, namespace=home, name=settings.kubernetes_lease),
            f"{identity}{ADDRESS_MARK}{address}",
            terms=Terms(settings.kubernetes_lease_seconds),
        )
        self.replica = Replica(election=election, registry=registry, operator=operator, store=store)
        datasets = ClusterDatasets(
            registry=registry,
            operator=operator,
            cluster=cluster,
            gallery=gallery,
            store=store,
            labels=settings.kubernetes_labels,
        )
        servicer = MovieDatasetServicer(
            registry=LedDatasets(self.replica, datasets),
            store=store,
            reception=reception,
            prices=settings.llm_prices,
        )
        self.server = rpc.Server(
            [behind(self.replica.forwarder, registration_of(servicer))],
            listen=settings.listen,
            check=self.replica.check,
            check_every=1.0,
            drain_seconds=settings.drain_seconds,
            on_drain=self.replica.retire,
        )

    async def run(self) -> int:
        """Stand by, lead, serve until SIGTERM or until the lease is lost; returns the exit code."""
        serving = asyncio.create_task(self.server.run())
        leading = asyncio.create_task(self.replica.lead())
        try:
            await asyncio.wait((serving, leading), return_when=asyncio.FIRST_COMPLETED)
            if self.replica.is_retired or serving.done():
                await serving
                return 0
            log.error("this replica leads no longer and ends", exc_info=leading.exception())
            return LED
        finally:
            serving.cancel()
            leading.cancel()
            await asyncio.gather(serving, leading, return_exceptions=True)
            await self.replica.forwarder.close()


async def serve(settings: ControllerSettings, *, store: ArtifactStore, registry: Registry, reception: Reception) -> int:
    """Run one replica; returns the exit code."""
    try:
        api = KubernetesApi(await connect())
    except Unsatisfied as error:
        print(f"MOVIELLM_CONTROLLER_KUBERNETES: {error.message}", file=sys.stderr)
        return NO_CLUSTER
    try:
        return await KubernetesController(settings, api, store=store, registry=registry, reception=reception).run()
    finally:
        await api.close()

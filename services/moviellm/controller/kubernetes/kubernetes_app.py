"""The controller on a cluster, put together; the one file here that reads settings."""

import asyncio
import secrets
import socket
import sys

import structlog

from moviellm import rpc
from moviellm.artifacts import ArtifactStore, DatasetKeys
from moviellm.controller.diagnosis.deployment_servicer import deployment_registration
from moviellm.controller.kubernetes.door import ClusterDatasets
from moviellm.controller.kubernetes.house import House, Pace
from moviellm.controller.kubernetes.kubernetes_api import (
    KubernetesApi,
    KubernetesDatasets,
    KubernetesLease,
    connect,
    own_namespace,
)
from moviellm.controller.kubernetes.operator import Operator
from moviellm.controller.kubernetes.resource import Key, without_uploads
from moviellm.controller.kubernetes.watching import Gallery
from moviellm.controller.leadership.fencing import Fence
from moviellm.controller.leadership.forwarding import advertised, behind
from moviellm.controller.leadership.lease import Election, Terms
from moviellm.controller.leadership.replica import ADDRESS_MARK, LedDatasets, Replica
from moviellm.controller.leadership.standing import own_ip, until_over
from moviellm.controller.reception import Reception, Request
from moviellm.controller.registry import Registry
from moviellm.controller.servicer import MovieDatasetServicer, registration_of
from moviellm.controller.settings import ControllerSettings
from moviellm.controller.tenancy.rights import other_controller, security_of
from moviellm.dataset import MovieDatasetSpec
from moviellm.errors import Unsatisfied

log = structlog.get_logger()

NO_CLUSTER = 2
"""Exit code of a replica without a cluster."""


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
        fence: Fence,
    ) -> None:
        home = own_namespace(settings.kubernetes_namespace)
        identity = f"{socket.gethostname()}_{secrets.token_hex(4)}"
        address = settings.kubernetes_address or advertised(settings.listen, own_ip())
        cluster = KubernetesDatasets(
            api,
            namespace="" if settings.kubernetes_all_namespaces else home,
            labels=settings.kubernetes_labels,
        )

        async def accept(key: Key, spec: MovieDatasetSpec) -> None:
            received = await reception.receive(Request(without_uploads(spec)))
            await registry.create(key.dataset(home), received.spec, estimate=received.estimate, owner=key.owner(home))

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
        self.replica = Replica(
            election=election,
            registry=registry,
            following=operator,
            store=store,
            fence=fence,
            others=other_controller(settings),
        )
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
            [behind(self.replica.forwarder, registration_of(servicer)), deployment_registration(settings)],
            listen=settings.listen,
            check=self.replica.check,
            check_every=1.0,
            drain_seconds=settings.drain_seconds,
            on_drain=self.replica.retire,
            security=security_of(settings),
        )

    async def run(self) -> int:
        """Stand by, lead, serve until SIGTERM or until the lease is lost; returns the exit code."""
        return await until_over(self.server, self.replica, asyncio.create_task(self.replica.lead()))


async def serve(
    settings: ControllerSettings, *, store: ArtifactStore, registry: Registry, reception: Reception, fence: Fence
) -> int:
    """Run one replica; returns the exit code."""
    try:
        api = KubernetesApi(await connect())
    except Unsatisfied as error:
        print(f"MOVIELLM_CONTROLLER_KUBERNETES: {error.message}", file=sys.stderr)
        return NO_CLUSTER
    try:
        controller = KubernetesController(
            settings, api, store=store, registry=registry, reception=reception, fence=fence
        )
        return await controller.run()
    finally:
        await api.close()

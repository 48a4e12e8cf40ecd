"""DeploymentService: convert, call, convert."""

import importlib.metadata
from typing import Any

import grpc

from moviellm import rpc, wire
from moviellm.artifacts import ArtifactStore
from moviellm.controller.diagnosis.examination import Deployment, diagnose
from moviellm.controller.grpc_stages import GrpcStages
from moviellm.controller.settings import ControllerSettings
from moviellm.controller.tenancy.rights import peer_of
from moviellm.dataset import Stage
from moviellm.settings import StoreSettings
from moviellm.v1 import deployment_service_pb2 as pb
from moviellm.v1 import deployment_service_pb2_grpc

SERVICE = pb.DESCRIPTOR.services_by_name["DeploymentService"].full_name


class DeploymentServicer(deployment_service_pb2_grpc.DeploymentServiceServicer):
    """Looks at the deployment whenever it is asked."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    @rpc.method
    async def DiagnoseDeployment(  # noqa: N802
        self, request: pb.DiagnoseDeploymentRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.DiagnoseDeploymentResponse:
        """All findings."""
        findings = await diagnose(self._deployment)
        answer = pb.DiagnoseDeploymentResponse(
            findings=[wire.to_message(finding, pb.Finding) for finding in findings],
            version=importlib.metadata.version("moviellm"),
        )
        answer.time.GetCurrentTime()
        return answer


def deployment_of(settings: ControllerSettings) -> Deployment:
    """What the settings of a controller describe; connections are made when they are needed."""
    channels = {stage: rpc.channel(getattr(settings, stage.value), peer_of(settings, stage)) for stage in Stage}
    return Deployment(
        channels=channels,
        addresses={stage: getattr(settings, stage.value) for stage in Stage},
        application=settings.rendering_application,
        store=ArtifactStore.open(StoreSettings.load()),
        stages=GrpcStages(channels, application=settings.rendering_application),
        model=settings.models[0],
        metrics=settings.metrics_listen,
    )


def deployment_registration(settings: ControllerSettings) -> rpc.Registration:
    """The service as a server takes it. Each controller answers for itself, whoever leads."""
    servicer = DeploymentServicer(deployment_of(settings))
    add = deployment_service_pb2_grpc.add_DeploymentServiceServicer_to_server
    return rpc.Registration(SERVICE, lambda server: add(servicer, server))

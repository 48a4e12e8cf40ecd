"""Start the controller: `python -m moviellm.controller`."""

import asyncio

from moviellm import rpc
from moviellm.artifacts import ArtifactStore
from moviellm.controller.admission import Admission
from moviellm.controller.estimate import Rates
from moviellm.controller.grpc_stages import GrpcStages
from moviellm.controller.lanes import Lanes
from moviellm.controller.metrics import Metrics
from moviellm.controller.picture_work import PictureOptions
from moviellm.controller.policy import RetryPolicy
from moviellm.controller.registry import Registry
from moviellm.controller.servicer import MovieDatasetServicer
from moviellm.controller.settings import ControllerSettings
from moviellm.controller.workshop import Workshop
from moviellm.dataset import Stage
from moviellm.settings import StoreSettings
from moviellm.telemetry import configure_logging, serve_metrics
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc


def workshop_of(settings: ControllerSettings, store: ArtifactStore, metrics: Metrics) -> Workshop:
    """The workshop that the settings describe."""
    channels = {stage: rpc.channel(getattr(settings, stage.value)) for stage in Stage}
    lanes = {
        Stage.SCRIPTING: settings.scripts_in_flight,
        Stage.INVERSION: settings.styles_in_flight,
        Stage.RENDERING: settings.scenes_in_flight,
        Stage.QA: settings.questions_in_flight,
        Stage.EXPORT: settings.exports_in_flight,
    }
    patience = {
        "LLM_UNREACHABLE": settings.llm_retry_seconds,
        "LLM_INVALID_REPLY": settings.llm_retry_seconds,
    }
    return Workshop(
        store=store,
        stages=GrpcStages(channels, application=settings.rendering_application),
        lanes=Lanes(lanes, metrics=metrics),
        policy=RetryPolicy(default_patience=settings.retry_seconds, patience=patience),
        metrics=metrics,
        options=PictureOptions(settings.references, settings.inversion_steps, settings.negative_prompt),
        movies_in_flight=settings.movies_in_flight,
    )


async def serve(settings: ControllerSettings) -> None:
    """Take up what the store holds, then serve until SIGTERM."""
    store = ArtifactStore.open(StoreSettings.load())
    metrics = Metrics()
    registry = Registry(
        store=store,
        make=workshop_of(settings, store, metrics).make,
        datasets_in_flight=settings.datasets_in_flight,
        on_states=metrics.count_datasets,
    )
    servicer = MovieDatasetServicer(
        registry=registry,
        store=store,
        admission=Admission(settings.max_movies, settings.max_side, settings.models, settings.styles),
        rates=Rates(
            seconds_per_frame=settings.estimate_seconds_per_frame,
            seconds_per_style=settings.estimate_seconds_per_style,
            tokens_per_script=settings.estimate_tokens_per_script,
            bytes_per_frame=settings.estimate_bytes_per_frame,
        ),
    )

    async def check() -> None:
        await store.exists("requests/health.json")

    server = rpc.Server(
        [
            rpc.Registration(
                pb.DESCRIPTOR.services_by_name["MovieDatasetService"].full_name,
                lambda server: movie_dataset_service_pb2_grpc.add_MovieDatasetServiceServicer_to_server(
                    servicer, server
                ),
            )
        ],
        listen=settings.listen,
        check=check,
        drain_seconds=settings.drain_seconds,
        on_drain=registry.close,
    )
    await registry.load()
    await server.run()


def main() -> None:
    """Read the settings, build, serve."""
    settings = ControllerSettings.load()
    configure_logging("controller", level=settings.log_level, style=settings.log_format)
    serve_metrics(settings.metrics_listen)
    asyncio.run(serve(settings))


if __name__ == "__main__":
    main()

"""Start the controller: `python -m moviellm.controller`."""

import asyncio
import gc
import os
import sys

from moviellm import rpc
from moviellm.artifacts import ArtifactStore
from moviellm.controller.admission import Admission
from moviellm.controller.estimate import Rates
from moviellm.controller.grpc_stages import GrpcStages
from moviellm.controller.lanes import Lanes
from moviellm.controller.leadership import standing
from moviellm.controller.leadership.fencing import Fence, FencedStore
from moviellm.controller.look_work import LookOptions
from moviellm.controller.metrics import Metrics
from moviellm.controller.policy import RetryPolicy
from moviellm.controller.reception import Reception
from moviellm.controller.registry import Registry
from moviellm.controller.settings import ControllerSettings
from moviellm.controller.stages import Stages
from moviellm.controller.tenancy.quotas import Quotas
from moviellm.controller.tenancy.rights import peer_of
from moviellm.controller.workshop import Workshop
from moviellm.dataset import Stage
from moviellm.node_pool import located
from moviellm.settings import StoreSettings
from moviellm.telemetry import configure_logging, export_spans, serve_metrics


def stages_of(settings: ControllerSettings) -> Stages:
    """The stage services at the addresses that the settings name."""
    channels = {stage: rpc.channel(getattr(settings, stage.value), peer_of(settings, stage)) for stage in Stage}
    return GrpcStages(channels, application=settings.rendering_application)


def workshop_of(
    settings: ControllerSettings, store: ArtifactStore, stages: Stages, metrics: Metrics, fence: Fence
) -> Workshop:
    """The workshop that the settings describe."""
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
        stages=stages,
        lanes=Lanes(lanes, metrics=metrics),
        policy=RetryPolicy(
            default_patience=settings.retry_seconds, patience=patience, most={rpc.CALL_LOST: settings.lost_calls}
        ),
        metrics=metrics,
        look_options=LookOptions(settings.references, settings.inversion_steps),
        negative_prompt=settings.negative_prompt,
        movies_in_flight=settings.movies_in_flight,
        may_work=fence.check,
    )


def reception_of(settings: ControllerSettings, stages: Stages) -> Reception:
    """The door that the settings describe."""
    return Reception(
        admission=Admission(settings.max_movies, settings.max_side, settings.models, settings.styles),
        stages=stages,
        rates=Rates(
            seconds_per_frame=settings.estimate_seconds_per_frame,
            seconds_per_style=settings.estimate_seconds_per_style,
            bytes_per_frame=settings.estimate_bytes_per_frame,
            prices=settings.llm_prices,
        ),
    )


async def serve(settings: ControllerSettings) -> int:
    """Take up what the store holds, then serve until SIGTERM; returns the exit code."""
    store, fence = FencedStore.open(StoreSettings.load()), Fence()
    store.fence = fence
    metrics, stages = Metrics(prices=settings.llm_prices), stages_of(settings)
    registry = Registry(
        store=store,
        make=workshop_of(settings, store, stages, metrics, fence).make,
        datasets_in_flight=settings.datasets_in_flight,
        most_unfinished=settings.datasets_unfinished,
        quotas=Quotas(settings.quotas),
        on_states=metrics.count_datasets,
    )
    reception = reception_of(settings, stages)
    if settings.kubernetes:
        from moviellm.controller.kubernetes import kubernetes_app

        return await kubernetes_app.serve(settings, store=store, registry=registry, reception=reception, fence=fence)
    leases = ArtifactStore.open(StoreSettings.load())
    server, replica = standing.built(
        settings, store=store, leases=leases, registry=registry, reception=reception, fence=fence
    )
    return await standing.serve(server, replica)


def main() -> None:
    """Read the settings, build, serve."""
    settings = ControllerSettings.load()
    configure_logging("controller", level=settings.log_level, style=settings.log_format)
    export_spans("controller", settings.otlp_endpoint)
    settings = located(settings, os.environ)
    serve_metrics(settings.metrics_listen, service="controller", node_pool=settings.node_pool)
    gc.freeze()  # what was imported stays: to look it through for garbage again and again took 4 % of the time
    code = asyncio.run(serve(settings))
    if code:  # woken after a long pause, threads of gRPC and of the store can abort while Python takes itself apart
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()

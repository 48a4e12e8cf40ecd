"""The Ray Serve application: replicas that hold a pipeline, and single pictures gathered into batches across calls.

`build` is the import path of the application, `moviellm.rendering.ray_app:build`, in a RayService too: its arguments
override the environment. The proxies need `SERVICER_FUNCTIONS` in their `grpc_options`.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from grpc_health.v1 import health_pb2
from ray import serve

from moviellm.artifacts import ArtifactStore
from moviellm.errors import NotFound
from moviellm.node_pool import located
from moviellm.pipelines.scorers import NO_SCORER
from moviellm.rendering.choice import Chooser
from moviellm.rendering.critic import Critic, SafetyChecker, Scorer
from moviellm.rendering.folders import SAFETY_CHECKER, SCORER, check_folders
from moviellm.rendering.gallery import Gallery, PictureFormat
from moviellm.rendering.measuring import Measuring
from moviellm.rendering.picture import Job, Painted, Painter, RenderOptions
from moviellm.rendering.pillow_jpeg import comment_of, jpeg, pixels_of
from moviellm.rendering.ray_door import door, open_door
from moviellm.rendering.ray_metrics import RayTally
from moviellm.rendering.servicer import RenderingServicer
from moviellm.rendering.settings import RenderingSettings
from moviellm.rendering.studio import Studio
from moviellm.rendering.styles import StyleShelf
from moviellm.security.tokens import ServiceToken
from moviellm.settings import StoreSettings
from moviellm.telemetry import configure_logging, export_spans
from moviellm.v1 import rendering_service_pb2 as pb

APPLICATION = "rendering"
"""The application's name, which callers send as metadata `application`."""

SERVICE = pb.DESCRIPTOR.services_by_name["RenderingService"].full_name

SERVICER_FUNCTIONS: tuple[str, ...] = (
    "moviellm.v1.rendering_service_pb2_grpc.add_RenderingServiceServicer_to_server",
    "grpc_health.v1.health_pb2_grpc.add_HealthServicer_to_server",
)
"""What the proxies serve on the gRPC port, besides reflection."""

_SERVING = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)

WARM_UP = RenderOptions(steps=2)


class Rendering:
    """One replica. It is ready when its constructor is done: the model is loaded and has painted a picture."""

    def __init__(self, settings: dict[str, Any]) -> None:
        given = RenderingSettings(**settings)
        configure_logging("rendering", level=given.log_level, style=given.log_format)
        export_spans("rendering", given.otlp_endpoint)
        self._settings = located(given, os.environ)
        self.guard = ServiceToken(given.service_token_file) if given.service_token_file else None
        critic = _critic(self._settings)
        self._thread = ThreadPoolExecutor(1, "painter")
        self._painter = self._thread.submit(self.load, self._settings).result()
        self._tally = RayTally(node_pool=self._settings.node_pool, model=self._settings.model)
        self._servicer = self._assembled(ArtifactStore.open(StoreSettings()), critic)

    @staticmethod
    def load(settings: RenderingSettings) -> Painter:
        """The picture model, on the painter's thread; other replicas may have another kind of painter."""
        return _load(settings)

    def _assembled(self, store: ArtifactStore, critic: Critic) -> RenderingServicer:
        settings = self._settings
        pictures = PictureFormat(write=jpeg, comment=comment_of, pixels=pixels_of)
        studio = Studio(
            store=store,
            gallery=Gallery(store, format=pictures, node_pool=settings.node_pool, model=settings.model),
            styles=StyleShelf(store, read=self._read_style, capacity=settings.styles_kept),
            chooser=Chooser(paint=self._batched(), critic=critic),
            recipe=self._painter.recipe,
            tally=self._tally,
            renderer=self._painter.renderer,
            max_waiting=settings.max_waiting,
        )
        measuring = Measuring(store=store, critic=critic, read_pixels=pixels_of, node_pool=settings.node_pool)
        return RenderingServicer(studio=studio, measuring=measuring)

    @door
    async def RenderScene(self, request: pb.RenderSceneRequest) -> AsyncIterator[pb.RenderSceneResponse]:
        """See the contract."""
        async for response in self._servicer.render_scene(request):
            yield response

    @door
    async def RenderReferences(self, request: pb.RenderReferencesRequest) -> AsyncIterator[pb.RenderReferencesResponse]:
        """See the contract."""
        async for response in self._servicer.render_references(request):
            yield response

    @door
    async def MeasurePictures(self, request: pb.MeasurePicturesRequest) -> pb.MeasurePicturesResponse:
        """See the contract."""
        return await self._servicer.measure_pictures(request)

    @door
    async def DescribeRenderer(self, request: pb.DescribeRendererRequest) -> pb.DescribeRendererResponse:
        """See the contract."""
        return await self._servicer.describe_renderer(request)

    @open_door
    async def Check(self, request: health_pb2.HealthCheckRequest) -> health_pb2.HealthCheckResponse:
        """grpc.health.v1: calls reach a replica only when its model is loaded and has painted."""
        if request.service not in ("", SERVICE):
            raise NotFound(f"there is no service {request.service} here")
        return _SERVING

    @open_door
    async def Watch(self, request: health_pb2.HealthCheckRequest) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """grpc.health.v1: one answer, then the stream lives as long as this replica or the caller."""
        if request.service not in ("", SERVICE):
            yield health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)
        else:
            yield _SERVING
        await asyncio.Event().wait()

    def _batched(self) -> Any:
        @serve.batch(  # type: ignore[untyped-decorator]
            max_batch_size=self._settings.max_batch_size, batch_wait_timeout_s=self._settings.batch_wait_seconds
        )
        async def paint(jobs: list[Job]) -> list[Painted | Exception]:
            return await self._paint(jobs)

        async def paint_one(job: Job) -> Painted:
            result: Painted | Exception = await paint(job)
            if isinstance(result, Exception):
                raise result
            return result

        return paint_one

    async def _paint(self, jobs: Sequence[Job]) -> list[Painted | Exception]:
        start = time.perf_counter()
        results = await asyncio.get_running_loop().run_in_executor(self._thread, self._painter.paint, jobs)
        self._tally.batch(len(jobs), time.perf_counter() - start, self._servicer.waiting - len(jobs))
        return results

    async def _read_style(self, files: Sequence[bytes]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._painter.read_style, files)


def build(args: dict[str, Any]) -> serve.Application:
    """The application; `args` are settings by field name, which override the environment."""
    return application(RenderingSettings(**args), attempts=20)


def application(
    settings: RenderingSettings, *, attempts: int, replica: type[Rendering] = Rendering
) -> serve.Application:
    """The application; a replica whose constructor fails is tried `attempts` times, on other nodes if there are any."""
    deployment = serve.deployment(
        replica,
        name="Rendering",
        num_replicas=settings.replicas,
        max_ongoing_requests=max(256, settings.max_batch_size),
        max_constructor_retry_count=attempts,
        graceful_shutdown_timeout_s=settings.drain_seconds,
        graceful_shutdown_wait_loop_s=0.2,
        logging_config={"log_level": "WARNING", "enable_access_log": False},
        ray_actor_options={"num_cpus": settings.cpus_per_replica, "num_gpus": settings.gpus_per_replica},
    )
    return deployment.bind(settings.model_dump(mode="json", exclude={"node_pool", "node_name"}))


def _load(settings: RenderingSettings) -> Painter:
    """Runs on the painter's thread, because torch's number of threads belongs to the thread."""
    from moviellm.pipelines.diffusers_loading import use_torch_threads
    from moviellm.rendering.diffusers_assembly import load_painter

    use_torch_threads(settings.torch_threads)
    painter = load_painter(settings)
    for result in painter.paint([Job("a picture", 0, painter.recipe(WARM_UP))]):
        if isinstance(result, Exception):
            raise result
    return painter


def _critic(settings: RenderingSettings) -> Critic:
    """The scorer and the safety checker are looked for now and loaded by the critic's thread when it is first asked."""
    check_folders(settings)
    return Critic(
        scorer=None if settings.scorer == NO_SCORER else lambda: _load_scorer(settings),
        checker=(lambda: _load_checker(settings)) if settings.safety_checker else None,
    )


def _load_scorer(settings: RenderingSettings) -> Scorer:
    from moviellm.pipelines.diffusers_loading import use_torch_threads
    from moviellm.pipelines.transformers_scorer import ClipScorer

    use_torch_threads(settings.torch_threads)
    return ClipScorer.open(settings.scorer, device=settings.device, setting=SCORER)


def _load_checker(settings: RenderingSettings) -> SafetyChecker:
    from moviellm.pipelines.diffusers_loading import use_torch_threads
    from moviellm.pipelines.diffusers_safety import DiffusersSafety

    use_torch_threads(settings.torch_threads)
    return DiffusersSafety.open(settings.safety_checker, device=settings.device, setting=SAFETY_CHECKER)

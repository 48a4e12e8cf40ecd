"""Starts the inversion service: `python -m moviellm.inversion`."""

import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from moviellm import rpc
from moviellm.artifacts import ArtifactStore
from moviellm.errors import MovieLLMError, Unavailable
from moviellm.inversion.lessons import Teacher
from moviellm.inversion.school import School
from moviellm.inversion.servicer import SERVICE_NAME, InversionServicer
from moviellm.inversion.settings import InversionSettings
from moviellm.node_pool import located
from moviellm.pipelines.places import model_source
from moviellm.settings import StoreSettings
from moviellm.telemetry import configure_logging, export_spans, serve_metrics
from moviellm.v1 import inversion_service_pb2_grpc


def _use_threads(count: int) -> None:
    from moviellm.pipelines.diffusers_loading import use_torch_threads

    use_torch_threads(count)


def _load_teacher(settings: InversionSettings) -> Teacher:
    from moviellm.inversion.diffusers_teacher import load_teacher

    return load_teacher(settings)


class _Model:
    """The teacher; its libraries and weights are loaded while the server answers already."""

    def __init__(self, settings: InversionSettings) -> None:
        self._settings = settings
        self._teacher: Teacher | None = None

    async def load(self, worker: ThreadPoolExecutor) -> None:
        self._teacher = await asyncio.get_running_loop().run_in_executor(worker, _load_teacher, self._settings)

    def teacher(self) -> Teacher:
        if self._teacher is None:
            raise Unavailable(f"the model {self._settings.model} is loading", reason="MODEL_LOADING", retry_after=5.0)
        return self._teacher

    async def check(self) -> None:
        self.teacher()


class _Server(rpc.Server):
    """A server that, told to stop, has the lesson under way write a checkpoint instead of waiting for its end."""

    school: School

    async def stop(self) -> None:
        self.school.close()
        await super().stop()


async def _serve(settings: InversionSettings, store: ArtifactStore) -> None:
    with ThreadPoolExecutor(1, initializer=_use_threads, initargs=(settings.torch_threads,)) as worker:
        model = _Model(settings)
        school = School(
            store,
            model.teacher,
            worker=worker,
            max_waiting=settings.max_waiting,
            checkpoint_every=settings.checkpoint_every,
            node_pool=settings.node_pool,
        )
        servicer = InversionServicer(school, store)
        add = inversion_service_pb2_grpc.add_InversionServiceServicer_to_server
        server = _Server(
            [rpc.Registration(SERVICE_NAME, lambda grpc_server: add(servicer, grpc_server))],
            listen=settings.listen,
            check=model.check,
            drain_seconds=settings.drain_seconds,
            security=rpc.security_of(settings),
        )
        server.school = school
        running = asyncio.create_task(server.run())
        loading = asyncio.create_task(model.load(worker))
        try:
            await asyncio.wait([running, loading], return_when=asyncio.FIRST_EXCEPTION)
            if loading.done():
                loading.result()
            await running
        except MovieLLMError:
            await server.stop()
            running.cancel()
            raise


def main() -> None:
    """Read the settings, serve until SIGTERM; one sentence and exit code 2 for what cannot work."""
    settings = InversionSettings.load()
    configure_logging("inversion", level=settings.log_level, style=settings.log_format)
    export_spans("inversion", settings.otlp_endpoint)
    settings = located(settings, os.environ)
    try:
        model_source(settings.model, "MOVIELLM_INVERSION_MODEL")
        store = ArtifactStore.open(StoreSettings())
        serve_metrics(settings.metrics_listen, service="inversion", node_pool=settings.node_pool)
        asyncio.run(_serve(settings, store))
    except MovieLLMError as error:
        print(error.message, file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()

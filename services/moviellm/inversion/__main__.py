"""Starts the inversion service: `python -m moviellm.inversion`."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

from moviellm import rpc
from moviellm.artifacts import ArtifactStore
from moviellm.errors import MovieLLMError, Unavailable
from moviellm.inversion.diffusers_teacher import DiffusersTeacher, load_teacher
from moviellm.inversion.lessons import School
from moviellm.inversion.servicer import SERVICE_NAME, InversionServicer
from moviellm.inversion.settings import InversionSettings
from moviellm.pipelines.diffusers_loading import use_torch_threads
from moviellm.settings import StoreSettings
from moviellm.telemetry import configure_logging, serve_metrics
from moviellm.v1 import inversion_service_pb2_grpc


class _Model:
    """The teacher, loaded while the server answers already."""

    def __init__(self, settings: InversionSettings) -> None:
        self._settings = settings
        self._teacher: DiffusersTeacher | None = None

    async def load(self, worker: ThreadPoolExecutor) -> None:
        self._teacher = await asyncio.get_running_loop().run_in_executor(worker, load_teacher, self._settings)

    def teacher(self) -> DiffusersTeacher:
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
    with ThreadPoolExecutor(1, initializer=use_torch_threads, initargs=(settings.torch_threads,)) as worker:
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
        )
        server.school = school
        running = asyncio.create_task(server.run())
        loading = asyncio.create_task(model.load(worker))
        await asyncio.wait([running, loading], return_when=asyncio.FIRST_EXCEPTION)
        if loading.done() and not loading.cancelled() and loading.exception():
            running.cancel()
        await asyncio.gather(loading, running)


def main() -> None:
    """Read the settings, serve until SIGTERM; one sentence and exit code 2 for what cannot work."""
    settings = InversionSettings.load()
    configure_logging("inversion", level=settings.log_level, style=settings.log_format)
    try:
        store = ArtifactStore.open(StoreSettings())
        serve_metrics(settings.metrics_listen)
        asyncio.run(_serve(settings, store))
    except MovieLLMError as error:
        print(error.message, file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()

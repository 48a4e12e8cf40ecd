"""ExportService on the wire: convert, call, convert."""

import asyncio
import dataclasses
import re
import time
from collections.abc import Callable

import grpc

from moviellm import rpc
from moviellm.artifacts import ArtifactStore, DatasetKeys
from moviellm.bounds import MAX_SIDE
from moviellm.dataset import DEFAULT_FORMATS, FORMATS, MovieDatasetSpec
from moviellm.errors import InvalidInput
from moviellm.export.darkroom import Darkroom
from moviellm.export.dataset_folder import Limits, Press, finish_dataset
from moviellm.export.movie_folder import OpenVideo, export_movie
from moviellm.export.timing import Timing
from moviellm.movie import StoredFile, Work
from moviellm.v1 import export_service_pb2 as pb
from moviellm.v1 import export_service_pb2_grpc as pb_grpc
from moviellm.v1 import movie_dataset_service_pb2 as dataset_pb
from moviellm.v1 import movie_pb2
from moviellm.wire import from_message, to_message

SERVICE = pb.DESCRIPTOR.services_by_name["ExportService"].full_name
MAX_MOVIES = 1_000_000
_DATASET_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")

Context = grpc.aio.ServicerContext[object, object]


class ExportServicer(pb_grpc.ExportServiceServicer):
    """Exports at most `max_concurrent` movies or datasets at a time; further calls wait."""

    def __init__(
        self,
        store: ArtifactStore,
        *,
        open_video: OpenVideo,
        darkroom: Darkroom,
        limits: Limits,
        press: Press,
        max_concurrent: int = 1,
        node_pool: str = "local",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._open_video = open_video
        self._darkroom = darkroom
        self._limits = limits
        self._press = press
        self._turns = asyncio.Semaphore(max_concurrent)
        self._node_pool = node_pool
        self._clock = clock

    @rpc.method
    async def ExportMovie(self, request: pb.ExportMovieRequest, context: Context) -> pb.ExportMovieResponse:
        """Make one movie's folder."""
        keys, spec = _dataset_of(request.movie_dataset_id, request.spec)
        if not 1 <= request.movie <= spec.movies:
            raise InvalidInput("movie", f"must be from 1 to {spec.movies}, got {request.movie}")
        async with self._turns:
            started = self._clock()
            files = await export_movie(self._store, keys.movie(request.movie), spec, open_video=self._open_video)
            return pb.ExportMovieResponse(files=_files(files), work=self._work(started))

    @rpc.method
    async def FinishDataset(self, request: pb.FinishDatasetRequest, context: Context) -> pb.FinishDatasetResponse:
        """Make what spans the movies."""
        keys, spec = _dataset_of(request.movie_dataset_id, request.spec)
        async with self._turns:
            started = self._clock()
            files = await finish_dataset(
                self._store, keys, spec, limits=self._limits, darkroom=self._darkroom, press=self._press
            )
            return pb.FinishDatasetResponse(files=_files(files), work=self._work(started))

    def _work(self, started: float) -> movie_pb2.Work:
        return to_message(Work(node_pool=self._node_pool, seconds=self._clock() - started), movie_pb2.Work)

    def registration(self) -> rpc.Registration:
        """What a server needs to serve this."""
        return rpc.Registration(SERVICE, lambda server: pb_grpc.add_ExportServiceServicer_to_server(self, server))


def _dataset_of(dataset: str, message: dataset_pb.MovieDatasetSpec) -> tuple[DatasetKeys, MovieDatasetSpec]:
    """The checked request; no formats at all stand for the usual ones, as the contract says."""
    if not _DATASET_ID.fullmatch(dataset):
        allowed = 'must be lower-case letters, digits and "-", 1 to 63 characters, beginning with a letter'
        raise InvalidInput("movie_dataset_id", allowed)
    spec = from_message(message, MovieDatasetSpec, "spec")
    for field in ("movies", "chapters", "scenes", "frames"):
        if getattr(spec, field) < 1:
            raise InvalidInput(f"spec.{field}", f"must be at least 1, got {getattr(spec, field)}")
    for field, most in (("movies", MAX_MOVIES), ("chapters", MAX_SIDE), ("scenes", MAX_SIDE), ("frames", MAX_SIDE)):
        if getattr(spec, field) > most:
            raise InvalidInput(f"spec.{field}", f"must be at most {most}, got {getattr(spec, field)}")
    for index, name in enumerate(spec.formats):
        if name not in FORMATS:
            raise InvalidInput(f"spec.formats[{index}]", f"must be one of {', '.join(FORMATS)}, got {name!r}")
    Timing.of(spec.frames_per_second)
    return DatasetKeys(dataset), dataclasses.replace(spec, formats=spec.formats or DEFAULT_FORMATS)


def _files(files: list[StoredFile]) -> list[movie_pb2.StoredFile]:
    return [to_message(file, movie_pb2.StoredFile) for file in files]

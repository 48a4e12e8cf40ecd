"""MovieDatasetService: convert, call, convert."""

import base64
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import grpc
from google.protobuf import empty_pb2, timestamp_pb2

from moviellm import rpc, wire
from moviellm.artifacts import ArtifactStore, DatasetKeys
from moviellm.controller.admission import check_request_id, chosen_id, dataset_id, page_size
from moviellm.controller.datasets import Datasets
from moviellm.controller.estimate import Prices, cost
from moviellm.controller.reception import SHAPE, Reception, Request
from moviellm.controller.registry import Dataset
from moviellm.controller.tenancy.ownership import candidates, identifier_of, longest_name, shown
from moviellm.controller.watchers import Update
from moviellm.dataset import MovieDatasetSpec, PlotSpec, State
from moviellm.errors import InvalidInput, NotFound
from moviellm.security.identity import Role, caller
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc

CHUNK_BYTES = 512 * 1024
SERVICE = pb.DESCRIPTOR.services_by_name["MovieDatasetService"].full_name
Context = grpc.aio.ServicerContext[Any, Any]


class MovieDatasetServicer(movie_dataset_service_pb2_grpc.MovieDatasetServiceServicer):
    """The requesters' door."""

    def __init__(self, *, registry: Datasets, store: ArtifactStore, reception: Reception, prices: Prices) -> None:
        self._registry = registry
        self._store = store
        self._reception = reception
        self._prices = prices

    @rpc.method
    async def CreateMovieDataset(self, request: pb.CreateMovieDatasetRequest, context: Context) -> pb.MovieDataset:
        """Accept a request, or only check it."""
        owner = caller().tenant
        check_request_id(request.request_id)
        name = chosen_id(request.movie_dataset_id, request.spec.theme, longest=longest_name(owner))
        identifier = identifier_of(owner, name)
        pictures = tuple(request.style_pictures)
        received = await self._reception.receive(_request(request, pictures), only_check=request.validate_only)
        if request.validate_only:
            return pb.MovieDataset(
                spec=wire.to_message(received.spec, pb.MovieDatasetSpec),
                estimate=wire.to_message(received.estimate, pb.Estimate),
            )
        dataset = await self._registry.create(
            identifier,
            received.spec,
            request_id=request.request_id,
            pictures=pictures,
            plot=received.plot,
            estimate=received.estimate,
            owner=owner,
        )
        return self._message(dataset)

    @rpc.method
    async def GetMovieDataset(self, request: pb.GetMovieDatasetRequest, context: Context) -> pb.MovieDataset:
        """One dataset."""
        return self._message(self._dataset(request.name))

    @rpc.method
    async def ListMovieDatasets(
        self, request: pb.ListMovieDatasetsRequest, context: Context
    ) -> pb.ListMovieDatasetsResponse:
        """A page of datasets."""
        size = page_size(request.page_size, default=50, most=1000)
        owner = "" if caller().role is Role.OPERATOR else caller().tenant
        page = self._registry.page(size + 1, _decode_token(request.page_token), owner=owner)
        token = _encode_token(page[size - 1].sort_key) if len(page) > size else ""
        return pb.ListMovieDatasetsResponse(
            movie_datasets=[self._message(dataset) for dataset in page[:size]], next_page_token=token
        )

    @rpc.method
    async def CancelMovieDataset(self, request: pb.CancelMovieDatasetRequest, context: Context) -> pb.MovieDataset:
        """Stop and keep."""
        return self._message(await self._registry.cancel(self._dataset(request.name).identifier))

    @rpc.method
    async def RetryMovieDataset(self, request: pb.RetryMovieDatasetRequest, context: Context) -> pb.MovieDataset:
        """Go on."""
        most = request.max_llm_tokens if request.HasField("max_llm_tokens") else None
        if most is not None and most < 0:
            raise InvalidInput("max_llm_tokens", f"must be 0 (no limit) or more, got {most}")
        return self._message(await self._registry.retry(self._dataset(request.name).identifier, most))

    @rpc.method
    async def DeleteMovieDataset(self, request: pb.DeleteMovieDatasetRequest, context: Context) -> empty_pb2.Empty:
        """Stop and remove."""
        await self._registry.delete(self._dataset(request.name).identifier)
        return empty_pb2.Empty()

    @rpc.method
    async def WatchMovieDataset(self, request: pb.WatchMovieDatasetRequest, context: Context) -> AsyncIterator[bytes]:
        """The dataset at every change; all who watch it are sent the same bytes."""
        identifier = self._dataset(request.name).identifier
        watching = self._registry.watch(identifier, _revision(request.resume_token))
        async with contextlib.aclosing(watching) as updates:
            async for update in updates:
                yield self._told(update)

    def _told(self, update: Update[Dataset]) -> bytes:
        """A WatchMovieDatasetResponse, made once for all who call the dataset by the same name."""
        name = _name(update.dataset)
        if name not in update.told:
            response = pb.WatchMovieDatasetResponse(
                movie_dataset=self._message(update.dataset), resume_token=str(update.revision)
            )
            update.told[name] = response.SerializeToString()
        return update.told[name]

    @rpc.method
    async def ListArtifacts(self, request: pb.ListArtifactsRequest, context: Context) -> pb.ListArtifactsResponse:
        """A page of files, ordered by path."""
        dataset = self._dataset(request.parent, "parent")
        size = page_size(request.page_size, default=1000, most=10_000)
        prefix = DatasetKeys(dataset.identifier).files
        artifacts: list[pb.Artifact] = []
        async for entry in self._store.walk(prefix, after=request.page_token):
            if len(artifacts) == size:
                return pb.ListArtifactsResponse(artifacts=artifacts, next_page_token=artifacts[-1].path)
            path = entry.key.removeprefix(f"{prefix}/")
            artifacts.append(pb.Artifact(path=path, size_bytes=entry.size_bytes, uri=self._store.uri(entry.key)))
        return pb.ListArtifactsResponse(artifacts=artifacts)

    @rpc.method
    async def DownloadArtifact(
        self, request: pb.DownloadArtifactRequest, context: Context
    ) -> AsyncIterator[pb.DownloadArtifactResponse]:
        """The bytes of one file."""
        dataset = self._dataset(request.parent, "parent")
        prefix = f"{self._store.root}/{DatasetKeys(dataset.identifier).files}"
        if request.path.startswith("/") or not request.path or ".." in request.path.split("/"):
            raise InvalidInput("path", "must be a path from ListArtifacts")
        key = self._store.key(f"{prefix}/{request.path}", "path")
        if not await self._store.exists(key):
            raise NotFound(f"movieDatasets/{dataset.identifier} has no file {request.path}")
        async for piece in self._store.chunks(key, CHUNK_BYTES):
            for start in range(0, len(piece), 2 * CHUNK_BYTES):
                yield pb.DownloadArtifactResponse(data=piece[start : start + 2 * CHUNK_BYTES])

    def _dataset(self, name: str, field: str = "name") -> Dataset:
        """The dataset that the caller means; NotFound for another tenant's as for none."""
        principal = caller()
        for identifier in candidates(principal, dataset_id(name, field)):
            with contextlib.suppress(NotFound):
                dataset = self._registry.get(identifier)
                if principal.sees(dataset.owner):
                    return dataset
        raise NotFound(f"there is no dataset {name}")

    def _message(self, dataset: Dataset) -> pb.MovieDataset:
        spec = dataset.accepted.spec
        message = pb.MovieDataset(
            name=_name(dataset),
            spec=wire.to_message(spec, pb.MovieDatasetSpec),
            state=pb.MovieDataset.State.Value(f"STATE_{dataset.status.state.upper()}"),
            stages=[wire.to_message(stage, pb.StageProgress) for stage in dataset.stages()],
            create_time=_timestamp(dataset.accepted.create_time),
            update_time=_timestamp(dataset.status.update_time or dataset.accepted.create_time),
            titles=dict(dataset.progress.titles),
            model_use=[
                wire.to_message(replace(use, cost=cost(use, self._prices)), pb.ModelUse)
                for use in dataset.progress.use.values()
            ],
        )
        if dataset.accepted.estimate is not None:
            message.estimate.CopyFrom(wire.to_message(dataset.accepted.estimate, pb.Estimate))
        if dataset.status.end_time is not None:
            message.end_time.CopyFrom(_timestamp(dataset.status.end_time))
        if dataset.trouble is not None and dataset.status.state is not State.SUCCEEDED:
            message.trouble.CopyFrom(wire.to_message(dataset.trouble, pb.Trouble))
        return message


def registration_of(servicer: MovieDatasetServicer) -> rpc.Registration:
    """The servicer as a service of a server."""
    add = movie_dataset_service_pb2_grpc.add_MovieDatasetServiceServicer_to_server
    return rpc.Registration(SERVICE, lambda server: add(servicer, server))


def _name(dataset: Dataset) -> str:
    """What the caller calls the dataset."""
    return f"movieDatasets/{shown(caller(), dataset.identifier, dataset.owner)}"


def _request(request: pb.CreateMovieDatasetRequest, pictures: tuple[bytes, ...]) -> Request:
    sent = {field.name for field, _ in request.spec.ListFields()}
    return Request(
        spec=replace(wire.from_message(request.spec, MovieDatasetSpec, "spec"), plot=PlotSpec()),
        shape_is_set=frozenset(side for side in SHAPE if side in sent),
        pictures=pictures,
        plot=request.plot,
    )


def _timestamp(seconds: float) -> timestamp_pb2.Timestamp:
    stamp = timestamp_pb2.Timestamp()
    stamp.FromMicroseconds(round(seconds * 1_000_000))
    return stamp


def _encode_token(sort_key: tuple[float, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(sort_key).encode()).decode()


def _decode_token(token: str) -> tuple[float, str] | None:
    if not token:
        return None
    try:
        time, name = json.loads(base64.urlsafe_b64decode(token.encode()))
        return float(time), str(name)
    except (ValueError, TypeError) as error:
        raise InvalidInput("page_token", "must be a next_page_token") from error


def _revision(token: str) -> int:
    if not token:
        return -1
    if not (token.isascii() and token.isdigit() and len(token) < 20):
        raise InvalidInput("resume_token", "must be a resume_token of this dataset")
    return int(token)

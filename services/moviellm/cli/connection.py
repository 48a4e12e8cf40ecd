"""The one way to the server: a client of MovieDatasetService whose errors say what to do next."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import grpc
import typer
from google.protobuf.message import Message

from moviellm import errors, rpc
from moviellm.cli.credentials import peer_of
from moviellm.cli.settings import DEFAULT_SERVER
from moviellm.security.secured_channel import PLAIN, Peer
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc

if TYPE_CHECKING:
    from moviellm.v1.movie_dataset_service_pb2_grpc import MovieDatasetServiceAsyncStub

T = TypeVar("T")

CALL_SECONDS = 60.0
REPLACED_WITHIN = 20.0
ASK_AGAIN = 0.5
UNREACHABLE = "SERVER_UNREACHABLE"
_COLLECTION = "movieDatasets/"
_ID = re.compile(r"[a-z][a-z0-9-]{0,62}")
_ADDRESS = re.compile(r"\S+:\d{1,5}")


def checked_name(text: str) -> str:
    """The full name of a dataset given by id or name; a usage error for anything else."""
    name = text.removeprefix(_COLLECTION)
    if not _ID.fullmatch(name):
        raise typer.BadParameter(
            f'{text!r} is no dataset name: lower-case letters, digits and "-", beginning with a letter, as "demo" or '
            f'"{_COLLECTION}demo"'
        )
    return _COLLECTION + name


def checked_address(text: str) -> str:
    """The address if it reads host:port; a usage error if not."""
    if not _ADDRESS.fullmatch(text) or int(text.rpartition(":")[2]) > 65535:
        raise typer.BadParameter(f"{text!r} is no address; give HOST:PORT, such as {DEFAULT_SERVER}")
    return text


Name = Annotated[
    str,
    typer.Argument(metavar="NAME", callback=checked_name, help='"demo" or "movieDatasets/demo".', show_default=False),
]
"""The argument every command about one dataset takes; arrives as "movieDatasets/…"."""


def short(name: str) -> str:
    """The dataset's id, as people type it."""
    return name.removeprefix(_COLLECTION)


class Server(str):
    """The address of a server, HOST:PORT, and how it is reached."""

    peer: Peer = PLAIN

    @classmethod
    def reached(cls, address: str, peer: Peer) -> "Server":
        """The server at `address`, reached as `peer` says."""
        server = cls(address)
        server.peer = peer
        return server


def server_of(context: typer.Context) -> Server:
    """The server that --server or MOVIELLM_SERVER names, reached as the options of security say."""
    params = context.find_root().params
    address = str(params.get("server") or DEFAULT_SERVER)
    return Server.reached(address, peer_of(params, address))


def peer_to(address: str) -> Peer:
    """How a server is reached; as it is where nothing else was said."""
    return address.peer if isinstance(address, Server) else PLAIN


class Client:
    """MovieDatasetService with our errors instead of gRPC's; one method for each of its methods that commands use.

    Raises Unavailable with reason SERVER_UNREACHABLE when nobody answers at the address.
    """

    def __init__(self, stub: "MovieDatasetServiceAsyncStub", address: str) -> None:
        self._stub = stub
        self.address = address
        self._has_answered = False

    async def create(self, request: pb.CreateMovieDatasetRequest) -> pb.MovieDataset:
        """Ask for a dataset, or with validate_only for its estimate."""
        return await self._call(self._stub.CreateMovieDataset, request)

    async def get(self, name: str) -> pb.MovieDataset:
        """One dataset as it is now."""
        request = pb.GetMovieDatasetRequest(name=name)
        return await self._call(self._stub.GetMovieDataset, request)

    async def datasets(self) -> AsyncGenerator[pb.MovieDataset, None]:
        """All datasets, newest first."""
        token = ""
        while True:
            request = pb.ListMovieDatasetsRequest(page_token=token)
            page = await self._call(self._stub.ListMovieDatasets, request)
            for dataset in page.movie_datasets:
                yield dataset
            token = page.next_page_token
            if not token:
                return

    async def cancel(self, name: str) -> pb.MovieDataset:
        """Stop the work, keep what is made."""
        request = pb.CancelMovieDatasetRequest(name=name)
        return await self._call(self._stub.CancelMovieDataset, request)

    async def retry(self, name: str, max_llm_tokens: int | None = None) -> pb.MovieDataset:
        """Go on with a failed or cancelled dataset, with another limit of tokens where one is given."""
        request = pb.RetryMovieDatasetRequest(name=name, max_llm_tokens=max_llm_tokens)
        return await self._call(self._stub.RetryMovieDataset, request)

    async def delete(self, name: str) -> None:
        """Remove the dataset with everything it holds."""
        request = pb.DeleteMovieDatasetRequest(name=name)
        await self._call(self._stub.DeleteMovieDataset, request)

    async def watch(self, name: str, resume_token: str) -> AsyncGenerator[pb.WatchMovieDatasetResponse, None]:
        """The dataset whenever it changes after `resume_token`."""
        request = pb.WatchMovieDatasetRequest(name=name, resume_token=resume_token)
        async with aclosing(self._stream(self._stub.WatchMovieDataset(request))) as responses:
            async for response in responses:
                yield response

    async def artifacts(self, parent: str) -> AsyncGenerator[pb.Artifact, None]:
        """The files of a dataset that exist so far."""
        token = ""
        while True:
            request = pb.ListArtifactsRequest(parent=parent, page_token=token)
            page = await self._call(self._stub.ListArtifacts, request)
            for artifact in page.artifacts:
                yield artifact
            token = page.next_page_token
            if not token:
                return

    async def content(self, parent: str, path: str) -> AsyncGenerator[bytes, None]:
        """The bytes of one file, in pieces."""
        request = pb.DownloadArtifactRequest(parent=parent, path=path)
        async with aclosing(self._stream(self._stub.DownloadArtifact(request))) as responses:
            async for response in responses:
                yield response.data

    async def _call(self, method: Callable[..., Awaitable[T]], request: Message) -> T:
        """The answer. A server that has answered before and is being replaced is asked again for a while."""
        give_up = time.monotonic() + REPLACED_WITHIN
        while True:
            try:
                answer = await rpc.call("moviellm", method(request, timeout=CALL_SECONDS))
            except (errors.Unavailable, errors.Interrupted) as error:
                if time.monotonic() > give_up or not self._is_being_replaced(error, request):
                    raise self._explained(error) from error
                await asyncio.sleep(min(error.retry_after or ASK_AGAIN, ASK_AGAIN))
            else:
                self._has_answered = True
                return answer

    def _is_being_replaced(self, error: errors.Temporary, request: Message) -> bool:
        """Whether asking again may help, and does nothing twice."""
        if error.reason in ("STANDING_BY", "SHUTTING_DOWN"):
            return True
        if isinstance(request, pb.CreateMovieDatasetRequest):
            may_repeat = bool(request.request_id)
        else:
            may_repeat = not isinstance(request, pb.DeleteMovieDatasetRequest | pb.RetryMovieDatasetRequest)
        is_gone = error.reason == "SERVICE_UNREACHABLE" or (error.reason in (rpc.CALL_LOST, "CANCELLED") and may_repeat)
        return is_gone and self._has_answered

    async def _stream(self, responses: grpc.aio.UnaryStreamCall[Any, T]) -> AsyncGenerator[T, None]:
        try:
            async for response in rpc.stream("moviellm", aiter(responses)):
                yield response
        except errors.Unavailable as error:
            raise self._explained(error) from error
        finally:
            responses.cancel()

    def _explained(self, error: errors.Temporary) -> errors.Temporary:
        if error.reason != "SERVICE_UNREACHABLE":
            return error
        return errors.Unavailable(f"no moviellm server answers at {self.address}", reason=UNREACHABLE)


@asynccontextmanager
async def connect(address: str) -> AsyncIterator[Client]:
    """A client of the server at `address`; connecting happens with the first call."""
    async with rpc.channel(address, peer_to(address)) as channel:
        yield Client(pb_grpc.MovieDatasetServiceStub(channel), address)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end."""
    return asyncio.run(work)

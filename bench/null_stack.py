"""A real controller process over null services in this one, and what is asked of it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.local_stack import started
from bench.null_services import Renderer, null_services
from moviellm import rpc
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc

SCRIPTING, RENDERING = 0, 2
"""Places of stages in a dataset's stages."""


@dataclass(frozen=True)
class Reading:
    """The controller at one moment: when (s), frames told of, processor seconds and resident bytes of its process."""

    at: float
    frames: int
    processor: float
    resident: int


class NullStack:
    """A client of the controller, with an eye on its process. Without `learns`, styles are told in prompts.

    No movie gets further than `may_begin` lets it: what is to be in place before the work can be put there.
    """

    def __init__(self, address: str, pid: int, renderer: Renderer, may_begin: asyncio.Event) -> None:
        self.address = address
        self.pid = pid
        self.renderer = renderer
        self.learns = True
        self.may_begin = may_begin
        self._process = psutil.Process(pid)
        self._channel = rpc.channel(address)
        self.stub: Any = pb_grpc.MovieDatasetServiceStub(self._channel)

    async def close(self) -> None:
        """Hang up."""
        await self._channel.close()

    async def create(
        self, identifier: str, *, movies: int, sides: tuple[int, int, int] = (11, 11, 11), seed: int = 0
    ) -> None:
        """Ask for a dataset of `movies` movies of chapters × scenes × frames."""
        chapters, scenes, frames = sides
        spec = pb.MovieDatasetSpec(
            theme="a keeper", movies=movies, chapters=chapters, scenes=scenes, frames=frames, seed=seed
        )
        if not self.learns:
            spec.style.method = pb.STYLE_METHOD_PROMPT
        await self.stub.CreateMovieDataset(pb.CreateMovieDatasetRequest(spec=spec, movie_dataset_id=identifier))

    async def get(self, identifier: str) -> pb.MovieDataset:
        """The dataset now; raises when it failed."""
        dataset: pb.MovieDataset = await self.stub.GetMovieDataset(
            pb.GetMovieDatasetRequest(name=f"movieDatasets/{identifier}")
        )
        if dataset.state == pb.MovieDataset.STATE_FAILED:
            raise RuntimeError(f"{identifier} failed: {dataset.trouble.message}")
        return dataset

    async def cancel(self, identifier: str) -> None:
        """Stop the dataset."""
        await self.stub.CancelMovieDataset(pb.CancelMovieDatasetRequest(name=f"movieDatasets/{identifier}"))

    async def written(self, identifier: str, *, every: float = 0.1) -> None:
        """Wait until all scripts are written."""
        while True:
            scripts = (await self.get(identifier)).stages[SCRIPTING]
            if scripts.done == scripts.total:
                return
            await asyncio.sleep(every)

    async def frames(self, identifier: str) -> int:
        """Frames of the dataset so far."""
        return int((await self.get(identifier)).stages[RENDERING].done)

    def look(self, frames: int = 0) -> Reading:
        """What the process has used until now."""
        times = self._process.cpu_times()
        return Reading(time.perf_counter(), frames, times.user + times.system, self._process.memory_info().rss)

    async def readings(self, identifier: str, *, every: float = 0.5) -> list[Reading]:
        """Readings from now until the dataset is complete."""
        found = []
        while True:
            dataset = await self.get(identifier)
            found.append(self.look(dataset.stages[RENDERING].done))
            if dataset.state == pb.MovieDataset.STATE_SUCCEEDED:
                return found
            await asyncio.sleep(every)


@asynccontextmanager
async def null_stack(
    folder: Path, *, replicas: int = 1, seconds_a_picture: float = 0.0, **settings: str
) -> AsyncIterator[NullStack]:
    """Start both; `settings` are the controller's, the address of a service that is not null among them."""
    may_begin = asyncio.Event()
    may_begin.set()
    services = null_services(may_begin, replicas=replicas, seconds_a_picture=seconds_a_picture)
    async with services as (address, renderer):
        at = dict.fromkeys(("scripting", "inversion", "rendering", "qa", "export"), address)
        async with started("controller", folder, **(at | settings)) as controller:
            stack = NullStack(controller.address, controller.pid, renderer, may_begin)
            try:
                yield stack
            finally:
                await stack.close()

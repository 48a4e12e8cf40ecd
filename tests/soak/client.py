"""A requester that goes on asking, and keeps what it saw."""

import asyncio
import time
from collections import Counter, deque

from moviellm import errors, rpc
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc

FINAL = (pb.MovieDataset.STATE_SUCCEEDED, pb.MovieDataset.STATE_FAILED, pb.MovieDataset.STATE_CANCELLED)
SECONDS = 5.0
RECENT = 1.0


class Requester:
    """Asks both controllers by turns; `refused` counts answers that were errors, `done` units of each stage."""

    def __init__(self, address):
        self._channel = rpc.channel(address)
        self._stub = pb_grpc.MovieDatasetServiceStub(self._channel)
        self.refused = Counter()
        self._seen = deque(maxlen=1000)
        self.done = Counter()

    async def close(self):
        await self._channel.close()

    async def create(self, identifier, spec):
        """Until it is accepted; one request_id, so that it is one dataset however often it is asked for."""
        request = pb.CreateMovieDatasetRequest(
            spec=pb.MovieDatasetSpec(**spec), movie_dataset_id=identifier, request_id=f"soak-{identifier}"
        )
        while True:
            try:
                return await rpc.call("controller", self._stub.CreateMovieDataset(request, timeout=SECONDS))
            except errors.Temporary as error:
                self.refused[error.reason] += 1
                await asyncio.sleep(0.3)

    async def finished(self, identifier, *, every=0.2):
        """Until it is in a final state."""
        request = pb.GetMovieDatasetRequest(name=f"movieDatasets/{identifier}")
        while True:
            try:
                dataset = await rpc.call("controller", self._stub.GetMovieDataset(request, timeout=SECONDS))
            except errors.Temporary as error:
                self.refused[error.reason] += 1
            else:
                self._see(dataset)
                if dataset.state in FINAL:
                    return dataset
            await asyncio.sleep(every)

    def under_way(self):
        """The most units of each stage that were under way within the last moments."""
        since = time.monotonic() - RECENT
        most = Counter()
        for at, counts in self._seen:
            if at >= since or at == self._seen[-1][0]:
                most |= counts
        return most

    def _see(self, dataset):
        counts = Counter()
        for stage in dataset.stages:
            name = pb.Stage.Name(stage.stage).removeprefix("STAGE_").lower()
            counts[name] = stage.in_progress
            self.done[name] = stage.done
        self._seen.append((time.monotonic(), counts))

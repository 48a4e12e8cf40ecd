"""What all keepers of resources share."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from moviellm.controller.estimate import Prices
from moviellm.controller.kubernetes.cluster import Cluster
from moviellm.controller.kubernetes.resource import Key, Resource, spec_of, without_uploads
from moviellm.controller.kubernetes.watching import Gallery
from moviellm.controller.registry import Dataset, Registry
from moviellm.dataset import MovieDatasetSpec
from moviellm.errors import InvalidInput, NotFound


@dataclass(frozen=True)
class Pace:
    """Seconds: the least between two statuses of one resource, and the waits after trouble."""

    status_every: float = 2.0
    first_pause: float = 1.0
    longest_pause: float = 30.0


@dataclass
class House:
    """What all keepers share. `accept` receives a request as the gRPC door does; `admit` fills its defaults in."""

    cluster: Cluster
    gallery: Gallery
    registry: Registry
    accept: Callable[[Key, MovieDatasetSpec], Awaitable[None]]
    admit: Callable[[MovieDatasetSpec], MovieDatasetSpec]
    artifacts: Callable[[str], str]
    prices: Prices
    identity: str
    pace: Pace = Pace()
    clock: Callable[[], float] = time.time

    def find(self, identifier: str) -> Dataset | None:
        """The dataset of that id, if there is one."""
        try:
            return self.registry.get(identifier)
        except NotFound:
            return None

    def is_same(self, resource: Resource, dataset: Dataset) -> bool:
        """Whether the resource asks for what the dataset is made from; its limit of tokens may differ."""
        made = replace(dataset.accepted.spec, max_llm_tokens=0)
        try:
            asked = replace(spec_of(resource.content), max_llm_tokens=0)
            if asked == made:
                return True
            admitted = self.admit(without_uploads(asked))
        except InvalidInput:
            return False
        style = replace(admitted.style, pictures=asked.style.pictures)
        return replace(admitted, style=style, plot=asked.plot) == made

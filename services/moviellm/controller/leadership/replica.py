"""One of several controllers on a store: it stands by until it leads, and leads once."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Protocol

import structlog

from moviellm.artifacts import ArtifactStore
from moviellm.controller.datasets import Datasets
from moviellm.controller.leadership.fencing import Fence
from moviellm.controller.leadership.forwarding import STANDING_BY, Forwarder, Leadership
from moviellm.controller.leadership.lease import Election
from moviellm.controller.registry import Dataset, Registry
from moviellm.controller.servicer import SERVICE
from moviellm.controller.stages import ImportedPlot
from moviellm.controller.watchers import Update
from moviellm.dataset import Estimate, MovieDatasetSpec
from moviellm.errors import Unavailable
from moviellm.security.identity import DEFAULT_TENANT
from moviellm.security.secured_channel import PLAIN, Peer

log = structlog.get_logger()

RETRY_AFTER = 2.0

ADDRESS_MARK = "@"
"""Parts a replica's name in the Lease from the address where it is reached."""


class Following(Protocol):
    """What a leader follows beside its own door, such as the resources of a cluster."""

    async def run(self) -> None:
        """Follow until cancelled."""
        ...

    async def close(self) -> None:
        """Stop at once; nothing is written any more."""
        ...


class Nothing:
    """Nothing to follow: requests come through the door alone."""

    async def run(self) -> None:
        """Wait until cancelled."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nothing to stop."""


class Replica:
    """Loads the registry and works only while it leads; afterwards it is of no more use.

    From the moment the lease may be another's the `fence` is closed, even where nothing of this process has noticed.
    """

    def __init__(
        self,
        *,
        election: Election,
        registry: Registry,
        following: Following,
        store: ArtifactStore,
        fence: Fence,
        others: Peer = PLAIN,
    ) -> None:
        self._election = election
        self._registry = registry
        self._following = following
        self._store = store
        fence.holds = lambda: election.holds
        leadership = Leadership(
            leads=lambda: self.leads,
            leader=self.leader_address,
            own=election.identity.partition(ADDRESS_MARK)[2],
            patience=lambda: 0.0 if self.is_retired else 2 * election.terms.seconds,
        )
        self.forwarder = Forwarder(SERVICE, leadership, others)
        self._tasks: list[asyncio.Task[None]] = []
        self.began = asyncio.Event()
        self.is_retired = False
        self.leads = False

    async def lead(self) -> None:
        """Wait for the lease and work for as long as it is held; returns when it is lost."""
        await self._election.won()
        if self.is_retired:
            await self._election.release()
            return
        self._tasks = [asyncio.create_task(self._election.lost()), asyncio.create_task(self._work())]
        try:
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await self._stop()

    async def retire(self) -> None:
        """Stop all work, then let another replica lead at once."""
        self.is_retired = True
        await self._stop()
        await self._election.release()

    async def check(self) -> None:
        """Raises Unavailable where neither it nor, through it, the leader can do the work."""
        if self.leads or not await self.forwarder.leader_serves():
            self.must_lead()
            await self._store.exists("requests/health.json")

    def leader_address(self) -> str:
        """Where the replica that leads is reached; "" where it is this one, or nobody is known to lead."""
        _, _, address = self._election.leader.partition(ADDRESS_MARK)
        return "" if self.leads or self._election.leads else address

    def must_lead(self) -> None:
        """Raises Unavailable, saying who leads, while it stands by."""
        if not self.leads:
            leader = self._election.leader or "nobody yet"
            raise Unavailable(
                f"this replica stands by; the leader is {leader}", reason=STANDING_BY, retry_after=RETRY_AFTER
            )

    async def _work(self) -> None:
        await self._registry.load()
        self.leads = True
        self.began.set()
        await self._following.run()

    async def _stop(self) -> None:
        self.leads = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._following.close()
        await self._registry.close()


class LedDatasets:
    """The datasets while the replica leads; Unavailable before and after."""

    def __init__(self, replica: Replica, datasets: Datasets) -> None:
        self._replica = replica
        self._datasets = datasets

    def _led(self) -> Datasets:
        self._replica.must_lead()
        return self._datasets

    async def create(
        self,
        identifier: str,
        spec: MovieDatasetSpec,
        *,
        request_id: str = "",
        pictures: tuple[bytes, ...] = (),
        plot: ImportedPlot | None = None,
        estimate: Estimate | None = None,
        owner: str = DEFAULT_TENANT,
    ) -> Dataset:
        """Accept a request."""
        return await self._led().create(
            identifier, spec, request_id=request_id, pictures=pictures, plot=plot, estimate=estimate, owner=owner
        )

    def get(self, identifier: str) -> Dataset:
        """One dataset."""
        return self._led().get(identifier)

    def page(self, size: int, after: tuple[float, str] | None, *, owner: str = "") -> list[Dataset]:
        """A page of datasets."""
        return self._led().page(size, after, owner=owner)

    async def cancel(self, identifier: str) -> Dataset:
        """Stop and keep."""
        return await self._led().cancel(identifier)

    async def retry(self, identifier: str, max_llm_tokens: int | None = None) -> Dataset:
        """Go on."""
        return await self._led().retry(identifier, max_llm_tokens)

    async def delete(self, identifier: str) -> None:
        """Stop and remove."""
        await self._led().delete(identifier)

    def watch(self, identifier: str, revision: int) -> AsyncGenerator[Update[Dataset], None]:
        """The dataset at every change."""
        return self._led().watch(identifier, revision)

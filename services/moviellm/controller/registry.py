"""All datasets of this controller: accepted, made, watched, cancelled, deleted.

What a requester was promised lies in the store before the answer goes out; what this class keeps in memory is rebuilt
from the store at start.
"""

import asyncio
import heapq
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

import structlog

from moviellm import tracing, wire
from moviellm.artifacts import ArtifactStore, DatasetKeys, digest
from moviellm.controller.fair import FairPlaces
from moviellm.controller.maker import Failed
from moviellm.controller.own_plot import store_plot
from moviellm.controller.progress import Progress
from moviellm.controller.stages import ImportedPlot
from moviellm.controller.survey import Survey, survey
from moviellm.controller.tenancy.quotas import NO_QUOTAS, Need, Quotas, need_of
from moviellm.controller.troubles import CONTROLLER, trouble_of
from moviellm.controller.watchers import Update, Watchers
from moviellm.dataset import Estimate, ModelUse, MovieDatasetSpec, Stage, StageProgress, State, Trouble
from moviellm.errors import (
    AlreadyExists,
    Broken,
    Exhausted,
    InvalidInput,
    MovieLLMError,
    NotFound,
    Temporary,
    Unavailable,
    Unsatisfied,
)
from moviellm.security.identity import DEFAULT_TENANT

log = structlog.get_logger()
T = TypeVar("T")

#: A state that has been reached is not overtaken by work that was ending at the same moment.
_STAYS_AGAINST = {
    State.RUNNING: (State.CANCELLED, State.DELETING),
    State.SUCCEEDED: (State.CANCELLED, State.DELETING),
    State.FAILED: (State.CANCELLED, State.DELETING),
    State.CANCELLED: (State.SUCCEEDED, State.FAILED, State.DELETING),
}

READS_AT_ONCE = 64
STORE_PAUSE = 2.0
FULL_RETRY_AFTER = 60.0


@dataclass(frozen=True)
class Accepted:
    """request.json: what was asked for, when (seconds since the epoch), and by which tenant."""

    spec: MovieDatasetSpec
    create_time: float
    request_id: str = ""
    estimate: Estimate | None = None
    trace: str = ""
    owner: str = DEFAULT_TENANT


@dataclass(frozen=True)
class Status:
    """status.json: the last word on the state. The counts of a final state save counting again after a restart."""

    state: State = State.PENDING
    update_time: float = 0.0
    end_time: float | None = None
    trouble: Trouble | None = None
    changes: int = 0
    done: Mapping[str, int] = field(default_factory=dict)
    titles: Mapping[int, str] = field(default_factory=dict)
    use: tuple[ModelUse, ...] = ()


@dataclass(frozen=True)
class RequestRecord:
    """requests/….json: which dataset a request_id made, and the digest of its spec."""

    dataset: str
    spec_digest: str


@dataclass
class Dataset:
    """One dataset in memory."""

    identifier: str
    accepted: Accepted
    status: Status
    progress: Progress
    task: asyncio.Task[None] | None = None
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def sort_key(self) -> tuple[float, str]:
        """Newest first, ties by name."""
        return (-self.accepted.create_time, self.identifier)

    @property
    def owner(self) -> str:
        """The tenant that asked for it."""
        return self.accepted.owner

    @property
    def is_final(self) -> bool:
        """Whether it is in a final state."""
        return self.status.state.is_final

    @property
    def need(self) -> Need:
        """What it takes of its tenant's quota; nothing once it is in a final state."""
        if self.status.state.is_final or self.status.state is State.DELETING:
            return Need()
        return need_of(self.accepted.spec, self.accepted.estimate, self.progress.tokens)

    @property
    def trouble(self) -> Trouble | None:
        """Why it failed, or what it waits for now."""
        return self.status.trouble if self.status.state.is_final else self.progress.trouble

    def stages(self) -> list[StageProgress]:
        """Progress by stage."""
        return self.progress.stages()


class MakeDataset(Protocol):
    """Makes all that is missing of a dataset; `found` is what the store held when the work was taken up."""

    async def __call__(self, dataset: str, spec: MovieDatasetSpec, progress: Progress, found: Survey) -> None:
        """Raises Failed when something could not be made."""
        ...


class Registry:
    """The datasets, and the tasks that make them. `make` makes all that is missing of one dataset."""

    def __init__(
        self,
        *,
        store: ArtifactStore,
        make: MakeDataset,
        datasets_in_flight: int,
        most_unfinished: int = 10_000,
        quotas: Quotas = NO_QUOTAS,
        on_states: Callable[[Mapping[State, int]], None] = lambda counts: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._make = make
        self._places = FairPlaces(datasets_in_flight, kept=1)
        self._most_unfinished = most_unfinished
        self._quotas = quotas
        self._on_states = on_states
        self._clock = clock
        self._datasets: dict[str, Dataset] = {}
        self._accepting = asyncio.Lock()
        self._closing = False
        self._states = dict.fromkeys(State, 0)
        self._watchers = Watchers[Dataset]()

    # ---- life of the controller ----

    async def load(self) -> None:
        """Take up every dataset that the store knows, and go on with those that are not in a final state."""
        identifiers = list(await self._persistently(lambda: self._store.folders("datasets")))
        for start in range(0, len(identifiers), READS_AT_ONCE):
            batch = identifiers[start : start + READS_AT_ONCE]
            for identifier, found in zip(batch, await asyncio.gather(*map(self._readable, batch)), strict=True):
                if found is not None:
                    self._take_up(identifier, *found)

    async def _readable(self, identifier: str) -> tuple[Accepted, Status] | None:
        try:
            return await self._persistently(lambda: self._read(identifier))
        except Broken as error:
            log.error("a dataset cannot be read and is left alone", dataset=identifier, why=error.message)
            return None

    async def _read(self, identifier: str) -> tuple[Accepted, Status] | None:
        keys = DatasetKeys(identifier)
        request = await self._store.find(keys.request)
        if request is None:
            return None
        status = await self._store.find(keys.status)
        return (
            wire.from_json(request, Accepted, keys.request),
            wire.from_json(status, Status, keys.status) if status else Status(),
        )

    async def close(self) -> None:
        """Stop all work without changing any state; the next controller goes on."""
        self._closing = True
        self._watchers.close()
        tasks = [dataset.task for dataset in self._datasets.values() if dataset.task]
        for dataset in self._datasets.values():
            dataset.progress.notify()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take_up(self, identifier: str, accepted: Accepted, status: Status) -> Dataset:
        progress = Progress(accepted.spec, state_changes=status.changes, owner=accepted.owner)
        progress.done.update({Stage(stage): count for stage, count in status.done.items()})
        progress.titles.update(status.titles)
        progress.use.update({use.model: use for use in status.use})
        dataset = Dataset(identifier, accepted, status, progress)
        self._datasets[identifier] = dataset
        self._count(None, status.state)
        if status.state is State.DELETING:
            dataset.task = asyncio.create_task(self._remove(dataset))
        elif not status.state.is_final:
            self._start(dataset)
        return dataset

    # ---- requests ----

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
        """Accept a request: store it, then start. A repeated request_id of the same owner gives the first dataset.

        Raises AlreadyExists for a name that is taken, InvalidInput for a request_id that was used for another request,
        Exhausted where it is more than the owner's quota has room for.
        """
        self._refuse_when_closing()
        async with self._accepting:
            if request_id:
                identifier = await self._identifier_of_request(mark_of(owner, request_id), identifier, spec)
                if identifier in self._datasets:
                    return self._datasets[identifier]
            if identifier in self._datasets:
                raise AlreadyExists(f"the name movieDatasets/{identifier} is taken; choose another movie_dataset_id")
            self._refuse_when_full()
            self._quotas.check(owner, need_of(spec, estimate), self._datasets.values())
            keys = DatasetKeys(identifier)
            for number, data in enumerate(pictures, 1):
                await self._store.replace(keys.picture(number), data)
            if plot is not None:
                await store_plot(self._store, keys, plot)
            accepted = Accepted(spec, self._clock(), request_id, estimate, tracing.begun().header, owner)
            if not await self._is_stored(keys.request, wire.to_json(accepted)):
                return await self._stored_before(identifier, request_id)
            log.info("accepted", dataset=identifier, movies=spec.movies, frames=spec.movies * spec.shape.total_frames)
            return self._take_up(identifier, accepted, Status(update_time=accepted.create_time))

    async def _is_stored(self, key: str, data: bytes) -> bool:
        """Write what must be new; whether it lies there now. The answer to a write may be lost, so it is looked for."""
        try:
            if await self._store.put(key, data):
                return True
        except Temporary:
            if await self._store.find(key) != data:
                raise
            return True
        return await self._store.get(key) == data

    async def _stored_before(self, identifier: str, request_id: str) -> Dataset:
        """A request that nobody heard the answer to; it counts, and whoever asks again with its request_id gets it."""
        stored = await self._read(identifier)
        found = self._take_up(identifier, *stored) if stored else None
        if found is None or not request_id or found.accepted.request_id != request_id:
            raise AlreadyExists(f"the name movieDatasets/{identifier} is taken; choose another movie_dataset_id")
        return found

    async def _identifier_of_request(self, mark: str, identifier: str, spec: MovieDatasetSpec) -> str:
        key = f"requests/{mark}.json"
        spec_digest = digest(wire.to_json(spec))
        if await self._store.put(key, wire.to_json(RequestRecord(identifier, spec_digest))):
            return identifier
        record = wire.from_json(await self._store.get(key), RequestRecord, key)
        if record.spec_digest != spec_digest:
            raise InvalidInput("request_id", "was used for another request; choose a new one")
        return record.dataset

    def get(self, identifier: str) -> Dataset:
        """One dataset; raises NotFound."""
        dataset = self._datasets.get(identifier)
        if dataset is None:
            raise NotFound(f"there is no dataset movieDatasets/{identifier}")
        return dataset

    def page(self, size: int, after: tuple[float, str] | None, *, owner: str = "") -> list[Dataset]:
        """Up to `size` datasets that come after the sort key `after`, in order; of one owner where it is named."""
        mine = (d for d in self._datasets.values() if not owner or d.owner == owner)
        later = (d for d in mine if after is None or d.sort_key > after)
        return heapq.nsmallest(size, later, key=lambda dataset: dataset.sort_key)

    async def cancel(self, identifier: str) -> Dataset:
        """Stop the work and keep what is made. Raises Unsatisfied when the dataset is complete or failed."""
        dataset = self.get(identifier)
        state = dataset.status.state
        if state is State.CANCELLED:
            return dataset
        if state.is_final or state is State.DELETING:
            raise Unsatisfied(f"movieDatasets/{identifier} is {state.upper()}: there is nothing left to cancel")
        await self._set_state(dataset, State.CANCELLED)
        await _ended(dataset.task)
        return dataset

    async def retry(self, identifier: str, max_llm_tokens: int | None = None) -> Dataset:
        """Go on with a failed or cancelled dataset. Raises Unsatisfied for one in any other state.

        `max_llm_tokens` is a new limit; InvalidInput when it is below the old one.
        """
        dataset = self.check_retry(identifier, max_llm_tokens)
        await _ended(dataset.task)
        async with self._accepting:
            self.check_retry(identifier, max_llm_tokens)
            if max_llm_tokens is not None:
                await self._raise_budget(dataset, max_llm_tokens)
            await self._set_state(dataset, State.PENDING)
        self._start(dataset)
        return dataset

    def check_retry(self, identifier: str, max_llm_tokens: int | None = None) -> Dataset:
        """The dataset, if it may go on now; raises what `retry` raises, and Exhausted where the quota has no room."""
        self._refuse_when_closing()
        dataset = self.get(identifier)
        state = dataset.status.state
        if state not in (State.FAILED, State.CANCELLED):
            raise Unsatisfied(
                f"movieDatasets/{identifier} is {state.upper()}: only FAILED and CANCELLED datasets can be retried"
            )
        spec = dataset.accepted.spec
        if max_llm_tokens is not None:
            if 0 < max_llm_tokens < spec.max_llm_tokens:
                least = spec.max_llm_tokens
                raise InvalidInput("max_llm_tokens", f"must be 0 (no limit) or at least {least}, got {max_llm_tokens}")
            spec = replace(spec, max_llm_tokens=max_llm_tokens)
        need = need_of(spec, dataset.accepted.estimate, dataset.progress.tokens)
        self._quotas.check(dataset.owner, need, self._datasets.values())
        return dataset

    async def _raise_budget(self, dataset: Dataset, most: int) -> None:
        spec = dataset.accepted.spec
        accepted = replace(dataset.accepted, spec=replace(spec, max_llm_tokens=most))
        await self._store.replace(DatasetKeys(dataset.identifier).request, wire.to_json(accepted))
        dataset.accepted = accepted
        dataset.progress.spec = accepted.spec

    async def delete(self, identifier: str) -> None:
        """Stop the work and remove everything; returns when it is gone."""
        dataset = self.get(identifier)
        if dataset.status.state is not State.DELETING:
            await self._set_state(dataset, State.DELETING)
            await _ended(dataset.task)
            dataset.task = asyncio.create_task(self._remove(dataset))
        if dataset.task:
            await asyncio.shield(dataset.task)

    def watch(self, identifier: str, revision: int) -> AsyncGenerator[Update[Dataset], None]:
        """The dataset at every change after `revision`, until a final state has been seen or it is gone."""
        dataset = self.get(identifier)

        def current() -> Dataset:
            if self._closing:
                raise Unavailable(
                    "the controller is shutting down; watch again with the resume token", reason="SHUTTING_DOWN"
                )
            if self._datasets.get(identifier) is not dataset:
                raise NotFound(f"movieDatasets/{identifier} was deleted")
            return dataset

        return self._watchers.updates(current, revision)

    # ---- work ----

    def _start(self, dataset: Dataset) -> None:
        dataset.task = asyncio.create_task(self._run_traced(dataset), name=f"make {dataset.identifier}")

    async def _run_traced(self, dataset: Dataset) -> None:
        parent = tracing.parsed(dataset.accepted.trace)
        with tracing.span("MakeDataset", parent=parent, dataset=dataset.identifier):
            await self._run(dataset)

    async def _run(self, dataset: Dataset) -> None:
        async with self._places.place(dataset.owner):
            try:
                found = await self._persistently(lambda: survey(self._store, dataset.identifier))
                dataset.progress.done.update(found.done)
                dataset.progress.titles.update(found.titles)
                dataset.progress.use.clear()
                dataset.progress.use.update(found.use)
                dataset.progress.troubles.clear()
                await self._persistently(lambda: self._set_state(dataset, State.RUNNING))
                await self._make(dataset.identifier, dataset.accepted.spec, dataset.progress, found)
            except Failed as failure:
                trouble = failure.trouble
                await self._persistently(lambda: self._set_state(dataset, State.FAILED, trouble))
            except Exception as error:
                log.error("dataset failed", dataset=dataset.identifier, exc_info=error)
                trouble = _trouble_of(error)
                await self._persistently(lambda: self._set_state(dataset, State.FAILED, trouble))
            else:
                await self._persistently(lambda: self._set_state(dataset, State.SUCCEEDED))

    async def _set_state(self, dataset: Dataset, state: State, trouble: Trouble | None = None) -> None:
        """Store the new state, then show it; a dataset that was cancelled or deleted meanwhile stays so."""
        async with dataset.changing:
            if dataset.status.state in _STAYS_AGAINST.get(state, ()):
                return
            status = self._status(dataset, state, trouble)
            await self._store.replace(DatasetKeys(dataset.identifier).status, wire.to_json(status))
            before, dataset.status = dataset.status.state, status
        if state in (State.CANCELLED, State.DELETING) and dataset.task:
            dataset.task.cancel()
        progress = dataset.progress
        progress.state_changes = status.changes
        log.info("state", dataset=dataset.identifier, state=state, **({"why": trouble.message} if trouble else {}))
        progress.notify()
        self._count(before, state)

    def _status(self, dataset: Dataset, state: State, trouble: Trouble | None) -> Status:
        now = self._clock()
        progress = dataset.progress
        return Status(
            state=state,
            update_time=now,
            end_time=now if state.is_final else None,
            trouble=trouble,
            changes=dataset.status.changes + 1,
            done={stage.value: count for stage, count in progress.done.items()} if state.is_final else {},
            titles=dict(progress.titles) if state.is_final else {},
            use=tuple(progress.use.values()) if state.is_final else (),
        )

    async def _remove(self, dataset: Dataset) -> None:
        """Remove all artifacts, the request last, so that a removal that is cut short is taken up again at start."""
        keys = DatasetKeys(dataset.identifier)
        for prefix in (keys.files, f"{keys.root}/work", f"{keys.root}/pictures", f"{keys.root}/plot"):
            await self._persistently(lambda prefix=prefix: self._store.delete_all(prefix))  # type: ignore[misc]
        if dataset.accepted.request_id:
            record = f"requests/{mark_of(dataset.owner, dataset.accepted.request_id)}.json"
            await self._persistently(lambda: self._store.delete(record))
        await self._persistently(lambda: self._store.delete_all(keys.root))
        del self._datasets[dataset.identifier]
        self._count(dataset.status.state, None)
        log.info("deleted", dataset=dataset.identifier)
        dataset.progress.notify()

    async def _persistently(self, action: Callable[[], Awaitable[T]]) -> T:
        """The result of `action`, asked again for as long as the store does not answer."""
        while True:
            try:
                return await action()
            except Temporary as error:
                log.warning("waiting for the store", why=error.message)
                await asyncio.sleep(STORE_PAUSE)

    def _refuse_when_closing(self) -> None:
        if self._closing:
            raise Unavailable("the controller is shutting down; ask again", reason="SHUTTING_DOWN", retry_after=2.0)

    def _refuse_when_full(self) -> None:
        unfinished = sum(count for state, count in self._states.items() if not state.is_final)
        if unfinished >= self._most_unfinished:
            raise Exhausted(
                f"{unfinished:,} datasets wait or are being made, and no more are accepted; ask again later",
                reason="TOO_MANY_DATASETS",
                retry_after=FULL_RETRY_AFTER,
            )

    def _count(self, before: State | None, now: State | None) -> None:
        """A dataset has come, gone or changed its state."""
        if before is not None:
            self._states[before] -= 1
        if now is not None:
            self._states[now] += 1
        self._on_states(self._states)


def mark_of(owner: str, request_id: str) -> str:
    """The name under which a request_id is remembered; each owner has their own."""
    return digest((request_id if owner == DEFAULT_TENANT else f"{owner}\n{request_id}").encode())


def _trouble_of(error: Exception) -> Trouble:
    if not isinstance(error, MovieLLMError):
        error = Broken("internal error; the log of the controller has the details")
    return trouble_of(error, service=CONTROLLER)


async def _ended(task: "asyncio.Task[None] | None") -> None:
    """Wait until the task has ended, however it ends."""
    if task:
        await asyncio.wait([task])

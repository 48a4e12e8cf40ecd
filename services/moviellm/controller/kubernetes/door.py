"""The gRPC door on a cluster: what is asked there is written into the resource first, then done.

The resource is what both doors agree on; a controller that dies in between finds there what was asked.
"""

import asyncio
from collections.abc import AsyncGenerator

import structlog

from moviellm import wire
from moviellm.artifacts import ArtifactStore
from moviellm.controller.kubernetes.cluster import Cluster
from moviellm.controller.kubernetes.operator import Operator
from moviellm.controller.kubernetes.resource import (
    REQUEST_ID,
    DeletionPolicy,
    Json,
    Key,
    Resource,
    content_of,
    manifest,
    read,
)
from moviellm.controller.kubernetes.watching import Gallery
from moviellm.controller.registry import Dataset, Registry, RequestRecord, mark_of
from moviellm.controller.stages import ImportedPlot
from moviellm.controller.watchers import Update
from moviellm.dataset import Estimate, MovieDatasetSpec, State
from moviellm.errors import AlreadyExists, InvalidInput, MovieLLMError, NotFound, Unavailable
from moviellm.security.identity import DEFAULT_TENANT

log = structlog.get_logger()

RETRY_AFTER = 2.0
GONE_WITHIN = 5.0
GONE_POLL = 0.05


class ClusterDatasets:
    """The datasets as the servicer asks for them, on the replica that leads."""

    def __init__(
        self,
        *,
        registry: Registry,
        operator: Operator,
        cluster: Cluster,
        gallery: Gallery,
        store: ArtifactStore,
        labels: dict[str, str],
    ) -> None:
        self._registry = registry
        self._operator = operator
        self._cluster = cluster
        self._gallery = gallery
        self._store = store
        self._labels = labels
        self._creating = asyncio.Lock()

    # ---- reading ----

    def get(self, identifier: str) -> Dataset:
        """One dataset; raises NotFound."""
        return self._registry.get(identifier)

    def page(self, size: int, after: tuple[float, str] | None, *, owner: str = "") -> list[Dataset]:
        """Up to `size` datasets after a sort key."""
        return self._registry.page(size, after, owner=owner)

    def watch(self, identifier: str, revision: int) -> AsyncGenerator[Update[Dataset], None]:
        """The dataset at every change."""
        return self._registry.watch(identifier, revision)

    # ---- changing ----

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
        """Make the resource, then accept the request. A repeated request_id gives the first dataset."""
        self._must_know_all()
        mark = mark_of(owner, request_id) if request_id else ""
        async with self._creating:
            identifier = await self._made_before(mark) or identifier
            async with self._operator.lock(identifier):
                again = self._repeated(identifier, spec, mark)
                if again is not None:
                    return again
                resource = None
                if not self._exists(identifier):
                    resource = await self._make_resource(Key(self._operator.home, identifier), spec, mark)
                try:
                    return await self._registry.create(
                        identifier,
                        spec,
                        request_id=request_id,
                        pictures=pictures,
                        plot=plot,
                        estimate=estimate,
                        owner=owner,
                    )
                except MovieLLMError:
                    await self._take_back(resource)
                    raise

    async def cancel(self, identifier: str) -> Dataset:
        """Suspend the resource, stop the work."""
        dataset, resource = self._pair(identifier)
        async with self._operator.lock(identifier):
            if resource and dataset.status.state in (State.PENDING, State.RUNNING):
                await self._change(resource, {"suspend": True})
            return await self._registry.cancel(identifier)

    async def retry(self, identifier: str, max_llm_tokens: int | None = None) -> Dataset:
        """Go on, in the resource and with the work."""
        dataset, resource = self._pair(identifier)
        async with self._operator.lock(identifier):
            if resource and dataset.status.state in (State.FAILED, State.CANCELLED):
                self._registry.check_retry(identifier)
                limit = {} if max_llm_tokens is None else {"maxLlmTokens": max_llm_tokens}
                try:
                    await self._change(resource, {"suspend": False} | limit)
                except InvalidInput as error:
                    raise InvalidInput(error.field.removeprefix("spec."), error.allowed) from error
            return await self._registry.retry(identifier, max_llm_tokens)

    async def delete(self, identifier: str) -> None:
        """Delete the resource with its artifacts; returns when both are gone."""
        _, resource = self._pair(identifier)
        async with self._operator.lock(identifier):
            if resource:
                try:
                    await self._change(resource, {"deletionPolicy": DeletionPolicy.DELETE.value})
                    await self._cluster.delete(resource.key)
                except NotFound:
                    resource = None
            await self._registry.delete(identifier)
        if resource:
            await self._vanished(resource)

    # ---- parts ----

    def _must_know_all(self) -> None:
        if not self._operator.knows_all:
            raise Unavailable("the cluster's resources are not known yet; ask again", retry_after=RETRY_AFTER)

    def _pair(self, identifier: str) -> tuple[Dataset, Resource | None]:
        self._must_know_all()
        return self._registry.get(identifier), self._operator.resource(identifier)

    def _exists(self, identifier: str) -> bool:
        try:
            self._registry.get(identifier)
        except NotFound:
            return False
        return True

    async def _made_before(self, mark: str) -> str:
        """The id that an earlier call with the same request_id was given; "" where there was none."""
        if not mark:
            return ""
        key = f"requests/{mark}.json"
        record = await self._store.find(key)
        if record is not None:
            return wire.from_json(record, RequestRecord, key).dataset
        marked = (one for one in self._gallery.all() if one.annotations.get(REQUEST_ID) == mark)
        return next((one.key.dataset(self._operator.home) for one in marked), "")

    def _repeated(self, identifier: str, spec: MovieDatasetSpec, mark: str) -> Dataset | None:
        """The dataset that the keeper accepted from the resource of a call that was cut short."""
        resource = self._operator.resource(identifier)
        if not (mark and resource and resource.annotations.get(REQUEST_ID) == mark and self._exists(identifier)):
            return None
        dataset = self._registry.get(identifier)
        if dataset.accepted.request_id:
            return None
        if dataset.accepted.spec != spec:
            raise InvalidInput("request_id", "was used for another request; choose a new one")
        return dataset

    async def _make_resource(self, key: Key, spec: MovieDatasetSpec, mark: str) -> Resource:
        body = manifest(key, spec, labels=self._labels, annotations={REQUEST_ID: mark} if mark else {})
        try:
            return self._gallery.put(await self._cluster.create(body))
        except AlreadyExists as error:
            present = read(await self._cluster.get(key))
            if (
                mark
                and present.annotations.get(REQUEST_ID) == mark
                and present.content == body["spec"] | _switches(present)
            ):
                return present
            raise AlreadyExists(
                f"the name movieDatasets/{key.name} is taken; choose another movie_dataset_id"
            ) from error

    async def _take_back(self, resource: Resource | None) -> None:
        """The request was not accepted after all; its resource shall not ask for it again."""
        if resource is None:
            return
        try:
            await self._cluster.delete(resource.key)
        except MovieLLMError as error:
            log.warning("a resource was left of a failed request", resource=str(resource.key), why=error.message)

    async def _change(self, resource: Resource, content: Json) -> None:
        """Patch the spec; the gallery knows at once, so that no keeper acts on what was before."""
        self._gallery.put(await self._cluster.patch(resource.key, {"spec": content}))

    async def _vanished(self, resource: Resource) -> None:
        """Wait until the keeper has let the resource go, so that its name is free."""
        for _ in range(round(GONE_WITHIN / GONE_POLL)):
            current = self._gallery.find(resource.key)
            if current is None or current.uid != resource.uid:
                return
            await asyncio.sleep(GONE_POLL)


def _switches(resource: Resource) -> Json:
    """What of a spec may have been changed since it was made."""
    known = content_of(MovieDatasetSpec(theme=""))
    return {name: value for name, value in resource.content.items() if name not in known or name == "maxLlmTokens"}

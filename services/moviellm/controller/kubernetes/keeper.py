"""Sees to one resource: does what it asks for, step by step, and keeps its status true."""

import asyncio
import contextlib
import datetime
import time
import uuid

import structlog

from moviellm.controller.kubernetes import summary
from moviellm.controller.kubernetes.decision import Step, next_step
from moviellm.controller.kubernetes.house import House
from moviellm.controller.kubernetes.resource import (
    API_VERSION,
    FINALIZER,
    KIND,
    RETRY,
    Json,
    Key,
    Resource,
    spec_of,
)
from moviellm.controller.kubernetes.summary import Standing
from moviellm.controller.kubernetes.telling import News, news
from moviellm.controller.leadership.lease import Conflict
from moviellm.controller.registry import Dataset
from moviellm.errors import InvalidInput, MovieLLMError, NotFound, Permanent, Temporary, Unsatisfied

log = structlog.get_logger()

NAME_TAKEN = (
    "another request has made movieDatasets/{} already; choose another name, ask for the same again, or delete that one"
)


class Keeper:
    """One resource's keeper. Everything it does to a dataset happens under `lock`, which the gRPC door takes too."""

    def __init__(self, key: Key, dataset: str, *, house: House, lock: asyncio.Lock) -> None:
        self._key = key
        self._identifier = dataset
        self._house = house
        self._lock = lock
        self._touched = asyncio.Event()
        self._standing: tuple[tuple[str, int], Standing] | None = None
        self._answered: object = None
        self._is_mine = False
        self._wrote_at = float("-inf")

    def touch(self) -> None:
        """The resource changed: look at it again."""
        self._touched.set()

    async def run(self) -> None:
        """Look, act, write, wait; returns when the resource is gone."""
        pause = self._house.pace.first_pause
        while True:
            self._touched.clear()
            dataset = self._house.find(self._identifier)
            changed = dataset.progress.next_change() if dataset else None
            try:
                resource = await self._settled()
                if resource is None:
                    return
                again_after = await self._write(resource)
                pause = self._house.pace.first_pause
            except MovieLLMError as error:
                log.warning("a resource is tried again", resource=str(self._key), why=error.message)
                again_after = pause
                pause = min(pause * 2, self._house.pace.longest_pause)
            if self._house.find(self._identifier) is dataset:
                await self._something(changed if again_after is None else None, again_after)

    async def _something(self, changed: asyncio.Event | None, again_after: float | None) -> None:
        """Wait for a change of the resource or its dataset, or until it is time to look again."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._touched, changed) if event]
        try:
            await asyncio.wait(waits, timeout=again_after, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    # ---- steps ----

    async def _settled(self) -> Resource | None:
        """The resource after every step that can be taken now; None when it is gone."""
        while True:
            async with self._lock:
                resource = self._house.gallery.find(self._key)
                if resource is None:
                    await self._left_alone()
                    return None
                dataset = self._own(resource)
                is_answered = _asking(resource) == self._answered
                step = next_step(resource, dataset, is_answered=is_answered)
                if step is Step.ACCEPT and self._is_settled(resource):
                    step = Step.NOTHING
                if step is Step.NOTHING:
                    return resource
                log.info("resource", resource=str(self._key), step=step)
                await self._take(step, resource)

    def _own(self, resource: Resource) -> Dataset | None:
        """Its dataset; one of that name that was made by another request is not."""
        dataset = self._house.find(self._identifier)
        self._is_mine = dataset is not None and (self._is_bound(resource) or self._house.is_same(resource, dataset))
        if dataset is not None and not self._is_mine:
            self._stand(resource, summary.refused("NameTaken", NAME_TAKEN.format(self._identifier)))
            return None
        if dataset is None and self._standing and self._standing[1].reason == "NameTaken":
            self._standing = None
        return dataset

    def _is_bound(self, resource: Resource) -> bool:
        return resource.status.get("dataset") == self._identifier

    def _is_settled(self, resource: Resource) -> bool:
        """Whether this very request was refused for good already."""
        about = (resource.uid, resource.generation)
        return self._standing is not None and self._standing[0] == about and not self._standing[1].waits

    async def _take(self, step: Step, resource: Resource) -> None:
        registry = self._house.registry
        if step is Step.HOLD:
            await self._set_finalizers(resource, (*resource.finalizers, FINALIZER))
        elif step is Step.RELEASE:
            await self._set_finalizers(resource, tuple(one for one in resource.finalizers if one != FINALIZER))
        elif step is Step.ACCEPT:
            await self._accept(resource)
        elif step is Step.CANCEL:
            try:
                await registry.cancel(self._identifier)
            except Unsatisfied:  # it ended at this moment
                return
        elif step is Step.RETRY:
            await registry.retry(self._identifier, resource.max_llm_tokens)
            self._answered = _asking(resource)
        elif step is Step.REMOVE:
            await registry.delete(self._identifier)

    async def _set_finalizers(self, resource: Resource, finalizers: tuple[str, ...]) -> None:
        body = {"metadata": {"resourceVersion": resource.version, "finalizers": list(finalizers)}}
        try:
            self._house.gallery.put(await self._house.cluster.patch(self._key, body))
        except Conflict:
            self._house.gallery.put(await self._house.cluster.get(self._key))
        except NotFound:
            self._house.gallery.drop(self._key)
        if resource.deleting and not finalizers:
            self._house.gallery.drop(self._key)

    async def _accept(self, resource: Resource) -> None:
        """Have the request received as if it had come over gRPC."""
        try:
            if resource.needs_uploads:
                self._stand(resource, summary.NEEDS_UPLOADS)
                return
            await self._house.accept(self._key, spec_of(resource.content))
            self._standing = None
        except InvalidInput as error:
            self._stand(resource, summary.refused("InvalidSpec", error.message))
        except Permanent as error:
            self._stand(resource, summary.refused(error.reason, error.message))
        except Temporary as error:
            self._stand(resource, summary.delayed(error.reason, error.message))
            await self._write(resource)
            raise

    def _stand(self, resource: Resource, standing: Standing) -> None:
        self._standing = ((resource.uid, resource.generation), standing)

    async def _left_alone(self) -> None:
        """The resource vanished: torn out against its finalizer, its work stops and what is made stays."""
        dataset = self._house.find(self._identifier)
        if dataset is None or not self._is_mine or dataset.status.state.is_final:
            return
        try:
            self._house.gallery.put(await self._house.cluster.get(self._key))
        except NotFound:
            log.warning("the resource of a dataset is gone: its work stops", dataset=self._identifier)
            with contextlib.suppress(Unsatisfied, NotFound):
                await self._house.registry.cancel(self._identifier)

    # ---- status ----

    async def _write(self, resource: Resource) -> float | None:
        """Write the status where it differs; returns the seconds after which to try again, None when all is said."""
        status = self._status(resource, self._own(resource))
        patch = summary.merge_patch(resource.status, status)
        if not patch:
            return None
        due = self._wrote_at + self._house.pace.status_every - time.monotonic()
        if due > 0:
            return due
        body = {"metadata": {"resourceVersion": resource.version}, "status": patch}
        self._wrote_at = time.monotonic()
        try:
            self._house.gallery.put(await self._house.cluster.patch(self._key, body, status=True))
        except Conflict:
            self._house.gallery.put(await self._house.cluster.get(self._key))
            return 0.0
        except NotFound:
            self._house.gallery.drop(self._key)
            return 0.0
        self._answered = None
        for one in news(resource.status, status):
            await self._tell(resource, one)
        return None

    def _status(self, resource: Resource, dataset: Dataset | None) -> Json:
        standing = None
        if dataset is None:
            standing = self._standing[1] if self._standing else None
            standing = summary.SUSPENDED if resource.suspend else standing
        return summary.status_of(
            resource,
            dataset,
            standing,
            now=self._house.clock(),
            artifacts=self._house.artifacts(self._identifier),
            prices=self._house.prices,
        )

    async def _tell(self, resource: Resource, one: News) -> None:
        """Write an event; nothing depends on it."""
        try:
            await self._house.cluster.tell(event(resource, one, self._house.clock(), self._house.identity))
        except MovieLLMError as error:
            log.warning("an event was not written", reason=one.reason, why=error.message)


def event(resource: Resource, one: News, now: float, identity: str) -> Json:
    """A core/v1 Event about the resource."""
    stamp = datetime.datetime.fromtimestamp(now, datetime.UTC)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{resource.key.name}.{uuid.uuid4().hex[:16]}", "namespace": resource.key.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": resource.key.name,
            "namespace": resource.key.namespace,
            "uid": resource.uid,
            "resourceVersion": resource.version,
        },
        "type": "Warning" if one.is_warning else "Normal",
        "reason": one.reason,
        "message": one.message[: summary.MAX_MESSAGE],
        "source": {"component": "moviellm-controller"},
        "reportingComponent": "moviellm.dev/controller",
        "reportingInstance": identity[:128],
        "firstTimestamp": stamp.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lastTimestamp": stamp.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "count": 1,
    }


def _asking(resource: Resource) -> tuple[object, ...]:
    """What in the resource asks for another try."""
    return (resource.status.get("suspended"), resource.annotations.get(RETRY))

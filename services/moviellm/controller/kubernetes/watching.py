"""A picture of all resources in scope that is kept true: listed once, then watched, through every kind of break."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from moviellm.controller.kubernetes.cluster import Change, Cluster, Expired, Listing
from moviellm.controller.kubernetes.resource import Json, Key, Resource, read
from moviellm.errors import MovieLLMError, Temporary

log = structlog.get_logger()

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0


class Gallery:
    """The resources as last seen; `on_change` hears which one changed, appeared or vanished."""

    def __init__(self) -> None:
        self._resources: dict[Key, Resource] = {}
        self.on_change: Callable[[Key], None] = lambda key: None

    def find(self, key: Key) -> Resource | None:
        """The resource as last seen."""
        return self._resources.get(key)

    def all(self) -> list[Resource]:
        """Every resource in scope."""
        return list(self._resources.values())

    def put(self, body: Json) -> Resource:
        """Remember what the server sent, unless something newer is known; returns what is known now."""
        resource = read(body)
        known = self._resources.get(resource.key)
        if known is not None and resource.is_older_than(known):
            return known
        self._resources[resource.key] = resource
        if known is None or known.version != resource.version:
            self.on_change(resource.key)
        return resource

    def drop(self, key: Key) -> None:
        """It is gone."""
        if self._resources.pop(key, None) is not None:
            self.on_change(key)

    def replace(self, listing: Listing) -> None:
        """Exactly these existed when the list was made."""
        listed = {self.put(item).key for item in listing.items}
        for resource in self.all():
            if resource.key not in listed and not resource.is_after(listing.version):
                self.drop(resource.key)

    def follow(self, change: Change) -> None:
        """One event of a watch."""
        if change.kind == "DELETED":
            gone = read(change.item)
            known = self.find(gone.key)
            if known is not None and known.uid == gone.uid:
                self.drop(gone.key)
        elif change.kind in ("ADDED", "MODIFIED"):
            self.put(change.item)


async def keep_true(
    gallery: Gallery,
    cluster: Cluster,
    *,
    on_listed: Callable[[], None] = lambda: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    jitter: Callable[[], float] = random.random,
) -> None:
    """List, watch, and go on where a watch broke off; list again where that version is forgotten. Never returns."""
    version = ""
    pause = FIRST_PAUSE
    while True:
        try:
            if not version:
                listing = await cluster.list()
                gallery.replace(listing)
                on_listed()
                version = listing.version
            async for change in cluster.watch(version):
                gallery.follow(change)
                version = change.version or version
                pause = FIRST_PAUSE
            # A server that ends every watch at once must not be asked in a circle.
            await sleep(FIRST_PAUSE * jitter())
        except Expired:
            log.info("the watch starts over: its version is forgotten")
            version = ""
            await sleep(FIRST_PAUSE * jitter())
        except MovieLLMError as error:
            log.warning("waiting for the cluster", why=error.message)
            wanted = error.retry_after if isinstance(error, Temporary) else None
            await sleep(max(pause * (0.5 + jitter() / 2), wanted or 0.0))
            pause = min(LONGEST_PAUSE, pause * 2)

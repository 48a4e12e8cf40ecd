"""What the controller needs of a cluster's API server; objects are JSON as the server sends them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from moviellm.controller.kubernetes.resource import Json, Key
from moviellm.errors import Temporary


class Expired(Temporary):
    """The version that a watch wanted to go on from is forgotten: list again."""

    reason = "EXPIRED"


@dataclass(frozen=True)
class Listing:
    """All objects in scope, and the version from which to watch."""

    items: tuple[Json, ...]
    version: str


@dataclass(frozen=True)
class Change:
    """One event of a watch: ADDED, MODIFIED, DELETED or BOOKMARK, and the object."""

    kind: str
    item: Json

    @property
    def version(self) -> str:
        """Where a watch goes on after this."""
        return str(self.item.get("metadata", {}).get("resourceVersion", ""))


class Cluster(Protocol):
    """The MovieDataset resources in scope, and the events about them.

    Every method raises NotFound, Conflict, InvalidInput (the server's own rules), Denied, or a Temporary error where
    asking again may help.
    """

    async def list(self) -> Listing:
        """All resources in scope."""
        ...

    def watch(self, version: str) -> AsyncIterator[Change]:
        """Changes after `version`, until the server ends the watch. Raises Expired for a version that is too old."""
        ...

    async def get(self, key: Key) -> Json:
        """One resource as it is now."""
        ...

    async def create(self, body: Json) -> Json:
        """Raises AlreadyExists for a name that is taken."""
        ...

    async def patch(self, key: Key, body: Json, *, status: bool = False) -> Json:
        """Merge `body` into the resource; with metadata.resourceVersion in it, raises Conflict where that is old."""
        ...

    async def delete(self, key: Key) -> None:
        """Ask for deletion; the resource stays until its finalizers are gone."""
        ...

    async def tell(self, event: Json) -> None:
        """Write an event."""
        ...

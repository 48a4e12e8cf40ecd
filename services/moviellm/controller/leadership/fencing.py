"""What keeps a controller that leads no longer from doing anything: it may have slept through the loss of its lease."""

from collections.abc import Callable
from pathlib import Path

from moviellm.artifacts import ArtifactStore
from moviellm.errors import Interrupted


class Fence:
    """Open while this controller leads; `holds` asks the lease, by the clock alone."""

    def __init__(self) -> None:
        self.holds: Callable[[], bool] = lambda: True

    def check(self) -> None:
        """Raises Interrupted where another controller may lead by now."""
        if not self.holds():
            raise Interrupted("this controller leads no longer; another one goes on", reason="NOT_LEADING")


class FencedStore(ArtifactStore):
    """The store as a controller writes it: nothing changes behind a closed fence."""

    fence = Fence()

    async def put(self, key: str, data: bytes) -> bool:
        """Write the artifact unless it exists."""
        self.fence.check()
        return await super().put(key, data)

    async def put_file(self, key: str, source: Path) -> bool:
        """Write the artifact with the bytes of a local file unless it exists."""
        self.fence.check()
        return await super().put_file(key, source)

    async def replace(self, key: str, data: bytes) -> None:
        """Write the object whatever was there."""
        self.fence.check()
        await super().replace(key, data)

    async def delete(self, key: str) -> None:
        """Remove one object."""
        self.fence.check()
        await super().delete(key)

    async def delete_all(self, prefix: str) -> None:
        """Remove every artifact below `prefix`."""
        self.fence.check()
        await super().delete_all(prefix)

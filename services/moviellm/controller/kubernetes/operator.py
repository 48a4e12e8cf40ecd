"""All resources in scope, each with its keeper."""

import asyncio

import structlog

from moviellm.controller.kubernetes.house import House
from moviellm.controller.kubernetes.keeper import Keeper
from moviellm.controller.kubernetes.resource import Key, Resource
from moviellm.controller.kubernetes.watching import keep_true

log = structlog.get_logger()

MENDING_PAUSE = 10.0


class Operator:
    """Follows the resources and gives each its keeper. `home` is the controller's own namespace."""

    def __init__(self, house: House, *, home: str) -> None:
        self._house = house
        self._home = home
        self._keepers: dict[Key, Keeper] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._closing = False
        self.knows_all = False
        house.gallery.on_change = self.changed

    @property
    def home(self) -> str:
        """The namespace of resources that are made over gRPC."""
        return self._home

    def lock(self, identifier: str) -> asyncio.Lock:
        """Held by whoever does something to a dataset."""
        return self._locks.setdefault(identifier, asyncio.Lock())

    def resource(self, identifier: str) -> Resource | None:
        """The resource of a dataset, if it has one."""
        at_home = self._house.gallery.find(Key(self._home, identifier))
        if at_home is not None:
            return at_home
        return next((one for one in self._house.gallery.all() if one.key.dataset(self._home) == identifier), None)

    async def run(self) -> None:
        """Follow the resources until cancelled."""
        await keep_true(self._house.gallery, self._house.cluster, on_listed=self._listed)

    async def close(self) -> None:
        """Stop at once; nothing is written any more."""
        self._closing = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def changed(self, key: Key) -> None:
        """The resource changed, appeared or vanished."""
        keeper = self._keepers.get(key)
        if keeper is not None:
            keeper.touch()
        elif not self._closing and self._house.gallery.find(key) is not None:
            self._start(key)

    def _listed(self) -> None:
        self.knows_all = True

    def _start(self, key: Key) -> None:
        identifier = key.dataset(self._home)
        self._keepers[key] = Keeper(key, identifier, house=self._house, lock=self.lock(identifier))
        self._tasks[key] = asyncio.create_task(self._keep(key, self._keepers[key]), name=f"keep {key}")

    async def _keep(self, key: Key, keeper: Keeper) -> None:
        while True:
            try:
                await keeper.run()
                break
            except Exception as error:  # a bug about one resource must not end the others
                log.error("a keeper failed; it starts over", resource=str(key), exc_info=error)
                await asyncio.sleep(MENDING_PAUSE)
        del self._keepers[key], self._tasks[key]
        if self._house.gallery.find(key) is not None:
            self.changed(key)

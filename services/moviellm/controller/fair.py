"""Places that several owners share: whoever waits is let in by turns of the owners, not of the requests."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairPlaces:
    """At most `width` places at once; of those that wait, one of each owner is let in, then the next of each.

    So a thousand requests of one owner delay another's first by one place, not by a thousand. Within an owner it is
    first come, first served. Where `kept` is not 0, each owner may have so many places even where others have taken
    all: for places that are held for hours.
    """

    def __init__(self, width: int, *, kept: int = 0) -> None:
        self._width = width
        self._kept = kept
        self._taken: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return sum(len(queue) for queue in self._waiting.values())

    @asynccontextmanager
    async def place(self, owner: str) -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        await self.acquire(owner)
        try:
            yield
        finally:
            self.release(owner)

    async def acquire(self, owner: str) -> None:
        """Wait for a place and take it; `release` gives it back."""
        if not self._waiting.get(owner) and self._may_enter(owner):
            self._taken[owner] += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(owner)
            else:
                self._forget(owner, turn)
            raise

    def release(self, owner: str) -> None:
        """Give a place back; the next in turn gets it."""
        self._taken[owner] -= 1
        if not self._taken[owner]:
            del self._taken[owner]
        self._let_in()

    def _may_enter(self, owner: str) -> bool:
        return self._taken.total() < self._width or self._taken[owner] < self._kept

    def _let_in(self) -> None:
        for owner in list(self._waiting):
            if self._may_enter(owner) and (turn := self._next(owner)):
                self._taken[owner] += 1
                turn.set_result(None)

    def _next(self, owner: str) -> "asyncio.Future[None] | None":
        """The owner's first turn that nobody has given up, and the owner goes to the end of the line."""
        queue = self._waiting[owner]
        while queue:
            turn = queue.popleft()
            if not turn.done():
                break
        else:
            turn = None
        self._waiting.move_to_end(owner)
        if not queue:
            del self._waiting[owner]
        return turn

    def _forget(self, owner: str, turn: "asyncio.Future[None]") -> None:
        queue = self._waiting.get(owner, deque())
        if turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[owner]

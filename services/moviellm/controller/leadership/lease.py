"""Which controller leads: a lease that one holds and the others watch; no clock of another machine is believed."""

import asyncio
import datetime
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from moviellm.errors import AlreadyExists, Interrupted, MovieLLMError

log = structlog.get_logger()

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]
Json = dict[str, Any]


class Conflict(Interrupted):
    """The object was changed by somebody else since it was read."""

    reason = "CONFLICT"


class Leases(Protocol):
    """One lease as a cluster or a store keeps it; JSON with the fields of coordination.k8s.io/v1 Lease in `spec`."""

    async def read(self) -> Json | None:
        """The lease, None where there is none."""
        ...

    async def create(self, body: Json) -> Json:
        """Raises AlreadyExists where somebody was faster."""
        ...

    async def replace(self, body: Json) -> Json:
        """Raises Conflict where somebody was faster."""
        ...


@dataclass(frozen=True)
class Terms:
    """How long a Lease holds, in seconds; the rest follows from that.

    A leader that could not renew for two thirds of it stops by itself, so that it has stopped before another one leads.
    """

    seconds: float = 10.0

    @property
    def renew_every(self) -> float:
        """How often the leader says that it is there."""
        return self.seconds * 0.2

    @property
    def give_up_after(self) -> float:
        """When a leader that cannot say so stops."""
        return self.seconds * 2 / 3

    @property
    def look_every(self) -> float:
        """How often the others look."""
        return self.seconds * 0.15


class Election:
    """One replica's part in the election; `identity` must differ from every other's.

    The holder leaves its `signature` in the lease; where `is_gone` finds by it that the holder has died, nobody waits.
    """

    def __init__(
        self,
        leases: Leases,
        identity: str,
        *,
        terms: Terms,
        clock: Clock = time.monotonic,
        now: Clock = time.time,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        signature: Json | None = None,
        is_gone: Callable[[Json], bool] = lambda spec: False,
    ) -> None:
        self._signature = signature or {}
        self._is_gone = is_gone
        self._leases = leases
        self.identity = self._identity = identity
        self.terms = self._terms = terms
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._jitter = jitter
        self._mine: Json | None = None
        self._seen: tuple[object, ...] | None = None
        self._seen_at = 0.0
        self._renewed_at = 0.0
        self.leader = ""

    @property
    def leads(self) -> bool:
        """Whether the Lease is this replica's, as far as it knows."""
        return self._mine is not None

    @property
    def holds(self) -> bool:
        """Whether no other can lead yet, by the clock alone: false at once in a process that was paused too long."""
        return self._mine is not None and self._clock() < self._renewed_at + self._terms.give_up_after

    async def won(self) -> None:
        """Return when this replica leads."""
        while not await self._attempt():
            await self._sleep(self._terms.look_every * (0.8 + 0.4 * self._jitter()))
        log.info("leading", identity=self._identity)

    async def lost(self) -> None:
        """Renew, and return when this replica leads no longer."""
        while True:
            await self._sleep(self._terms.renew_every)
            if not await self._renewed():
                log.error("the lease is lost", identity=self._identity, leader=self.leader)
                return

    async def release(self) -> None:
        """Let another replica lead at once; fine where this one does not lead."""
        mine, self._mine = self._mine, None
        if mine is None:
            return
        try:
            await self._leases.replace(
                mine | {"spec": mine["spec"] | {"holderIdentity": "", "leaseDurationSeconds": 1}}
            )
        except MovieLLMError as error:
            log.warning("the lease was not released; another replica waits for its end", why=error.message)

    async def _attempt(self) -> bool:
        started = self._clock()
        try:
            lease = await self._leases.read()
            if lease is None:
                self._mine = await self._leases.create({"spec": self._spec(transitions=0)})
            elif self._is_free(lease):
                transitions = int(lease["spec"].get("leaseTransitions") or 0) + 1
                self._mine = await self._leases.replace(lease | {"spec": self._spec(transitions)})
            else:
                return False
        except (AlreadyExists, Conflict):
            return False
        except MovieLLMError as error:
            log.warning("waiting for the lease", why=error.message)
            return False
        self.leader, self._renewed_at = self._identity, started
        return True

    def _is_free(self, lease: Json) -> bool:
        """Whether nobody holds it, or its holder has not been heard of for as long as it promised to be."""
        spec = lease.get("spec") or {}
        self.leader = spec.get("holderIdentity") or ""
        heard = (self.leader, spec.get("renewTime"), spec.get("leaseTransitions"))
        if heard != self._seen:
            self._seen, self._seen_at = heard, self._clock()
        if self.leader in ("", self._identity) or self._is_gone(spec):  # its own: the answer to its writing was lost
            return True
        return self._clock() - self._seen_at >= float(spec.get("leaseDurationSeconds") or self._terms.seconds)

    async def _renewed(self) -> bool:
        """Whether this replica still leads; tries until its time is up."""
        while self._mine is not None:
            started = self._clock()
            left = self._renewed_at + self._terms.give_up_after - started
            if left <= 0:
                return False
            try:
                renewed = self._mine | {"spec": self._mine["spec"] | {"renewTime": self._time()}}
                self._mine = await asyncio.wait_for(self._leases.replace(renewed), left)
                self._renewed_at = started
                return True
            except Conflict:
                if not await self._is_still_mine(left):
                    return False
            except (MovieLLMError, TimeoutError) as error:
                log.warning("the lease could not be renewed", why=str(error) or type(error).__name__)
            await self._sleep(min(self._terms.renew_every / 2, max(left, 0.0)))
        return False

    async def _is_still_mine(self, within: float) -> bool:
        """Somebody touched the Lease: look whose it is now."""
        try:
            lease = await asyncio.wait_for(self._leases.read(), within)
        except (MovieLLMError, TimeoutError):
            return True
        self.leader = (lease or {}).get("spec", {}).get("holderIdentity") or ""
        self._mine = lease if self.leader == self._identity else None
        return self._mine is not None

    def _spec(self, transitions: int) -> Json:
        now = self._time()
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": max(1, round(self._terms.seconds)),
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": transitions,
            **self._signature,
        }

    def _time(self) -> str:
        return datetime.datetime.fromtimestamp(self._now(), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

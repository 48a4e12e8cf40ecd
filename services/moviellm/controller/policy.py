"""Retries as data: how long to go on asking, and how long to wait in between."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from moviellm.errors import Temporary

T = TypeVar("T")

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter, given up when a unit has failed for longer than its reason allows.

    All times in seconds. `patience` maps an error's reason to how long a unit may go on failing for it; other reasons
    get `default_patience`. `most` maps a reason to how often it may come: for those where the unit itself may be to
    blame, such as a service that dies under the call. A server's RetryInfo stretches the wait, never shortens it.
    """

    first: float = 0.5
    factor: float = 2.0
    longest: float = 15.0
    default_patience: float = 300.0
    patience: Mapping[str, float] = field(default_factory=dict)
    most: Mapping[str, int] = field(default_factory=dict)

    def wait(self, attempt: int, error: Temporary, jitter: float) -> float:
        """Seconds to wait after the failed attempt (1-based); `jitter` in [0, 1) comes from the caller."""
        backoff = min(self.longest, self.first * self.factor ** (attempt - 1)) * (0.5 + jitter / 2)
        return max(backoff, error.retry_after or 0.0)

    def is_enough(self, reasons: Mapping[str, int]) -> bool:
        """Whether one of the reasons has come as often as it may."""
        return any(reasons.get(reason, 0) >= times for reason, times in self.most.items())

    def patience_for(self, error: Temporary) -> float:
        """How long a unit may go on failing with this error."""
        return self.patience.get(error.reason, self.default_patience)


async def retried(
    make: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    *,
    on_trouble: Callable[[Temporary, int], None],
    clock: Clock = time.monotonic,
    sleep: Sleep = asyncio.sleep,
    jitter: Callable[[], float] = random.random,
) -> T:
    """The result of `make`, asked again after temporary errors; raises the last one when patience ends.

    Permanent errors are raised at once. `on_trouble` hears of every failure with the number of attempts so far.
    """
    started = clock()
    attempt = 0
    reasons: Counter[str] = Counter()
    while True:
        try:
            return await make()
        except Temporary as error:
            attempt += 1
            reasons[error.reason] += 1
            on_trouble(error, attempt)
            pause = policy.wait(attempt, error, jitter())
            if policy.is_enough(reasons) or clock() - started + pause > policy.patience_for(error):
                raise
            await sleep(pause)

"""Limits of an endpoint that all calls of the process keep together: requests and tokens a minute, and pauses."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

_MINUTE = 60.0


@dataclass
class Turn:
    """One request that was let through: when, and the tokens it is thought to cost."""

    at: float
    tokens: int


class Paused(Exception):
    """The endpoint wants no calls for longer than the caller is ready to wait; `seconds` are left."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"paused for {seconds:.0f} s")
        self.seconds = seconds


class Pace:
    """Lets requests through in the order they come, so that no sixty seconds hold more than the limits; 0 = no limit.

    Exact over a sliding minute. A request larger than the limit of tokens waits until it is alone in its minute.
    """

    def __init__(
        self,
        *,
        requests_per_minute: int = 0,
        tokens_per_minute: int = 0,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._requests = requests_per_minute
        self._tokens = tokens_per_minute
        self._clock = clock
        self._sleep = sleep
        self._let_through: deque[Turn] = deque()
        self._queue = asyncio.Lock()
        self._paused_until = float("-inf")

    async def turn(self, tokens: int, *, patience: float) -> Turn:
        """Wait until a request of about `tokens` may be sent; put the true number into the turn once it is known.

        Raises Paused where a pause lasts longer than `patience` seconds. Waiting for the limits is not bounded.
        """
        async with self._queue:
            while True:
                if self.pause_left() > patience:
                    raise Paused(self.pause_left())
                wait = max(self.pause_left(), self._wait_for(tokens))
                if wait <= 0:
                    turn = Turn(self._clock(), tokens)
                    if self._requests or self._tokens:
                        self._let_through.append(turn)
                    return turn
                await self._sleep(wait)

    def pause(self, seconds: float) -> None:
        """No request is let through for the next seconds; a longer pause under way stays."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    def pause_left(self) -> float:
        """Seconds until the pause ends; 0 without one."""
        return max(0.0, self._paused_until - self._clock())

    def _wait_for(self, tokens: int) -> float:
        """Seconds until enough of the last minute is over."""
        now = self._clock()
        while self._let_through and self._let_through[0].at + _MINUTE <= now:
            self._let_through.popleft()
        requests, spent, wait = len(self._let_through), sum(turn.tokens for turn in self._let_through), 0.0
        for oldest in self._let_through:
            if self._fits(requests, spent, tokens):
                break
            wait = oldest.at + _MINUTE - now
            requests, spent = requests - 1, spent - oldest.tokens
        return wait

    def _fits(self, requests: int, spent: int, tokens: int) -> bool:
        few = not self._requests or requests < self._requests
        return few and (not self._tokens or not requests or spent + tokens <= self._tokens)

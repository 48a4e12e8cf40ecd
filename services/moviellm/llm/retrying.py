"""How often a question may fail on its way to the endpoint, and how long to wait in between, as data."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from moviellm import errors

_FAILURES = 3
_HANG = 2
_WAITS = 6
Jitter = Callable[[], float]


@dataclass(frozen=True)
class Patience:
    """How a question's failures are borne; all times in seconds.

    `longest_wait` is the longest pause that an endpoint may ask for and be waited for; `first` and `longest` bound the
    exponential backoff where it names none.
    """

    longest_wait: float = 20.0
    first: float = 0.5
    longest: float = 8.0

    def backoff(self, failures: int, jitter: float) -> float:
        """The wait after so many failures (1 and more); `jitter` in [0, 1) takes up to half of it away."""
        return float(min(self.longest, self.first * 2.0 ** (failures - 1)) * (1.0 - jitter / 2.0))


class Trials:
    """One question's failures so far: a broken connection or a crash counts once, silence twice, three are borne.

    Rate limits are counted apart, six are borne.
    """

    def __init__(self, patience: Patience, *, jitter: Jitter = random.random) -> None:
        self._patience = patience
        self._jitter = jitter
        self._failed = self._limited = 0

    def wait_after(self, error: errors.MovieLLMError, *, silent: bool = False) -> float:
        """Seconds to wait before the question is asked again; raises the error where it should not be."""
        if isinstance(error, errors.Exhausted):
            self._limited += 1
            return self._wait(error, self._limited, borne=self._limited <= _WAITS)
        if isinstance(error, errors.Unavailable):
            self._failed += _HANG if silent else 1
            return self._wait(error, self._failed, borne=self._failed <= _FAILURES)
        raise error

    def _wait(self, error: errors.Temporary, failures: int, *, borne: bool) -> float:
        wanted = error.retry_after or 0.0
        if not borne or wanted > self._patience.longest_wait:
            raise error
        return max(wanted, self._patience.backoff(failures, self._jitter()))

"""The best of a few attempts at a picture, and what was wrong with the others.

An attempt is given up as black, flat, unsafe or a repetition of an earlier picture of its request, or falls short of
the score that was asked for. What is chosen depends on the request alone: not on what was painted beside it, nor on
what of it lay in the store already.
"""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from moviellm.dataset import Attempt, derived_seed
from moviellm.rendering.critic import Critic
from moviellm.rendering.faults import GRID, Look, alike, look
from moviellm.rendering.picture import Job, Paint, Painted

BELOW = "below threshold"
DUPLICATE = "duplicate"
UNSAFE = "unsafe"

WORST_FIRST = (UNSAFE, "black", "flat", DUPLICATE, BELOW, "")
"""Verdicts; of several attempts the one with the best verdict is kept, and of those the one with the best score."""

DIGITS = 4
"""Scores are rounded before they are compared, so that rounding in a GPU's kernels decides nothing."""


Repeats = Callable[[bytes], Awaitable[bool]]
"""Whether an earlier picture of the request has such a fingerprint."""


@dataclass(frozen=True)
class Standard:
    """How good a picture must be: at most `attempts` are made, until one scores `min_score`; all where that is 0.

    A threshold belongs to one scorer: every CLIP has a scale of its own.
    """

    attempts: int = 1
    min_score: float = 0.0


@dataclass(frozen=True, eq=False)
class Choice:
    """What is kept of the attempts, the kept one last, and what all of them cost."""

    pixels: Any
    fingerprint: bytes
    attempts: tuple[Attempt, ...]
    seconds: float
    gpu_seconds: float


@dataclass(frozen=True, eq=False)
class Candidate:
    """One attempt that was painted and looked at."""

    painted: Painted
    look: Look
    attempt: Attempt

    @property
    def rank(self) -> tuple[int, float]:
        """Larger is better."""
        return WORST_FIRST.index(self.attempt.verdict), self.attempt.score


class Lineup:
    """What the pictures of one request look like, in its order. Each is compared with those before it.

    A picture that repeats an earlier one of another prompt is a duplicate. Each picture waits for those before it,
    which makes the verdict independent of the order in which they are painted.
    """

    def __init__(self, prompts: Sequence[str]) -> None:
        self._prompts = prompts
        self._known = [asyncio.Event() for _ in prompts]
        self._fingerprints: dict[int, bytes] = {}

    def tell(self, position: int, fingerprint: bytes | None) -> None:
        """The picture at `position` is chosen; None where nobody can say what it looks like."""
        if fingerprint is not None:
            self._fingerprints[position] = fingerprint
        self._known[position].set()

    async def repeats(self, position: int, fingerprint: bytes) -> bool:
        """Whether an earlier picture with another prompt looks the same."""
        for earlier in range(position):
            await self._known[earlier].wait()
            seen = self._fingerprints.get(earlier)
            if seen is not None and alike(seen, fingerprint) and self._prompts[earlier] != self._prompts[position]:
                return True
        return False


class Chooser:
    """Has attempts painted and judged, and keeps the best."""

    def __init__(self, *, paint: Paint, critic: Critic) -> None:
        self._paint = paint
        self._critic = critic

    @property
    def can_score(self) -> bool:
        """Whether this deployment has a scorer."""
        return self._critic.can_score

    def together(self, standard: Standard) -> int:
        """How many attempts at a picture are painted at a time: all where the best of all is asked for."""
        return standard.attempts if self._critic.can_score and standard.min_score == 0 else 1

    async def best(self, job: Job, text: str, standard: Standard, repeats: Repeats) -> Choice:
        """The best attempt. The first is made with the job's own seed, each other one with a seed derived from it.

        Only what is good by itself is held against earlier pictures before the next attempt, so that the attempts at
        all pictures of a request go on beside each other.
        """
        jobs = [job, *(_again(job, number) for number in range(2, standard.attempts + 1))]
        together = self.together(standard)
        candidates: list[Candidate] = []
        for first in range(0, len(jobs), together):
            made = await _all([self._try(one, text, standard) for one in jobs[first : first + together]])
            candidates += [await _compared(candidate, repeats, "") for candidate in made]
            if not candidates[-1].attempt.verdict:
                break
        else:
            candidates = [await _compared(candidate, repeats, BELOW) for candidate in candidates]
        return _chosen(candidates)

    async def _try(self, job: Job, text: str, standard: Standard) -> Candidate:
        painted = await self._paint(job)
        seen = await asyncio.to_thread(look, painted.pixels)
        verdict, score = seen.fault, 0.0
        if not verdict and await self._critic.is_unsafe(painted.pixels):
            verdict = UNSAFE
        if not verdict:
            score = await self._score(painted, text, standard)
            verdict = BELOW if score < standard.min_score else ""
        return Candidate(painted, seen, Attempt(job.seed, score, verdict))

    async def _score(self, painted: Painted, text: str, standard: Standard) -> float:
        if standard == Standard():
            return 0.0
        return round(await self._critic.score(painted.pixels, text), DIGITS)


async def _compared(candidate: Candidate, repeats: Repeats, verdict: str) -> Candidate:
    """The candidate, as a duplicate if it is one; only one with that verdict is looked at."""
    if candidate.attempt.verdict != verdict or not await repeats(candidate.look.fingerprint):
        return candidate
    return dataclasses.replace(candidate, attempt=dataclasses.replace(candidate.attempt, verdict=DUPLICATE))


def _again(job: Job, number: int) -> Job:
    return dataclasses.replace(job, seed=derived_seed(job.seed, "attempt", number))


def _chosen(candidates: Sequence[Candidate]) -> Choice:
    kept = max(candidates, key=lambda candidate: candidate.rank)
    others = [candidate.attempt for candidate in candidates if candidate is not kept]
    pixels = kept.painted.pixels
    return Choice(
        pixels=pixels * 0 if kept.attempt.verdict == UNSAFE else pixels,
        fingerprint=bytes(GRID * GRID) if kept.attempt.verdict == UNSAFE else kept.look.fingerprint,
        attempts=(*others, kept.attempt),
        seconds=sum(candidate.painted.seconds for candidate in candidates),
        gpu_seconds=sum(candidate.painted.gpu_seconds for candidate in candidates),
    )


async def _all(tries: Sequence[Any]) -> list[Candidate]:
    """All results; when one fails, the others are dropped."""
    tasks = [asyncio.ensure_future(one) for one in tries]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()

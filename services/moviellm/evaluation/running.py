"""Judging many items at once: within a limit, patiently, and stopping where going on makes no sense."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from moviellm import errors
from moviellm.evaluation.journal import Journal
from moviellm.evaluation.pairing import Item
from moviellm.evaluation.scoring import comparison_of
from moviellm.evaluation.verdict import Comparison, Judge

INVALID_REPLY = "LLM_INVALID_REPLY"
ABOUT_THE_ITEM = ("LLM_REQUEST_REFUSED", "LLM_PROMPT_TOO_LONG")
"""Reasons of errors that say something of one item, not of the endpoint."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Patience:
    """How often an item is tried and how long is waited between, in seconds.

    `unusable_attempts` is for replies no verdict can be read from; each of them is several requests already.
    `hopeless` items given up in a row, before any verdict, end the run: then it is not the items.
    """

    attempts: int = 4
    unusable_attempts: int = 2
    first_wait: float = 1.0
    longest_wait: float = 60.0
    hopeless: int = 3

    def wait(self, attempt: int, rng: random.Random) -> float:
        """Seconds after failure number `attempt`, from 1: doubling, with a random half."""
        return min(self.longest_wait, self.first_wait * 2.0 ** (attempt - 1)) * (0.5 + rng.random() / 2)


@dataclass
class Progress:
    """How far a run is; `given_up` holds why, by item id."""

    total: int
    judged: int = 0
    already: int = 0
    given_up: dict[str, str] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be judged."""
        return self.judged + len(self.given_up) >= self.total


Asked = tuple[Item, Comparison, str]
"""An item, what is asked of it, and the digest its verdict is kept under."""


def unjudged(items: Iterable[Item], journal: Journal, judge: str) -> list[Asked]:
    """What is left to be asked of the judge of this name, each different comparison once."""
    return [asked for asked in _different(items, judge) if journal.get(asked[2]) is None]


def survey(items: Iterable[Item], journal: Journal, judge: str) -> Progress:
    """How far the journal is with the items."""
    digests = [digest for _, _, digest in _different(items, judge)]
    already = sum(journal.get(digest) is not None for digest in digests)
    return Progress(total=len(digests), judged=already, already=already)


def _different(items: Iterable[Item], judge: str) -> Iterable[Asked]:
    asked: dict[str, Asked] = {}
    for item in items:
        comparison, digest = comparison_of(item), item.digest(judge)
        if comparison is not None:
            asked.setdefault(digest, (item, comparison, digest))
    return asked.values()


class Run:
    """Judges items, each once; what is in the journal is not asked again.

    `stop` ends the run after what is under way. `heard` is called after each item, `waits` before a wait in seconds.
    """

    def __init__(
        self,
        judge: Judge,
        journal: Journal,
        *,
        concurrency: int = 8,
        patience: Patience | None = None,
        stop: asyncio.Event | None = None,
        heard: Callable[[Progress], None] = lambda progress: None,
        waits: Callable[[errors.Temporary, float], None] = lambda error, seconds: None,
        sleep: Sleep = asyncio.sleep,
        seed: int = 0,
    ) -> None:
        self._judge = judge
        self._journal = journal
        self._concurrency = concurrency
        self._patience = patience or Patience()
        self._stop = stop or asyncio.Event()
        self._heard = heard
        self._waits = waits
        self._sleep = sleep
        self._rng = random.Random(seed)
        self._error: errors.MovieLLMError | None = None
        self.progress = Progress(0)

    async def judge_all(self, items: Sequence[Item]) -> Progress:
        """Judge what is not judged yet; raises the error that ended the run, after what was under way is kept."""
        self.progress = survey(items, self._journal, self._judge.name)
        waiting = iter(unjudged(items, self._journal, self._judge.name))
        self._heard(self.progress)
        async with asyncio.TaskGroup() as group:
            for _ in range(self._concurrency):
                group.create_task(self._work(waiting))
        if self._error is not None:
            raise self._error
        return self.progress

    async def _work(self, waiting: Iterator[Asked]) -> None:
        for item, comparison, digest in waiting:
            if self._is_over:
                return
            try:
                await self._judge_one(item, comparison, digest)
            except errors.MovieLLMError as error:
                self._error = self._error or error
                return
            self._heard(self.progress)

    @property
    def _is_over(self) -> bool:
        return self._error is not None or self._stop.is_set()

    async def _judge_one(self, item: Item, comparison: Comparison, digest: str) -> None:
        attempt = unusable = 0
        while True:
            try:
                verdict = await self._judge.judge(comparison)
            except errors.MovieLLMError as error:
                attempt, unusable = attempt + 1, unusable + (error.reason == INVALID_REPLY)
                if error.reason in ABOUT_THE_ITEM or unusable >= self._patience.unusable_attempts:
                    return self._give_up(item, error)
                if not isinstance(error, errors.Temporary) or attempt >= self._patience.attempts:
                    raise
                if self._is_over:
                    return
                seconds = error.retry_after or self._patience.wait(attempt, self._rng)
                self._waits(error, seconds)
                await self._pause(seconds)
                if self._is_over:
                    return
            else:
                self._journal.add(digest, verdict)
                self.progress.judged += 1
                return

    def _give_up(self, item: Item, error: errors.MovieLLMError) -> None:
        """Leave the item out, unless that is what happens to all of them."""
        self.progress.given_up[item.id] = error.message
        new = self.progress.judged - self.progress.already
        if new == 0 and len(self.progress.given_up) >= self._patience.hopeless:
            raise error

    async def _pause(self, seconds: float) -> None:
        """Wait, or less where the run is told to stop."""
        waiting = [asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._stop.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

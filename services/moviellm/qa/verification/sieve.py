"""Throwing questions away, and counting why."""

from collections import Counter
from collections.abc import Callable, Iterable

from moviellm.movie import Dropped, Question

NOT_IN_EVIDENCE = "not in evidence"
BLIND = "answerable blind"
DUPLICATE = "near duplicate"
TELLS = "gives answer away"
MALFORMED = "malformed"
SEVERAL = "several answers"


class Sieve:
    """Counts what is dropped, by reason."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def drop(self, reason: str, count: int = 1) -> None:
        """Count what somebody else threw away."""
        if count:
            self._counts[reason] += count

    def keep(self, questions: Iterable[Question], reason_for: Callable[[Question], str]) -> list[Question]:
        """The questions for which there is no reason (an empty one) against them; the others are counted by theirs."""
        kept = []
        for question in questions:
            if reason := reason_for(question):
                self.drop(reason)
            else:
                kept.append(question)
        return kept

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """The counts by reason, in alphabetical order, so that equal work gives equal records."""
        return tuple(Dropped(reason, count) for reason, count in sorted(self._counts.items()))

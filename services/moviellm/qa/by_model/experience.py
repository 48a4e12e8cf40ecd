"""What finished parts have cost against what they were estimated at; the next estimate is corrected by it."""

from collections import Counter


class Experience:
    """Running ratios of actual to estimated tokens by level and kind, kept for this process."""

    def __init__(self) -> None:
        self._counted: Counter[tuple[str, str]] = Counter()
        self._estimated: Counter[tuple[str, str]] = Counter()

    def learn(self, level: str, kind: str, *, estimated: int, actual: int) -> None:
        """Take in one finished part; one that cost nothing, since its replies were kept, teaches nothing."""
        if estimated > 0 and actual > 0:
            self._counted[level, kind] += actual
            self._estimated[level, kind] += estimated

    def factor(self, level: str, kind: str) -> float:
        """What estimates of the level are multiplied with; 1 until something is known."""
        estimated = self._estimated[level, kind]
        return self._counted[level, kind] / estimated if estimated else 1.0

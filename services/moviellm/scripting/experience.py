"""What finished parts have cost against what they were estimated at, by level; the next estimate is corrected by it."""

from dataclasses import dataclass, field

_DOUBT = 1.0


@dataclass
class Experience:
    """Running ratios of actual to estimated tokens, of prompts and of completions, kept for this process."""

    _counted: dict[tuple[str, str], float] = field(default_factory=dict)
    _estimated: dict[tuple[str, str], float] = field(default_factory=dict)

    def learn(self, level: str, kind: str, *, estimated: int, actual: int) -> None:
        """Take in one finished part; a part that cost nothing (a cached one) teaches nothing."""
        if estimated > 0 and actual > 0:
            self._counted[level, kind] = self._counted.get((level, kind), 0.0) + actual
            self._estimated[level, kind] = self._estimated.get((level, kind), 0.0) + estimated

    def factor(self, level: str, kind: str) -> float:
        """What estimates of the level are multiplied with; 1 until something is known."""
        estimated = self._estimated.get((level, kind), 0.0)
        return self._counted[level, kind] / estimated if estimated else _DOUBT

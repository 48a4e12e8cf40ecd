"""One measured figure beside its baseline and its goal."""

import statistics
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """The median of several rounds; `at_least` tells whether larger is better, None that there is no goal."""

    what: str
    baseline: str
    rounds: tuple[float, ...]
    unit: str = ""
    bound: float | None = None
    at_least: bool = True
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds)

    @property
    def goal(self) -> str:
        """The goal in words."""
        return "" if self.bound is None else f"{'≥' if self.at_least else '≤'} {self.bound:g} {self.unit}".strip()

    @property
    def reached(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        if self.bound is None:
            return None
        return self.median >= self.bound if self.at_least else self.median <= self.bound

    def record(self) -> dict[str, Any]:
        """The figure as JSON."""
        return {
            "what": self.what,
            "baseline": self.baseline,
            "median": self.median,
            "rounds": list(self.rounds),
            "unit": self.unit,
            "goal": self.goal,
            "reached": self.reached,
            **self.details,
        }

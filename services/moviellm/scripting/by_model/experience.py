"""What finished parts of scripts have cost, by level; the next estimate is corrected by it."""

from dataclasses import dataclass, field

_DOUBT = 2
"""As many parts as the rehearsal counts for, so that one odd part does not decide."""


@dataclass(frozen=True)
class Cost:
    """Tokens of one part of a script, which has so many pieces (frames and lines, scenes, chapters)."""

    pieces: int
    prompt: float
    completion: float


@dataclass
class _Sum:
    parts: int = 0
    pieces: int = 0
    prompt: float = 0.0
    completion: float = 0.0


@dataclass
class Experience:
    """Running means of this process: prompts by part, because they hardly grow with it, replies by piece."""

    _sums: dict[str, _Sum] = field(default_factory=dict)

    def learn(self, level: str, cost: Cost) -> None:
        """Take in one finished part with all that was asked for it; one that cost nothing says nothing."""
        if cost.prompt <= 0 or cost.completion <= 0 or cost.pieces <= 0:
            return
        known = self._sums.setdefault(level, _Sum())
        known.parts += 1
        known.pieces += cost.pieces
        known.prompt += cost.prompt
        known.completion += cost.completion

    def corrected(self, level: str, rehearsed: Cost) -> Cost:
        """A rehearsed part's cost, weighed against what such parts have really cost."""
        known = self._sums.get(level)
        if known is None:
            return rehearsed
        share = known.parts / (known.parts + _DOUBT)
        by_piece = known.completion / known.pieces * rehearsed.pieces
        return Cost(
            rehearsed.pieces,
            prompt=share * known.prompt / known.parts + (1 - share) * rehearsed.prompt,
            completion=share * by_piece + (1 - share) * rehearsed.completion,
        )

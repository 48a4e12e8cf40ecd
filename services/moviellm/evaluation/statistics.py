"""Intervals for figures of few questions: Wilson's for shares, a bootstrap over movies for means."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

Z_95 = 1.959963984540054
"""The standard normal's 97.5 % quantile."""

RESAMPLES = 2000


@dataclass(frozen=True)
class Figure:
    """An estimate with its 95 % interval; without an interval where the data cannot give one."""

    value: float
    low: float | None = None
    high: float | None = None


def share(successes: float, total: int) -> Figure | None:
    """successes / total with Wilson's score interval; None for nothing.

    `successes` may count halves (a tie is half a win); the interval is then a little wider than it need be.
    """
    if total == 0:
        return None
    p, z2 = successes / total, Z_95**2
    centre = (p + z2 / (2 * total)) / (1 + z2 / total)
    reach = Z_95 * math.sqrt(p * (1 - p) / total + z2 / (4 * total**2)) / (1 + z2 / total)
    return Figure(p, max(0.0, centre - reach), min(1.0, centre + reach))


def mean_by_movie(
    values: Sequence[float], movies: Sequence[str], *, seed: int = 0, resamples: int = RESAMPLES
) -> Figure | None:
    """The mean of `values` with a percentile bootstrap over whole movies; None for nothing.

    Questions of one movie are no independent witnesses, so movies are drawn, each with all of its questions. With a
    single movie there is nothing to draw from and no interval.
    """
    if not values:
        return None
    sums: dict[str, float] = {}
    counts: dict[str, int] = {}
    for value, movie in zip(values, movies, strict=True):
        sums[movie] = sums.get(movie, 0.0) + value
        counts[movie] = counts.get(movie, 0) + 1
    mean = math.fsum(values) / len(values)
    if len(sums) == 1:
        return Figure(mean)
    rng, pairs = random.Random(seed), [(sums[movie], counts[movie]) for movie in sorted(sums)]
    means = sorted(_mean(rng.choices(pairs, k=len(pairs))) for _ in range(resamples))
    return Figure(mean, quantile(means, 0.025), quantile(means, 0.975))


def quantile(ordered: Sequence[float], q: float) -> float:
    """The q-quantile of ordered values, interpolated between neighbours."""
    position = q * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def _mean(drawn: Sequence[tuple[float, int]]) -> float:
    return sum(total for total, _ in drawn) / sum(count for _, count in drawn)

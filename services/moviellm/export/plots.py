"""figures/: the distributions of a dataset as pictures for its card."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from moviellm.export.darkroom import Bar, DrawPlot
from moviellm.export.distributions import MOST_PEOPLE, SCORE_BINS, Distributions
from moviellm.export.shelf import Shelf
from moviellm.export.summary import MovieFolder

FOLDER = "figures"
LISTED_PLACES = 12
_PEOPLE = ("nobody", "one person", "two people", "three or more")


@dataclass(frozen=True)
class Plot:
    """A plot to draw: its file's name without suffix, its title, its bars."""

    name: str
    title: str
    bars: tuple[Bar, ...]
    upright: bool = False

    @property
    def path(self) -> str:
        """Where it lies in the dataset's folder."""
        return f"{FOLDER}/{self.name}.png"


class Plots:
    """Draws what has been counted; `drawn` lists it once the dataset is finished."""

    def __init__(self, shelf: Shelf, counted: Distributions, *, draw: DrawPlot) -> None:
        self._shelf = shelf
        self._counted = counted
        self._draw = draw
        self.drawn: Sequence[Plot] = ()

    async def add(self, movie: MovieFolder) -> None:
        """Nothing: the counting is done elsewhere."""

    async def finish(self) -> None:
        """Draw and write the plots."""
        self.drawn = plots(self._counted)
        for plot in self.drawn:
            data = await asyncio.to_thread(partial(self._draw, plot.title, plot.bars, upright=plot.upright))
            await self._shelf.put(plot.path, data)


def plots(counted: Distributions) -> list[Plot]:
    """The plots that have something to show."""
    places = counted.locations
    people = {_PEOPLE[number]: counted.people[number] for number in range(MOST_PEOPLE + 1)}
    found = [
        Plot("question-kinds", "Questions by kind", _bars(counted.kinds)),
        Plot("question-difficulty", "Questions by difficulty", _bars(counted.difficulties, ("easy", "medium", "hard"))),
        Plot("locations", _places_title(places), _bars(Counter(dict(places.most_common(LISTED_PLACES))))),
        Plot("people", "Key frames by the people in them", _bars(people, _PEOPLE)),
    ]
    if counted.measured:
        found.append(Plot("scores", "Key frames by CLIP-Score against their text", _score_bars(counted.scores), True))
    return [plot for plot in found if any(bar.value for bar in plot.bars)]


def _places_title(places: Counter[str]) -> str:
    rest = len(places) - LISTED_PLACES
    return "Key frames by location" + (f", the first {LISTED_PLACES} of {len(places)}" if rest > 0 else "")


def _bars(counts: Mapping[str, int], order: Sequence[str] = ()) -> tuple[Bar, ...]:
    names = [*order, *sorted(set(counts) - set(order), key=lambda name: (-counts[name], name))]
    return tuple(Bar(name, counts[name]) for name in names if counts.get(name))


def _score_bars(scores: Sequence[int]) -> tuple[Bar, ...]:
    return tuple(
        Bar(f"{index / SCORE_BINS:.1f}" if index % 2 == 0 else "", count) for index, count in enumerate(scores)
    )

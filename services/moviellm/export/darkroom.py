"""What has to do with pixels, behind small functions, so that the rest of the export needs no picture library."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from moviellm.export.sheet import DrawSheet


@dataclass(frozen=True)
class Bar:
    """One bar of a plot."""

    label: str
    value: float


class DrawPlot(Protocol):
    """Draws a plot of bars; blocking."""

    def __call__(self, title: str, bars: Sequence[Bar], *, upright: bool) -> bytes:
        """The plot as a PNG, the bars standing beside each other or lying below each other."""


class Fingerprint(Protocol):
    """Makes out what a picture looks like; blocking."""

    def __call__(self, picture: bytes) -> int:
        """A number of few bits that differ between pictures which look alike; raises Broken for no picture."""


@dataclass(frozen=True)
class Darkroom:
    """The ways of working on pictures that a dataset's folder needs."""

    draw_sheet: DrawSheet
    draw_plot: DrawPlot
    fingerprint: Fingerprint

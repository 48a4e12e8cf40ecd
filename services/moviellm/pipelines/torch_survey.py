"""The figures of the paper's ablation for a sequence of pictures, gathered in the memory of a few.

CLIP-Score between pictures and texts, CLIP-Score and a perceptual distance between neighbours, and the distance to the
pictures of a style in colour and in texture. The perceptual distance stands where the paper has LPIPS and is read the
same way, smaller is more alike, but its numbers are of the scorer's features and not comparable with LPIPS's.
CLIP-Scores are plain cosines, cut at 0, as the paper's are; every CLIP has a scale of its own (the pocket one gives its
model's frames .6 to .85 with their texts, the published ones about .25 to .35), so that figures and thresholds can only
be compared under one scorer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from moviellm.dataset import PictureMeasures
from moviellm.pipelines.torch_measures import (
    ColorMoments,
    GramMoments,
    Pixels,
    clip_scores,
    neighbour_distances,
)

DIGITS = 6
"""Figures are rounded to as many digits after the point, so that equal pictures give equal records."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the vision tower made of N pictures.

    `embeddings` (N, width) lie in one space with texts; `layers` are patch features (N, patches, width) without the
    class token.
    """

    embeddings: Tensor
    layers: tuple[Tensor, ...]


class Eyes(Protocol):
    """A scorer, as far as a survey needs one."""

    name: str

    def see(self, pictures: Sequence[Pixels]) -> Seen:
        """What the vision tower makes of pictures."""

    def read(self, texts: Sequence[str]) -> Tensor:
        """Embeddings of texts (N, width)."""


class Survey:
    """Hears of pictures in the order of the movie, a few at a time, and of the style's pictures in any order."""

    def __init__(self, eyes: Eyes) -> None:
        self._eyes = eyes
        self._last: Seen | None = None
        self._scores: list[float] = []
        self._neighbour_scores: list[float] = []
        self._neighbour_distances: list[float] = []
        self._own, self._style = _Moments(), _Moments()

    def add(self, pictures: Sequence[Pixels], texts: Sequence[str]) -> None:
        """The next pictures, each uint8 (H, W, 3), and what they show."""
        seen = self._look(pictures, self._own)
        self._scores += clip_scores(seen.embeddings, self._eyes.read(texts)).tolist()
        row = seen if self._last is None else _joined(self._last, seen)
        if len(row.embeddings) > 1:
            self._neighbour_scores += clip_scores(row.embeddings[:-1], row.embeddings[1:]).tolist()
            self._neighbour_distances += neighbour_distances(row.layers).tolist()
        self._last = Seen(seen.embeddings[-1:].clone(), tuple(x[-1:].clone() for x in seen.layers))

    def add_references(self, pictures: Sequence[Pixels]) -> None:
        """Pictures of the style."""
        self._look(pictures, self._style)

    def measures(self) -> PictureMeasures:
        """The figures of everything that was heard of; 0 where there are no neighbours or no references."""
        styled = bool(self._scores) and self._style.color.pictures > 0
        return PictureMeasures(
            pictures=len(self._scores),
            text_score=_mean(self._scores),
            neighbour_score=_mean(self._neighbour_scores),
            neighbour_distance=_mean(self._neighbour_distances),
            style_color_distance=round(self._own.color.distance(self._style.color), DIGITS) if styled else 0.0,
            style_gram_distance=round(self._own.gram.distance(self._style.gram), DIGITS) if styled else 0.0,
            scores=tuple(round(score, DIGITS) for score in self._scores),
            scorer=self._eyes.name,
        )

    def _look(self, pictures: Sequence[Pixels], moments: "_Moments") -> Seen:
        seen = self._eyes.see(pictures)
        for pixels in pictures:
            moments.color.add(pixels)
        moments.gram.add(seen.layers)
        return seen


class _Moments:
    """Of one set of pictures."""

    def __init__(self) -> None:
        self.color = ColorMoments()
        self.gram = GramMoments()


def _joined(one: Seen, two: Seen) -> Seen:
    layers = (torch.cat(pair) for pair in zip(one.layers, two.layers, strict=True))
    return Seen(torch.cat([one.embeddings, two.embeddings]), tuple(layers))


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), DIGITS) if values else 0.0

"""Linear maps from latents to pictures, one doubling at a time: plain arithmetic, to be written into layers later.

Of what the four quarters of a patch can look like, only the leading directions are kept, so that slim layers suffice.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from moviellm.pocket.latents import CHANNELS, COMPONENTS, PATCH, Projection, around_each, patches

_BESIDE = 24
"""Numbers a patch that are told from its neighbours."""

_DOUBT = 0.1
"""Deviation of the error that latents are taken to have: sampled ones are never exact."""

Matrix = np.ndarray


@dataclass(frozen=True)
class Unfolding:
    """How one doubling goes: content of `width` numbers a pixel from that of the level above, (width, above) a copy.

    `copies` are the maps of the copies (0, 0), (0, 1), (1, 0) and (1, 1): row, column.
    """

    copies: tuple[Matrix, Matrix, Matrix, Matrix]

    @property
    def width(self) -> int:
        """Numbers a pixel."""
        return len(self.copies[0])

    @property
    def differences(self) -> tuple[Matrix, Matrix, Matrix]:
        """D₁ (column), D₂ (row) and D₃ (both)."""
        first, right, below, both = self.copies
        return right - first, below - first, both - right - below + first


def principal(samples: Matrix, width: int) -> Matrix:
    """The leading directions of samples (N, dim), about zero: (dim, width)."""
    _, vectors = np.linalg.eigh(samples.T @ samples / len(samples))
    return np.ascontiguousarray(vectors[:, ::-1][:, :width])


def _quarters(side: int) -> Iterator[Matrix]:
    """Which numbers of a patch (side, side, 3) its four quarters hold: row, column."""
    numbers = np.arange(side * side * 3).reshape(side, side, 3)
    half = side // 2
    for row in (0, half):
        for column in (0, half):
            yield numbers[row : row + half, column : column + half].reshape(-1)


@dataclass(frozen=True)
class Content:
    """What the decoder begins with: latents, more from 3×3 patches of them, and last a number that is always 1.

    Patterns are once more means of 3×3. `taps` (more, C, 3, 3) tell the rest, `shown` (768, C + more + 1) is what it
    all looks like without the `tone` (3,) of the mean patch, `samples` (N, C + more + 1) are some. The picture of the 1
    is what the mean patch is beside its tone: a pattern that would lie over everything if it were left out.
    """

    taps: Matrix
    shown: Matrix
    samples: Matrix
    tone: Matrix

    @property
    def width(self) -> int:
        """Numbers a patch."""
        return int(self.shown.shape[1])


def content_of(projection: Projection, pictures: np.ndarray) -> Content:
    """By least squares, from latents that are not quite right; of what can be told, the leading directions."""
    latents = projection.encode(pictures).transpose(0, 2, 3, 1)
    wide = np.pad(latents, ((0, 0), (1, 1), (1, 1), (0, 0)))
    high, broad = latents.shape[1:3]
    parts = [wide[:, i : i + high, j : j + broad] for i in range(3) for j in range(3)]
    around = np.stack(parts, axis=-1).reshape(-1, CHANNELS * 9).astype(np.float64)
    seen = np.concatenate([latents[..., :COMPONENTS], around_each(latents[..., COMPONENTS:])], axis=-1)
    own = seen.reshape(-1, CHANNELS).astype(np.float64)
    shown = (projection.basis / projection.gain).astype(np.float64)
    left = patches(pictures) - projection.mean - own @ shown.T
    moments = around.T @ around / len(around)
    told = np.linalg.solve(moments + np.eye(len(moments)) * _DOUBT**2, around.T @ left / len(around))
    directions = principal(around @ told, _BESIDE)
    taps = (told @ directions).T.reshape(_BESIDE, CHANNELS, 3, 3)
    samples = np.concatenate([own, around @ told @ directions, np.ones((len(own), 1))], axis=1)
    tone = projection.mean.reshape(-1, 3).mean(axis=0)
    pattern = projection.mean - np.tile(tone, PATCH * PATCH)
    return Content(taps, np.concatenate([shown, directions, pattern[:, None]], axis=1), samples, tone)


def unfoldings(start: Content, widths: tuple[int, ...]) -> list[Unfolding]:
    """Maps from patches to halves of patches, to quarters, and so on down to pixels."""
    content, shown, found, side = start.samples[:20_000], start.shown, [], PATCH
    for width in widths:
        parts = [shown[quarter] for quarter in _quarters(side)]
        directions = principal(np.concatenate([content @ part.T for part in parts]), width)
        scale = np.concatenate([content @ part.T @ directions for part in parts]).std(axis=0)
        copies = [(directions / scale).T @ part for part in parts]
        found.append(Unfolding((copies[0], copies[1], copies[2], copies[3])))
        content = np.concatenate([content @ copy.T for copy in copies])[:: 3 if len(content) > 20_000 else 1]
        shown, side = directions * scale, side // 2
    first = found[-1].copies
    found[-1] = Unfolding((shown @ first[0], shown @ first[1], shown @ first[2], shown @ first[3]))
    return found

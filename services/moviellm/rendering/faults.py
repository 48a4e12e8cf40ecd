"""What can be seen to be wrong with a picture without knowing what it should show, and how to tell two apart."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

BLACK = 0.03
"""Pictures of a lower mean luma, of 1, are black."""

FLAT = 0.015
"""Pictures whose colours deviate less from their mean, of 1, are flat."""

GRID = 16
"""A fingerprint has a bit for each of GRID × GRID fields."""

NEAR = 8
"""Pictures whose fingerprints differ in no more bits, of 256, are the same to the eye."""

Plane = npt.NDArray[np.floating[Any]]
"""One number for each pixel (H, W)."""

_SIDE = 256
_LUMA = np.asarray([0.299, 0.587, 0.114], np.float32) / 255


@dataclass(frozen=True)
class Look:
    """What is seen at once: `fault` is "black", "flat" or empty; the fingerprint is a number of 256 bits."""

    fault: str
    fingerprint: int


def look(pixels: npt.NDArray[np.uint8]) -> Look:
    """A look at a picture, uint8 (H, W, 3); of large ones every few rows and columns."""
    rows, columns = (max(1, side // _SIDE) for side in pixels.shape[:2])
    seen = pixels[::rows, ::columns]
    luma = seen @ _LUMA
    return Look(_fault(seen, luma), fingerprint(luma))


def _fault(pixels: npt.NDArray[np.uint8], luma: Plane) -> str:
    if luma.mean() < BLACK:
        return "black"
    return "flat" if pixels.std(axis=(0, 1)).max() < FLAT * 255 else ""


def fingerprint(luma: Plane) -> int:
    """A difference hash: whether each field of a grid is brighter than the one to its left.

    It stays the same, but for a few bits, when a picture is resized, compressed or made brighter.
    """
    fields = _fields(_fields(luma, GRID, axis=0), GRID + 1, axis=1)
    bits = fields[:, 1:] > fields[:, :-1]
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def alike(one: int, two: int) -> bool:
    """Whether two fingerprints are those of the same picture."""
    return (one ^ two).bit_count() <= NEAR


def _fields(values: Plane, count: int, axis: int) -> Plane:
    """Means of `count` stretches of about equal length; short axes are stretched first."""
    length = values.shape[axis]
    if length < count:
        values = np.repeat(values, -(-count // length), axis=axis)
        length = values.shape[axis]
    edges = np.linspace(0, length, count + 1).astype(int)
    sums = np.add.reduceat(values, edges[:-1], axis=axis)
    widths = np.diff(edges).reshape([-1 if place == axis else 1 for place in range(values.ndim)])
    means: Plane = sums / widths
    return means

"""What can be seen to be wrong with a picture without knowing what it should show, and how to tell two apart."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

BLACK = 0.03
"""Pictures of a lower mean luma, of 1, are black."""

FLAT = 0.015
"""Pictures whose colours deviate less from their mean, of 1, are flat."""

GRID = 8
"""A fingerprint is a picture of GRID × GRID fields."""

NEAR = 2.0
"""Pictures whose fields differ by less, on average and of 255, are the same to the eye."""

Plane = npt.NDArray[np.floating[Any]]
"""One number for each pixel (H, W)."""

_SIDE = 256
_LUMA = np.asarray([0.299, 0.587, 0.114], np.float32) / 255


@dataclass(frozen=True)
class Look:
    """What is seen at once: `fault` is "black", "flat" or empty; `fingerprint` has a byte for each field."""

    fault: str
    fingerprint: bytes


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


def fingerprint(luma: Plane) -> bytes:
    """The mean luma of each field of a grid, 0 to 255: about the same after the picture has been compressed."""
    fields = _fields(_fields(luma, axis=0), axis=1)
    return np.rint(fields * 255).astype(np.uint8).tobytes()


def alike(one: bytes, two: bytes) -> bool:
    """Whether two fingerprints are those of the same picture."""
    return sum(abs(a - b) for a, b in zip(one, two, strict=True)) < NEAR * GRID * GRID


def _fields(values: Plane, axis: int) -> Plane:
    """Means of stretches of about equal length."""
    edges = np.linspace(0, values.shape[axis], GRID + 1).astype(int)
    sums = np.add.reduceat(values, edges[:-1], axis=axis)
    widths = np.diff(edges).reshape([-1 if place == axis else 1 for place in range(values.ndim)])
    means: Plane = sums / widths
    return means

"""How alike pictures are, in colour and in the features of a vision tower: numbers and arrays in, floats out.

Nothing here has weights of its own. Features come from a CLIP-family vision tower as a sequence of layers, each a
tensor (N, patches, width) of N pictures. The running sums take any number of pictures in the memory of one.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Pixels = npt.NDArray[np.uint8]
Layers = Sequence[Tensor]

SIDE = 128
"""Of larger pictures, about that many rows and columns of pixels are looked at for colour."""

_LINEAR = np.where(
    np.arange(256) <= 0.04045 * 255, np.arange(256) / 255 / 12.92, ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4
).astype(np.float32)
_TO_CONES = np.asarray(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_OKLAB = np.asarray(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)


def oklab(pixels: Pixels) -> npt.NDArray[np.float32]:
    """sRGB bytes (…, 3) in Oklab (Ottosson 2020), where equal distances look equally large; L is 0 to 1."""
    cones = _LINEAR[pixels] @ _TO_CONES.T
    lab: npt.NDArray[np.float32] = np.cbrt(cones) @ _TO_OKLAB.T
    return lab


class ColorMoments:
    """Mean μ (3,) and covariance C (3, 3) of all pixels seen, in Oklab; every picture weighs the same."""

    def __init__(self) -> None:
        self.pictures = 0
        self._first = np.zeros(3)
        self._second = np.zeros((3, 3))

    def add(self, pixels: Pixels) -> None:
        """One picture, uint8 (H, W, 3)."""
        rows, columns = (max(1, side // SIDE) for side in pixels.shape[:2])
        lab = oklab(pixels[::rows, ::columns].reshape(-1, 3)).astype(np.float64)
        self.pictures += 1
        self._first += lab.mean(axis=0)
        self._second += lab.T @ lab / len(lab)

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """μ."""
        return self._first / self.pictures

    @property
    def covariance(self) -> npt.NDArray[np.float64]:
        """C."""
        return self._second / self.pictures - np.outer(self.mean, self.mean)

    def distance(self, other: "ColorMoments") -> float:
        """The 2-Wasserstein distance of the two Gaussians, in Oklab's units; about 0.02 is just noticeable.

        W² = |μ₁ − μ₂|² + tr(C₁ + C₂ − 2 (C₁^½ C₂ C₁^½)^½).
        """
        root = _root(self.covariance)
        between = np.trace(self.covariance + other.covariance - 2 * _root(root @ other.covariance @ root))
        return float(np.sqrt(max(0.0, np.sum((self.mean - other.mean) ** 2) + between)))


class GramMoments:
    """Gram matrices of patch features, a layer each: the texture of all pictures seen, wherever it stands in them.

    G = mean over pictures and patches of x xᵀ, with patch features x of unit length.
    """

    def __init__(self) -> None:
        self.pictures = 0
        self._sums: list[Tensor] = []

    def add(self, layers: Layers) -> None:
        """The layers' features (N, patches, width) of N pictures."""
        grams = [(x.mT @ x / x.shape[1]).sum(dim=0).double().cpu() for x in map(unit, layers)]
        self._sums = [old + new for old, new in zip(self._sums, grams, strict=True)] if self._sums else grams
        self.pictures += len(layers[0])

    @property
    def matrices(self) -> list[Tensor]:
        """G of every layer, (width, width)."""
        return [total / self.pictures for total in self._sums]

    def distance(self, other: "GramMoments") -> float:
        """Mean over layers of ‖G₁ − G₂‖ / ½(‖G₁‖ + ‖G₂‖), Frobenius norms; 0 to 2."""
        ratios = [
            2 * torch.linalg.norm(one - two) / (torch.linalg.norm(one) + torch.linalg.norm(two))
            for one, two in zip(self.matrices, other.matrices, strict=True)
        ]
        return float(torch.stack(ratios).mean())


def color_distance(a: Iterable[Pixels], b: Iterable[Pixels]) -> float:
    """Distance in colour of two sets of pictures, each uint8 (H, W, 3); see `ColorMoments.distance`."""
    one, two = ColorMoments(), ColorMoments()
    for moments, pictures in ((one, a), (two, b)):
        for pixels in pictures:
            moments.add(pixels)
    return one.distance(two)


def gram_distance(a: Layers, b: Layers) -> float:
    """Distance in texture of two sets of pictures by their layers' features; see `GramMoments.distance`."""
    one, two = GramMoments(), GramMoments()
    one.add(a)
    two.add(b)
    return one.distance(two)


def pair_distances(a: Layers, b: Layers) -> Tensor:
    """Perceptual distances (N,) of N pairs of pictures, as LPIPS (Zhang et al. 2018) without its learnt weights.

    d(x, y) = mean over layers and patches p of |x̂ₚ − ŷₚ|², with features of unit length; 0 to 4.
    """
    layers = [(unit(x) - unit(y)).square().sum(dim=-1).mean(dim=-1) for x, y in zip(a, b, strict=True)]
    return torch.stack(layers).mean(dim=0)


def neighbour_distances(layers: Layers) -> Tensor:
    """Perceptual distances (N − 1,) of each picture to the next."""
    return pair_distances([x[:-1] for x in layers], [x[1:] for x in layers])


def neighbour_distance(layers: Layers) -> float:
    """Mean perceptual distance of each picture to the next; 0 for fewer than two pictures."""
    return float(neighbour_distances(layers).mean()) if len(layers[0]) > 1 else 0.0


def clip_scores(a: Tensor, b: Tensor) -> Tensor:
    """CLIP-Scores (N,) of N pairs of embeddings (N, width): their cosine, cut at 0 (Hessel et al. 2021, without w)."""
    return (unit(a) * unit(b)).sum(dim=-1).clamp(0, 1)


def unit(x: Tensor) -> Tensor:
    """The same in float32 with vectors of unit length along the last dimension."""
    return torch.nn.functional.normalize(x.float(), dim=-1)


def _root(matrix: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The symmetric square root of a symmetric positive semi-definite matrix."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    root: npt.NDArray[np.float64] = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    return root

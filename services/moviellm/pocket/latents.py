"""The latent space, made without learning: principal components of 16×16 patches, and the patterns of looks.

An autoencoder this small, trained jointly from scratch, stalls. So the latents are fixed beforehand: the 768 numbers of
a patch are projected on the leading components, and the decoder is the way back. Patterns differ so little from
pixel to pixel that variance alone would drop the finest; each has a channel of its own, which tells how strong it is
around a patch, for outlines within one patch look like patterns too. Each component is scaled so that its deviation
is the square root of what it was: full whitening would spend the model on noise. Patterns are scaled to be loud, as
they belong to a look and not to what is drawn: they are then decided early, and noise in them is not to be seen.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moviellm.pocket import SIZE
from moviellm.pocket.looks import PATTERNS

PATCH = 16
SIDE = SIZE // PATCH
LOUD = 1.6
"""Deviation of a pattern's channel."""

COMPONENTS = 32
CHANNELS = COMPONENTS + len(PATTERNS)


@dataclass(frozen=True)
class Projection:
    """`mean` (768,), `basis` (768, C) with orthonormal columns, `gain` (C,): latent = (patch − mean) · basis · gain.

    Of patterns, patch · basis · gain is the mean of 3×3 patches, with nothing around the picture.
    """

    mean: np.ndarray
    basis: np.ndarray
    gain: np.ndarray

    def encode(self, pictures: np.ndarray) -> np.ndarray:
        """Pictures uint8 (N, 128, 128, 3) to latents float32 (N, C, 8, 8), components together of unit variance.

        Other sizes work too, if they are multiples of 16.
        """
        scaled = self.basis * self.gain
        high, wide = pictures.shape[1] // PATCH, pictures.shape[2] // PATCH
        found = (patches(pictures) @ scaled).reshape(len(pictures), high, wide, -1)
        found[..., COMPONENTS:] = around_each(found[..., COMPONENTS:])
        return np.ascontiguousarray((found - self.mean @ scaled).transpose(0, 3, 1, 2))

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Latents (N, C, 8, 8) to rough pictures, float32 (N, 128, 128, 3), 0 to 1."""
        flat = latents.transpose(0, 2, 3, 1).reshape(-1, latents.shape[1])
        shown = flat @ (self.basis / self.gain).T + self.mean
        square = shown.reshape(len(latents), SIDE, SIDE, PATCH, PATCH, 3).transpose(0, 1, 3, 2, 4, 5)
        return np.asarray(np.clip(square.reshape(len(latents), SIZE, SIZE, 3) / 2 + 0.5, 0, 1))

    def save(self, path: Path) -> None:
        """Keep it in one file."""
        np.savez(path, mean=self.mean, basis=self.basis, gain=self.gain)

    @staticmethod
    def load(path: Path) -> "Projection":
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return Projection(arrays["mean"], arrays["basis"], arrays["gain"])


def around_each(values: np.ndarray) -> np.ndarray:
    """Means of 3×3, zeros around: (N, H, W, C)."""
    wide = np.pad(values, ((0, 0), (1, 1), (1, 1), (0, 0)))
    high, broad = values.shape[1:3]
    return np.asarray(sum(wide[:, i : i + high, j : j + broad] for i in range(3) for j in range(3)) / 9)


def patches(pictures: np.ndarray) -> np.ndarray:
    """The patches of pictures: uint8 (N, 128, 128, 3) to float32 (N·64, 768), −1 to 1."""
    high, wide = pictures.shape[1] // PATCH, pictures.shape[2] // PATCH
    square = pictures.reshape(len(pictures), high, PATCH, wide, PATCH, 3).transpose(0, 1, 3, 2, 4, 5)
    return square.reshape(-1, PATCH * PATCH * 3).astype(np.float32) / 127.5 - 1


def fit(pictures: np.ndarray) -> Projection:
    """The projection that keeps most of these pictures, and what of each pattern it would lose."""
    found = patches(pictures)
    mean = found.mean(axis=0)
    centred = found - mean
    _, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    basis = vectors[:, ::-1][:, :COMPONENTS]
    for pattern in PATTERNS:
        grey = np.repeat(pattern.reshape(-1, 1) - pattern.mean(), 3, axis=1).reshape(-1)
        rest = grey - basis @ (basis.T @ grey)
        basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
    plain = Projection(mean, basis.astype(np.float32), np.ones(CHANNELS, dtype=np.float32))
    deviation = plain.encode(pictures).std(axis=(0, 2, 3))
    gain = 1 / np.sqrt(deviation)
    gain /= np.sqrt(np.mean((deviation * gain)[:COMPONENTS] ** 2))
    gain[COMPONENTS:] = LOUD / deviation[COMPONENTS:]
    return Projection(plain.mean, plain.basis, gain.astype(np.float32))

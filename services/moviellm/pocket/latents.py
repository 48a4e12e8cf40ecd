"""A first latent space without learning: principal components of 16×16 patches.

An autoencoder this small, trained jointly from scratch, stalls. So the latents are fixed beforehand: the 768 numbers of
a patch are projected on the leading components, and the decoder, then the encoder, learn to meet them. Each channel is
scaled so that its deviation is the square root of what it was: full whitening would spend the model on noise.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moviellm.pocket import SIZE

PATCH = 16
CHANNELS = 32
SIDE = SIZE // PATCH


@dataclass(frozen=True)
class Projection:
    """`mean` (768,), `basis` (768, C) with orthonormal columns, `gain` (C,): latent = (patch − mean) · basis · gain."""

    mean: np.ndarray
    basis: np.ndarray
    gain: np.ndarray

    def encode(self, pictures: np.ndarray) -> np.ndarray:
        """Pictures uint8 (N, 128, 128, 3) to latents float32 (N, C, 8, 8), of unit variance over all.

        Other sizes work too, if they are multiples of 16.
        """
        flat = (_patches(pictures) - self.mean) @ (self.basis * self.gain)
        high, wide = pictures.shape[1] // PATCH, pictures.shape[2] // PATCH
        return np.ascontiguousarray(flat.reshape(len(pictures), high, wide, -1).transpose(0, 3, 1, 2))

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Latents (N, C, 8, 8) to rough pictures, float32 (N, 128, 128, 3), 0 to 1."""
        flat = latents.transpose(0, 2, 3, 1).reshape(-1, latents.shape[1])
        patches = flat @ (self.basis / self.gain).T + self.mean
        square = patches.reshape(len(latents), SIDE, SIDE, PATCH, PATCH, 3).transpose(0, 1, 3, 2, 4, 5)
        return np.asarray(np.clip(square.reshape(len(latents), SIZE, SIZE, 3) / 2 + 0.5, 0, 1))

    def save(self, path: Path) -> None:
        """Keep it in one file."""
        np.savez(path, mean=self.mean, basis=self.basis, gain=self.gain)

    @staticmethod
    def load(path: Path) -> "Projection":
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return Projection(arrays["mean"], arrays["basis"], arrays["gain"])


def _patches(pictures: np.ndarray) -> np.ndarray:
    """uint8 (N, 128, 128, 3) to float32 (N·64, 768), −1 to 1."""
    high, wide = pictures.shape[1] // PATCH, pictures.shape[2] // PATCH
    square = pictures.reshape(len(pictures), high, PATCH, wide, PATCH, 3).transpose(0, 1, 3, 2, 4, 5)
    return square.reshape(-1, PATCH * PATCH * 3).astype(np.float32) / 127.5 - 1


def fit(pictures: np.ndarray, channels: int = CHANNELS) -> Projection:
    """The projection that keeps most of these pictures."""
    patches = _patches(pictures)
    mean = patches.mean(axis=0)
    centred = patches - mean
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    deviation = np.sqrt(values[::-1][:channels])
    gain = 1 / np.sqrt(deviation)
    gain = gain / np.sqrt(np.mean((deviation * gain) ** 2))
    return Projection(mean, vectors[:, ::-1][:, :channels].astype(np.float32), gain.astype(np.float32))

"""Feature files: what a frozen vision encoder sees in the key frames, for trainers that do not run it themselves."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from moviellm.errors import Unsatisfied
from moviellm.export.record import FrameRecord
from moviellm.export.shelf import Shelf
from moviellm.export.summary import MovieFolder
from moviellm.export.turns import to_its_end

BATCH = 16

Features = NDArray[np.float16]


class FeatureEncoder(Protocol):
    """A frozen vision transformer; blocking."""

    @property
    def name(self) -> str:
        """The model, for messages."""

    @property
    def shape(self) -> tuple[int, int]:
        """Tokens of one picture, the class token first, and numbers of one token."""

    def encode(self, pictures: Sequence[bytes], layer: int) -> Features:
        """Float16 (pictures, tokens, numbers) after a layer: -1 is the last one, before any closing norm."""


class Packer(Protocol):
    """Packs the features of one movie as a trainer wants them, batch by batch."""

    def take(self, features: Features) -> bytes:
        """Take in float16 (frames, tokens, numbers) of the next frames; what can be written of the file now."""

    def close(self) -> bytes:
        """The rest of the file."""


def require_shape(encoder: FeatureEncoder, tokens: int, numbers: int | None, reader: str) -> None:
    """Raise Unsatisfied for an encoder that the reader cannot use."""
    found = encoder.shape
    if found[0] != tokens or (numbers is not None and found[1] != numbers):
        wanted = f"({tokens}, {numbers if numbers is not None else 'any'})"
        raise Unsatisfied(
            f"{reader} reads features of {wanted} a picture, the feature encoder {encoder.name} gives {found}",
            reason="WRONG_ENCODER",
        )


async def encoded(
    shelf: Shelf, movie: MovieFolder, frames: Sequence[FrameRecord], encoder: FeatureEncoder, layer: int
) -> AsyncIterator[Features]:
    """Float16 (frames, tokens, numbers) of key frames, a few at a time."""
    for start in range(0, len(frames), BATCH):
        pictures = await movie.pictures(shelf, frames[start : start + BATCH])
        yield await to_its_end(partial(encoder.encode, pictures, layer))

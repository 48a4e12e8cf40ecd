"""Feature files: what a frozen vision encoder sees in the key frames, for trainers that do not run it themselves."""

import asyncio
import pickle
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol

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


class _PlainArrays(pickle.Pickler):
    """Pickles arrays as a call of numpy.ndarray: any NumPy reads it, and the numbers are not copied on the way."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return np.ndarray, (value.shape, value.dtype.str, pickle.PickleBuffer(value.data))
        return NotImplemented


def write_pickle(file: BinaryIO, value: object) -> None:
    """Pickle a value for readers with another NumPy than ours."""
    _PlainArrays(file, protocol=5).dump(value)


def require_shape(encoder: FeatureEncoder, tokens: int, numbers: int | None, reader: str) -> None:
    """Raise Unsatisfied for an encoder that the reader cannot use."""
    found = encoder.shape
    if found[0] != tokens or (numbers is not None and found[1] != numbers):
        wanted = f"({tokens}, {numbers if numbers is not None else 'any'})"
        raise Unsatisfied(
            f"{reader} reads features of {wanted} a picture, the feature encoder {encoder.name} gives {found}",
            reason="WRONG_ENCODER",
        )


async def encode_frames(
    shelf: Shelf, movie: MovieFolder, frames: Sequence[FrameRecord], encoder: FeatureEncoder, *, layer: int, path: Path
) -> Features:
    """Float16 (frames, tokens, numbers) of key frames, in a memory-mapped file at `path`."""
    shape = (len(frames), *encoder.shape)
    features = await asyncio.to_thread(lambda: np.memmap(path, np.dtype(np.float16), "w+", shape=shape))
    for start in range(0, len(frames), BATCH):
        pictures = await movie.pictures(shelf, frames[start : start + BATCH])
        features[start : start + len(pictures)] = await to_its_end(partial(encoder.encode, pictures, layer))
    return np.asarray(features)

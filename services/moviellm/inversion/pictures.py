"""Reference pictures: from bytes that anyone may have sent to squares of the model's size."""

import io
import struct
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from moviellm.errors import InvalidInput

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_BYTES = 20 * 1000 * 1000
MAX_PIXELS = 40 * 1000 * 1000
MIN_SIDE = 32
ALLOWED = "must be a JPEG, PNG or WebP picture of at most 20 MB and 40 megapixels, at least 32 pixels on each side"

_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError, MemoryError)

Square = NDArray[np.uint8]
"""A picture as uint8 (side, side, 3), RGB."""


def square_picture(data: bytes, side: int, field: str) -> Square:
    """The picture's centre, `side` × `side` pixels; transparent parts become white, EXIF rotation is applied.

    Its size is looked at before it is decoded. Raises InvalidInput, naming `field`, for anything that is not a
    picture of an allowed format and size.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInput(field, f"{ALLOWED}; it has {len(data) / 1e6:.0f} MB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except _UNREADABLE as error:
        raise InvalidInput(field, f"{ALLOWED}; it is none that can be read") from error
    width, height = picture.size
    if width * height > MAX_PIXELS or min(width, height) < MIN_SIDE:
        raise InvalidInput(field, f"{ALLOWED}; it is {width} × {height}")
    try:
        whole = _opaque(ImageOps.exif_transpose(picture))
        fitted = ImageOps.fit(whole, (side, side), Image.Resampling.LANCZOS)
    except _UNREADABLE as error:
        raise InvalidInput(field, f"{ALLOWED}; it is damaged") from error
    return np.asarray(fitted, dtype=np.uint8)


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return picture.convert("RGB")


def mirrored(square: Square) -> Square:
    """Left and right exchanged."""
    flipped: Any = square[:, ::-1]
    return np.ascontiguousarray(flipped)

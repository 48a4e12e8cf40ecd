"""Reference pictures: from bytes that anyone may have sent to squares of the model's size."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from moviellm.pillow_pictures import open_picture

Square = NDArray[np.uint8]
"""A picture as uint8 (side, side, 3), RGB."""


def square_picture(data: bytes, side: int, field: str) -> Square:
    """The picture's centre, `side` × `side` pixels; transparent parts become white, EXIF rotation is applied.

    Raises InvalidInput, naming `field`, for anything that is not a picture of an allowed format and size.
    """
    picture = open_picture(data, field)
    whole = _opaque(ImageOps.exif_transpose(picture))
    fitted = ImageOps.fit(whole, (side, side), Image.Resampling.LANCZOS)
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

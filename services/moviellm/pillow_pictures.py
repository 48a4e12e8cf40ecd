"""Pictures from anybody: looked at before they are decoded, and refused before they cost anything."""

import io
import struct
import warnings

from PIL import Image

from moviellm.errors import InvalidInput

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_BYTES = 20 * 1000 * 1000
MAX_PIXELS = 40 * 1000 * 1000
MIN_SIDE = 32
ALLOWED = "must be a whole JPEG, PNG or WebP picture of at most 20 MB and 40 megapixels, at least 32 pixels a side"

_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError, MemoryError)


def open_picture(data: bytes, field: str) -> Image.Image:
    """The picture, whole and decoded.

    Its size is read from the header first, so that a decompression bomb stays packed. Raises InvalidInput, naming
    `field`, for anything that is not a picture of an allowed format and size.
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
        picture.load()
    except _UNREADABLE as error:
        raise InvalidInput(field, f"{ALLOWED}; it is damaged") from error
    return picture

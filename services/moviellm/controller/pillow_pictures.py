"""Pictures from requesters: refused before they cost anything."""

import io

from PIL import Image, UnidentifiedImageError

from moviellm.errors import InvalidInput

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
MIN_SIDE = 32


def check_picture(data: bytes, field: str) -> None:
    """Raises InvalidInput naming `field` unless the bytes are a whole JPEG, PNG or WebP picture of sane size.

    Size in pixels is read from the header before anything is decoded, so that a decompression bomb stays packed.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInput(field, f"must be at most {MAX_BYTES // 2**20} MiB, got {len(data) / 2**20:.1f} MiB")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS or min(width, height) < MIN_SIDE:
                raise InvalidInput(
                    field,
                    f"must be at least {MIN_SIDE} pixels a side and at most {MAX_PIXELS // 10**6} megapixels, "
                    f"got {width}×{height}",
                )
            picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidInput(field, "must be a whole JPEG, PNG or WebP picture") from error

"""Pictures as JPEG files."""

import io
from typing import Any

from PIL import Image

QUALITY = 95


def jpeg(pixels: Any) -> bytes:
    """The file of an array (height, width, 3) of uint8; full colour resolution, so that thin coloured lines stay."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=QUALITY, subsampling="4:4:4")
    return buffer.getvalue()

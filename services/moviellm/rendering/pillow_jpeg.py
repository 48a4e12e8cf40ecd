"""Pictures as JPEG files, which carry a comment of how they came about; and any picture file as pixels."""

import io
import warnings
from typing import Any

import numpy as np
from PIL import Image

from moviellm.errors import Broken

QUALITY = 95

LARGEST = 1024
"""Pictures that are only looked at are made smaller while they are read, to this longer side."""


def jpeg(pixels: Any, comment: bytes = b"") -> bytes:
    """The file of an array (height, width, 3) of uint8; full colour resolution, so that thin coloured lines stay."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=QUALITY, subsampling="4:4:4", comment=comment)
    return buffer.getvalue()


def comment_of(data: bytes) -> bytes:
    """The comment in a picture file; empty where there is none, or where it is no picture."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            found = image.info.get("comment", b"")
    except (OSError, ValueError):
        return b""
    return found if isinstance(found, bytes) else str(found).encode()


def pixels_of(data: bytes, name: str) -> Any:
    """The pixels of a picture file, uint8 (height, width, 3), at most `LARGEST` pixels a side.

    Raises Broken, naming the picture, for anything else.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as image:
                image.draft("RGB", (LARGEST, LARGEST))
                shown = image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Broken(f"the picture {name} cannot be read: {error}") from error
    shown.thumbnail((LARGEST, LARGEST))
    return np.asarray(shown)

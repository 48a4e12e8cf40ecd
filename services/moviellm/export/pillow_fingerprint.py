"""Perceptual fingerprints with Pillow."""

import io

from PIL import Image

from moviellm.errors import Broken

SIDE = 16
BITS = SIDE * SIDE
STEP = 3


def fingerprint(picture: bytes) -> int:
    """The picture's difference hash, `BITS` bits: whether each cell of a 16 × 16 grid is brighter than its left one.

    Differences of less than `STEP` do not count, as even surfaces have them by chance.
    Brightness, size and compression hardly change it; a picture without any structure gives 0.
    """
    try:
        with Image.open(io.BytesIO(picture)) as image:
            image.draft("L", (4 * SIDE, 4 * SIDE))
            cells = image.convert("L").resize((SIDE + 1, SIDE), Image.Resampling.BOX).tobytes()
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise Broken(f"not a picture: {error}") from error
    bits = 0
    for row in range(SIDE):
        for column in range(SIDE):
            left, right = cells[row * (SIDE + 1) + column], cells[row * (SIDE + 1) + column + 1]
            bits = bits << 1 | (right - left >= STEP)
    return bits

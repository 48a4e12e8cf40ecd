"""Reference pictures: what is taken, how it is cropped, and what is refused by name."""

import io

import numpy as np
import pytest
from PIL import Image

from moviellm import errors
from moviellm.inversion.pictures import mirrored, square_picture


def encoded(picture, kind="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def two_halves(width, height):
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width, height), "red")
    picture.paste("blue", (width // 2, 0, width, height))
    return picture


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(32, 32), (300, 100), (100, 300)])
def test_the_centre_is_cropped_to_a_square(kind, size):
    square = square_picture(encoded(two_halves(*size), kind), 64, "x")
    assert square.shape == (64, 64, 3)
    assert square.dtype == np.uint8
    assert square[32, 5, 0] > 200
    assert square[32, 58, 2] > 200
    assert mirrored(square)[32, 5, 2] > 200


def test_transparency_becomes_white():
    data = encoded(Image.new("RGBA", (64, 64), (0, 0, 0, 0)))
    assert (square_picture(data, 32, "x") == 255).all()


def test_the_camera_rotation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    square = square_picture(encoded(two_halves(64, 64), "JPEG", exif=exif.tobytes()), 64, "x")
    assert square[5, 32, 0] > 200
    assert square[58, 32, 2] > 200


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1", "I;16", "LA"])
def test_any_colour_mode_is_read(mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert square_picture(encoded(Image.new(mode, (40, 40)), kind), 32, "x").shape == (32, 32, 3)


BAD = {
    "empty": b"",
    "text": b"this is no picture",
    "a program": b"\x7fELF" + bytes(1000),
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "gif": encoded(Image.new("RGB", (64, 64)), "GIF"),
    "cut png": encoded(Image.effect_noise((200, 200), 50))[:-5000],
    "cut jpeg": encoded(Image.effect_noise((200, 200), 50), "JPEG")[:3000],
    "cut webp": encoded(Image.effect_noise((200, 200), 50).convert("RGB"), "WEBP")[:2000],
    "tiny": encoded(Image.new("RGB", (31, 200))),
    "41 megapixels": encoded(Image.new("1", (41_000, 1000))),
    "a decompression bomb": encoded(Image.new("1", (20_000, 20_000))),
    "20 MB": b"\x89PNG" + bytes(20_000_001),
}


@pytest.mark.parametrize("what", BAD)
def test_anything_else_is_refused_by_name(what):
    with pytest.raises(errors.InvalidInput) as caught:
        square_picture(BAD[what], 64, "references[2]")
    assert caught.value.field == "references[2]"
    assert "JPEG, PNG or WebP" in caught.value.allowed

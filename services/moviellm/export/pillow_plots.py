"""Plots drawn with Pillow: a few bars, as pictures for the dataset card."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from moviellm.export.darkroom import Bar

SCALE = 2
WIDTH = 560
HEIGHT = 260
MARGIN = 20
TITLE_HEIGHT = 34
ROW = 26
LONGEST_LABEL = 190
GROUND = (255, 253, 248)
INK = (32, 27, 22)
SOFT = (87, 77, 66)
TRACK = (240, 232, 219)
BAR = (179, 107, 26)


def draw_plot(title: str, bars: Sequence[Bar], *, upright: bool) -> bytes:
    """The plot on a light ground as a PNG of twice `WIDTH`, for screens with small pixels; equal bars, equal bytes."""
    height = HEIGHT if upright else 2 * MARGIN + TITLE_HEIGHT + ROW * len(bars)
    image = Image.new("RGB", (WIDTH * SCALE, height * SCALE), GROUND)
    draw = ImageDraw.Draw(image)
    _text(draw, (MARGIN, MARGIN - 4), _fitting(title, 17, WIDTH - 2 * MARGIN), 17, INK)
    (_standing if upright else _lying)(draw, bars, height)
    out = io.BytesIO()
    image.quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def _lying(draw: ImageDraw.ImageDraw, bars: Sequence[Bar], height: int) -> None:
    most = max((bar.value for bar in bars), default=0) or 1
    labels = [_fitting(bar.label, 13, LONGEST_LABEL) for bar in bars]
    left = MARGIN + 12 + max((_font(13).getlength(label) / SCALE for label in labels), default=0)
    right = WIDTH - MARGIN - 12 - max((_font(13).getlength(f"{bar.value:,.0f}") / SCALE for bar in bars), default=0)
    for index, (bar, label) in enumerate(zip(bars, labels, strict=True)):
        top = MARGIN + TITLE_HEIGHT + ROW * index
        _text(draw, (left - 12, top + 2), label, 13, SOFT, anchor="ra")
        _box(draw, (left, top + 2, right, top + ROW - 7), TRACK)
        _box(draw, (left, top + 2, left + max(2, (right - left) * bar.value / most), top + ROW - 7), BAR)
        _text(draw, (WIDTH - MARGIN, top + 2), f"{bar.value:,.0f}", 13, INK, anchor="ra")


def _standing(draw: ImageDraw.ImageDraw, bars: Sequence[Bar], height: int) -> None:
    most = max((bar.value for bar in bars), default=0) or 1
    step = (WIDTH - 2 * MARGIN) / max(1, len(bars))
    top, bottom = MARGIN + TITLE_HEIGHT + 14, height - MARGIN - 18
    for index, bar in enumerate(bars):
        left = MARGIN + step * index
        _box(draw, (left + 1, top, left + step - 2, bottom), TRACK)
        if bar.value:
            peak = bottom - max(2, (bottom - top) * bar.value / most)
            _box(draw, (left + 1, peak, left + step - 2, bottom), BAR)
            if step >= 24:
                _text(draw, (left + step / 2, peak - 15), f"{bar.value:,.0f}", 11, INK, anchor="ma")
        if bar.label:
            _text(draw, (left + step / 2, bottom + 5), bar.label, 11, SOFT, anchor="ma")


def _box(draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], fill: tuple[int, int, int]) -> None:
    left, top, right, bottom = (round(side * SCALE) for side in box)
    draw.rounded_rectangle((left, top, max(left, right), max(top, bottom)), radius=2 * SCALE, fill=fill)


def _text(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    size: int,
    fill: tuple[int, int, int],
    anchor: str = "la",
) -> None:
    draw.text((place[0] * SCALE, place[1] * SCALE), text, font=_font(size), fill=fill, anchor=anchor)


def _fitting(text: str, size: int, room: float) -> str:
    text = " ".join(text.split())
    if _font(size).getlength(text) <= room * SCALE:
        return text
    while text and _font(size).getlength(text + "…") > room * SCALE:
        text = text[:-1]
    return text.rstrip() + "…"


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size * SCALE)

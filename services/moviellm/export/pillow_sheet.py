"""The contact sheet drawn with Pillow."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from moviellm.errors import Broken
from moviellm.export.sheet import Strip

CELL = 160
GAP = 6
MARGIN = 28
HEADING = 74
GROUND = (16, 15, 18)
TITLE = (244, 240, 232)
CAPTION = (160, 152, 142)
ACCENT = (224, 164, 88)


def draw_sheet(strips: Sequence[Strip], *, columns: int) -> bytes:
    """The strips below each other on a dark ground, `columns` pictures a row, as a JPEG.

    Raises Broken when a picture cannot be decoded.
    """
    rows = [[_picture(data, strip.title) for data in strip.pictures] for strip in strips]
    cell_height = _cell_height(rows)
    width = 2 * MARGIN + columns * CELL + (columns - 1) * GAP
    heights = [HEADING + -(-len(row) // columns) * (cell_height + GAP) for row in rows]
    sheet = Image.new("RGB", (width, 2 * MARGIN + sum(heights) + MARGIN * (len(rows) - 1)), GROUND)
    top = MARGIN
    for strip, row, height in zip(strips, rows, heights, strict=True):
        _heading(sheet, strip, top)
        for index, picture in enumerate(row):
            left = MARGIN + index % columns * (CELL + GAP)
            cell = ImageOps.fit(picture, (CELL, cell_height), Image.Resampling.LANCZOS)
            sheet.paste(cell, (left, top + HEADING + index // columns * (cell_height + GAP)))
        top += height + MARGIN
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=90, optimize=True)
    return out.getvalue()


def _heading(sheet: Image.Image, strip: Strip, top: int) -> None:
    draw = ImageDraw.Draw(sheet)
    room = sheet.width - 2 * MARGIN
    draw.rectangle((MARGIN, top + 2, MARGIN + 3, top + 56), fill=ACCENT)
    draw.text((MARGIN + 18, top), _fitting(strip.title, 28, room - 18), font=_font(28), fill=TITLE)
    draw.text((MARGIN + 18, top + 37), _fitting(strip.caption, 16, room - 18), font=_font(16), fill=CAPTION)


def _fitting(text: str, size: int, room: int) -> str:
    text = " ".join(text.split())
    if _font(size).getlength(text) <= room:
        return text
    while text and _font(size).getlength(text + "…") > room:
        text = text[:-1]
    return text.rstrip() + "…"


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _picture(data: bytes, title: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data)).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise Broken(f"a frame of {title!r} is not a picture: {error}") from error


def _cell_height(rows: list[list[Image.Image]]) -> int:
    pictures = [picture for row in rows for picture in row]
    if not pictures:
        return CELL
    return max(40, min(2 * CELL, round(CELL * pictures[0].height / pictures[0].width)))

"""A pen that draws in picture units, whatever the resolution of the paper.

Scenes are drawn three times too large and shrunk, which smooths every edge. Coordinates are those of the final
picture (0 to 128, y down); a pen may look through a closer frame (`zoom` around a point), as a camera does.
"""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from moviellm.pocket import SIZE

OVERSAMPLING = 3

Colour = tuple[int, int, int]
Point = tuple[float, float]


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The colour `share` of the way from the first to the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def darker(colour: Colour, share: float = 0.3) -> Colour:
    """The colour moved towards a warm black."""
    return mix(colour, (24, 16, 32), share)


def lighter(colour: Colour, share: float = 0.3) -> Colour:
    """The colour moved towards white."""
    return mix(colour, (255, 252, 245), share)


class Pen:
    """Draws filled shapes on an image that is `OVERSAMPLING` times the size of the picture."""

    def __init__(self, image: Image.Image, *, zoom: float = 1.0, centre: Point = (SIZE / 2, SIZE / 2)) -> None:
        self._draw = ImageDraw.Draw(image)
        self._scale = OVERSAMPLING * zoom
        self._left = centre[0] - SIZE / 2 / zoom
        self._top = centre[1] - SIZE / 2 / zoom

    def _at(self, point: Point) -> Point:
        return (point[0] - self._left) * self._scale, (point[1] - self._top) * self._scale

    def polygon(self, points: Sequence[Point], fill: Colour, edge: Colour | None = None) -> None:
        """A filled polygon, with a thin edge if a colour is given for one."""
        at = [self._at(point) for point in points]
        self._draw.polygon(at, fill=fill)
        if edge is not None:
            self._draw.line([*at, at[0], at[1]], fill=edge, width=max(1, round(self._scale * 0.6)), joint="curve")

    def rectangle(self, left: float, top: float, right: float, bottom: float, fill: Colour) -> None:
        """A filled rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], fill)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour, edge: Colour | None = None) -> None:
        """A filled ellipse around (x, y)."""
        box = [self._at((x - rx, y - ry)), self._at((x + rx, y + ry))]
        if edge is None:
            self._draw.ellipse(box, fill=fill)
        else:
            self._draw.ellipse(box, fill=fill, outline=edge, width=max(1, round(self._scale * 0.6)))

    def half_ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour, *, upper: bool = True) -> None:
        """The upper or lower half of a filled ellipse around (x, y)."""
        box = [self._at((x - rx, y - ry)), self._at((x + rx, y + ry))]
        self._draw.pieslice(box, 180 if upper else 0, 360 if upper else 180, fill=fill)

    def arc(self, x: float, y: float, rx: float, ry: float, degrees: Point, fill: Colour, width: float) -> None:
        """A part of an ellipse's edge; degrees run clockwise from the right."""
        box = [self._at((x - rx, y - ry)), self._at((x + rx, y + ry))]
        self._draw.arc(box, degrees[0], degrees[1], fill=fill, width=max(1, round(width * self._scale)))

    def line(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        """A line with round ends and joints."""
        at = [self._at(point) for point in points]
        wide = max(1, round(width * self._scale))
        self._draw.line(at, fill=fill, width=wide, joint="curve")
        if wide > 3:
            for x, y in at:
                self._draw.ellipse([x - wide / 2, y - wide / 2, x + wide / 2, y + wide / 2], fill=fill)

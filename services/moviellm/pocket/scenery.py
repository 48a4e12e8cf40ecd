"""Places: what stands behind the people, at any time of day and in any weather.

Each place is one function that draws with a pen in picture units. Layouts hardly vary: in a film a place should look
like itself from frame to frame, and a small model learns a fixed set sharply. Only small things follow the seed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image, ImageFilter

from moviellm.pocket import SIZE
from moviellm.pocket.pen import OVERSAMPLING, Colour, Pen, darker, lighter, mix
from moviellm.pocket.vocabulary import Location

ZOOMS = {"wide shot": (1.0, (64.0, 64.0)), "medium shot": (1.22, (64.0, 60.0)), "close-up": (1.5, (64.0, 54.0))}
"""How close the camera stands, and the point of the place it looks at."""

_SKIES: dict[str, tuple[Colour, Colour]] = {
    "morning": ((150, 200, 232), (255, 226, 190)),
    "noon": ((64, 150, 232), (188, 228, 250)),
    "sunset": ((112, 72, 140), (255, 150, 66)),
    "night": ((52, 62, 112), (124, 138, 176)),
}
AMBIENT: dict[str, tuple[float, float, float]] = {
    "morning": (1.0, 0.96, 0.88),
    "noon": (1.0, 1.0, 1.0),
    "sunset": (1.0, 0.8, 0.64),
    "night": (0.36, 0.44, 0.74),
}
"""What the light of each time of day multiplies the colours of a place by."""


@dataclass(frozen=True)
class Stage:
    """What a place needs to know while it is drawn."""

    pen: Pen
    rng: Random
    time: str
    weather: str


def _sky_colours(time: str, weather: str) -> tuple[Colour, Colour]:
    top, low = _SKIES[time]
    grey: Colour = (126, 134, 148) if time != "night" else (104, 110, 124)
    share = {"clear": 0.0, "rain": 0.62, "snow": 0.55, "fog": 0.72, "storm": 0.8}[weather]
    if weather == "storm":
        grey = darker(grey, 0.5)
    elif weather in ("snow", "fog") and time != "night":
        grey = (206, 212, 220)
    return mix(top, grey, share), mix(low, grey, share * 0.85)


def _sky(stage: Stage, horizon: float) -> None:
    top, low = _sky_colours(stage.time, stage.weather)
    for band in range(-8, math.ceil(horizon) + 2, 2):
        share = max(0.0, min(1.0, band / horizon))
        stage.pen.rectangle(-40, band, SIZE + 40, band + 2.5, mix(top, low, share))
    stage.pen.rectangle(-40, horizon, SIZE + 40, SIZE + 10, low)
    if stage.weather == "clear":
        _sun_or_moon(stage, horizon)
    if stage.time != "night" and stage.weather in ("clear", "rain"):
        cloud = lighter(low, 0.55)
        for x, y in ((30, 22), (84, 34)):
            for dx, r in ((-7, 4), (0, 6), (7, 4)):
                stage.pen.ellipse(x + dx, y - r * 0.4, r * 1.5, r * 0.8, cloud)


def _sun_or_moon(stage: Stage, horizon: float) -> None:
    pen = stage.pen
    if stage.time == "night":
        for x, y in ((14, 18), (30, 34), (46, 14), (64, 26), (84, 12), (112, 40), (96, 48), (20, 52), (122, 14)):
            pen.ellipse(x, y, 0.8, 0.8, (255, 250, 158))
        pen.ellipse(100, 24, 10, 10, (255, 246, 158))
        pen.ellipse(97, 22, 2.4, 2.4, (255, 232, 140))
    elif stage.time == "sunset":
        pen.ellipse(98, horizon - 8, 17, 17, (255, 186, 92))
        pen.ellipse(98, horizon - 8, 12, 12, (255, 228, 140))
    elif stage.time == "noon":
        pen.ellipse(104, 18, 9, 9, (255, 240, 130))
    else:
        pen.ellipse(26, horizon - 12, 11, 11, (255, 240, 196))


def _lamp_light(stage: Stage) -> Colour:
    return (255, 224, 130) if stage.time == "night" else (236, 232, 214)


def _window(stage: Stage, left: float, top: float, width: float, height: float, frame: Colour) -> None:
    """A window that shows the time of day."""
    pen = stage.pen
    pen.rectangle(left - 2, top - 2, left + width + 2, top + height + 2, frame)
    upper, lower = _SKIES[stage.time]
    for band in range(8):
        at = top + height * band / 8
        pen.rectangle(left, at, left + width, at + height / 8, mix(upper, lower, band / 7))
    glow: Colour = (255, 240, 150)
    if stage.time != "morning":
        pen.ellipse(left + width * 0.7, top + height * (0.72 if stage.time == "sunset" else 0.26), 3.2, 3.2, glow)
    pen.line([(left + width / 2, top), (left + width / 2, top + height)], 1.4, frame)
    pen.line([(left, top + height / 2), (left + width, top + height / 2)], 1.4, frame)


def _room(stage: Stage, wall: Colour, floor: Colour, horizon: float = 92) -> None:
    pen = stage.pen
    pen.rectangle(-40, -10, SIZE + 40, horizon, wall)
    pen.rectangle(-40, horizon, SIZE + 40, SIZE + 10, floor)
    pen.rectangle(-40, horizon - 3, SIZE + 40, horizon, darker(wall, 0.45))


def _waves(stage: Stage, top: float, bottom: float, colour: Colour) -> None:
    stage.pen.rectangle(-40, top, SIZE + 40, bottom, colour)
    for row in range(int(top) + 4, int(bottom), 6):
        for x in range(-8 + (row * 7) % 16, SIZE, 24):
            stage.pen.line([(x, row), (x + 9, row)], 0.9, lighter(colour, 0.45))


def _lighthouse(stage: Stage) -> None:
    pen = stage.pen
    _sky(stage, 76)
    _waves(stage, 76, 104, (44, 118, 158))
    if stage.time == "night":
        pen.polygon([(102, 25), (-20, 2), (-20, 40)], (250, 236, 150))
    pen.polygon([(70, 104), (80, 84), (132, 78), (132, 128), (60, 128)], (110, 104, 98))
    pen.polygon([(93, 84), (97, 32), (109, 32), (113, 84)], (246, 242, 236))
    for low, high in ((76, 66), (56, 46)):
        inset_low, inset_high = (84 - low) / 13, (84 - high) / 13
        pen.polygon(
            [(93 + inset_low, low), (93 + inset_high, high), (113 - inset_high, high), (113 - inset_low, low)],
            (214, 48, 44),
        )
    pen.rectangle(94, 30, 112, 33, (60, 60, 66))
    pen.rectangle(98, 20, 108, 30, (255, 238, 140))
    pen.polygon([(96, 20), (103, 11), (110, 20)], (200, 44, 40))
    pen.polygon([(-40, 104), (60, 100), (168, 108), (168, 140), (-40, 140)], (112, 148, 78))


def _harbor(stage: Stage) -> None:
    pen = stage.pen
    _sky(stage, 66)
    for x, high, colour in ((4, 22, (196, 92, 70)), (22, 16, (226, 188, 120)), (38, 24, (108, 142, 160))):
        pen.rectangle(x, 66 - high, x + 15, 67, colour)
        pen.polygon([(x - 1, 66 - high), (x + 7.5, 58 - high), (x + 16, 66 - high)], darker(colour, 0.4))
    _waves(stage, 66, 106, (38, 108, 140))
    for x, y, hull in ((84, 80, (200, 60, 50)), (112, 72, (40, 80, 150))):
        pen.line([(x, y - 40), (x, y)], 1.6, (90, 66, 46))
        pen.polygon([(x + 2, y - 38), (x + 18, y - 6), (x + 2, y - 6)], (248, 244, 232))
        pen.polygon([(x - 2, y - 32), (x - 13, y - 6), (x - 2, y - 6)], (236, 228, 206))
        pen.polygon([(x - 18, y - 3), (x + 20, y - 3), (x + 13, y + 7), (x - 12, y + 7)], hull)
    pen.rectangle(-40, 102, SIZE + 40, SIZE + 10, (150, 112, 74))
    for row in (109, 117, 125):
        pen.line([(-40, row), (SIZE + 40, row)], 0.9, (110, 78, 48))
    for x in (8, 122):
        pen.rectangle(x - 3, 90, x + 3, 108, (100, 70, 44))


def _beach(stage: Stage) -> None:
    pen = stage.pen
    _sky(stage, 62)
    _waves(stage, 62, 92, (30, 150, 180))
    pen.polygon([(-40, 88), (40, 94), (90, 90), (168, 95), (168, 140), (-40, 140)], (244, 220, 160))
    pen.line([(-40, 88), (40, 94), (90, 90), (168, 95)], 2.4, (250, 250, 246))
    pen.line([(112, 108), (107, 80), (110, 54), (116, 38)], 4.5, (146, 104, 64))
    for dx, dy in ((-26, 6), (-20, -10), (0, -16), (16, -8), (18, 8), (-12, 16)):
        pen.polygon([(116, 36), (116 + dx * 0.5, 36 + dy * 0.5 - 6), (116 + dx, 36 + dy)], (48, 142, 70))
    pen.ellipse(18, 112, 4, 3, (240, 130, 110))


def _ship_deck(stage: Stage) -> None:
    pen = stage.pen
    _sky(stage, 70)
    _waves(stage, 70, 92, (34, 100, 150))
    pen.rectangle(-40, 98, SIZE + 40, SIZE + 10, (176, 126, 76))
    for x in range(-60, 200, 18):
        pen.line([(64 + (x - 64) * 0.6, 98), (x, 130)], 0.9, (128, 86, 48))
    pen.rectangle(-40, 80, SIZE + 40, 84, (120, 76, 40))
    for x in range(-6, SIZE + 10, 16):
        pen.rectangle(x - 1.5, 84, x + 1.5, 99, (134, 88, 48))
    pen.rectangle(94, -10, 101, 104, (112, 72, 40))
    pen.polygon([(66, 6), (130, 6), (134, 58), (98, 64), (62, 58)], (248, 240, 218), (200, 184, 150))
    pen.line([(62, 6), (134, 6)], 2.6, (96, 62, 36))
    pen.line([(97, 2), (10, 82)], 0.8, (90, 70, 50))
    pen.ellipse(20, 90, 9, 9, (240, 240, 236))
    pen.ellipse(20, 90, 5, 5, (120, 76, 40))


def _forest(stage: Stage) -> None:
    pen = stage.pen
    _sky(stage, 74)
    for x in range(-12, SIZE + 20, 12):
        pen.ellipse(x, 62, 11, 26, (74, 128, 92))
    pen.rectangle(-40, 78, SIZE + 40, SIZE + 10, (92, 140, 66))
    pen.polygon([(56, 80), (68, 80), (104, 130), (18, 130)], (190, 158, 108))
    for x, wide in ((6, 8), (30, 6), (98, 7), (122, 9)):
        pen.rectangle(x - wide / 2, 10, x + wide / 2, 98, (98, 66, 44))
    for x, y in ((6, 12), (30, 4), (98, 6), (122, 14), (16, 30), (112, 32), (64, -6), (46, -4), (82, -4)):
        pen.ellipse(x, y, 17, 15, (40, 106, 56))
        pen.ellipse(x - 4, y - 4, 9, 7, (62, 136, 70))


def _garden(stage: Stage) -> None:
    pen = stage.pen
    _sky(stage, 62)
    pen.rectangle(-40, 58, SIZE + 40, SIZE + 10, (122, 186, 86))
    for x in (-4, 22, 106, 132):
        pen.ellipse(x, 56, 17, 20, (54, 128, 62))
    pen.rectangle(-40, 66, SIZE + 40, 82, (46, 112, 56))
    pen.ellipse(96, 94, 21, 7, (214, 214, 210))
    pen.ellipse(96, 92, 17, 5, (110, 186, 220))
    pen.rectangle(94, 66, 98, 92, (220, 220, 214))
    pen.half_ellipse(96, 70, 11, 6, (220, 220, 214), upper=False)
    for dx in (-9, 9):
        pen.arc(96 + dx * 0.55, 70, abs(dx) * 0.6, 14, (180, 360), (170, 220, 244), 1.6)
    colours: tuple[Colour, ...] = ((236, 70, 90), (250, 210, 70), (240, 140, 190), (250, 250, 246))
    for index in range(18):
        x, y = (index * 29 + 5) % 136 - 4, 100 + (index * 11) % 26
        pen.ellipse(x, y, 2.3, 2.3, colours[index % 4])
    for index in range(12):
        pen.ellipse(4 + index * 11, 74, 2.6, 2.6, colours[index % 3])


def _mountain(stage: Stage) -> None:
    pen = stage.pen
    _sky(stage, 84)
    for x, peak, wide in ((22, 30, 46), (74, 12, 50), (118, 34, 38)):
        pen.polygon([(x - wide, 92), (x, peak), (x + wide, 92)], (110, 122, 150))
        pen.polygon([(x, peak), (x + wide, 92), (x + wide * 0.2, 92)], (86, 98, 128))
        snow = 18
        slope = wide / (92 - peak) * snow
        pen.polygon(
            [(x - slope, peak + snow), (x, peak), (x + slope, peak + snow), (x + 4, peak + 12), (x - 4, peak + 17)],
            (246, 248, 252),
        )
    pen.polygon([(-40, 88), (30, 96), (90, 90), (168, 98), (168, 140), (-40, 140)], (124, 152, 92))
    for x, y, r in ((10, 108, 9), (116, 110, 11), (102, 116, 7)):
        pen.half_ellipse(x, y, r, r * 0.8, (134, 130, 126))


def _desert(stage: Stage) -> None:
    pen = stage.pen
    _sky(stage, 74)
    pen.polygon([(-40, 82), (10, 62), (60, 78), (104, 64), (168, 84), (168, 140), (-40, 140)], (226, 178, 104))
    pen.polygon([(-40, 98), (30, 84), (90, 100), (168, 88), (168, 140), (-40, 140)], (240, 200, 128))
    for x, base, s in ((106, 98, 1.0), (20, 92, 0.62)):
        green: Colour = (60, 130, 74)
        pen.line([(x, base), (x, base - 44 * s)], 8 * s, green)
        pen.line([(x, base - 18 * s), (x + 13 * s, base - 18 * s), (x + 13 * s, base - 34 * s)], 5 * s, green)
        pen.line([(x, base - 12 * s), (x - 12 * s, base - 12 * s), (x - 12 * s, base - 28 * s)], 5 * s, green)
    pen.half_ellipse(84, 118, 6, 4, (170, 130, 90))


def _lit(stage: Stage, day: Colour) -> Colour:
    return (255, 226, 120) if stage.time == "night" else day


def _village_street(stage: Stage) -> None:
    pen = stage.pen
    _sky(stage, 70)
    houses: tuple[tuple[float, float, float, Colour, Colour], ...] = (
        (-6, 40, 34, (238, 206, 160), (176, 70, 54)),
        (30, 52, 26, (214, 224, 226), (92, 96, 120)),
        (72, 50, 26, (240, 224, 190), (196, 104, 60)),
        (99, 36, 36, (232, 176, 150), (120, 72, 60)),
    )
    pen.rectangle(-40, 88, SIZE + 40, SIZE + 10, (176, 164, 150))
    for x, top, wide, wall, roof in houses:
        pen.rectangle(x, top, x + wide, 92, wall)
        pen.polygon([(x - 3, top), (x + wide / 2, top - 20), (x + wide + 3, top)], roof)
        for wx in (x + wide * 0.25, x + wide * 0.72):
            pen.rectangle(wx - 3.5, top + 7, wx + 3.5, top + 17, darker(roof, 0.3))
            pen.rectangle(wx - 2.5, top + 8, wx + 2.5, top + 16, _lit(stage, (150, 190, 214)))
        pen.rectangle(x + wide / 2 - 4, 74, x + wide / 2 + 4, 92, darker(roof, 0.2))
    for row in (98, 107, 117):
        for x in range(-10 + (row % 2) * 8, SIZE + 10, 16):
            pen.ellipse(x, row, 6, 2, (156, 144, 130))
    pen.line([(64, 40), (64, 94)], 2, (50, 50, 56))
    pen.ellipse(64, 38, 4, 5, _lamp_light(stage))


def _city_street(stage: Stage) -> None:
    pen = stage.pen
    _sky(stage, 84)
    blocks: tuple[tuple[float, float, float, Colour], ...] = (
        (-10, 8, 28, (92, 104, 126)),
        (20, 30, 22, (140, 120, 116)),
        (84, 24, 22, (116, 128, 150)),
        (106, 2, 34, (104, 92, 112)),
    )
    pen.rectangle(40, 52, 86, 92, (150, 160, 180))
    for x, top, wide, wall in blocks:
        pen.rectangle(x, top, x + wide, 92, wall)
        for row in range(int(top) + 5, 80, 10):
            for column in range(int(x) + 4, int(x + wide) - 4, 8):
                on = (row * 3 + column * 7) % 4 != 0
                pen.rectangle(column, row, column + 4, row + 6, _lit(stage, (190, 214, 232)) if on else (60, 66, 86))
    pen.rectangle(-40, 90, SIZE + 40, SIZE + 10, (84, 86, 96))
    pen.rectangle(-40, 90, SIZE + 40, 95, (170, 168, 166))
    for x in range(-8, SIZE, 32):
        pen.polygon([(x, 109), (x + 16, 109), (x + 14, 113), (x - 2, 113)], (238, 226, 170))
    pen.rectangle(72, 82, 98, 92, (246, 200, 40))
    pen.polygon([(77, 82), (80, 75), (92, 75), (95, 82)], (246, 200, 40))
    for x in (78, 92):
        pen.ellipse(x, 92, 3.4, 3.4, (30, 30, 36))


def _market(stage: Stage) -> None:
    pen = stage.pen
    _sky(stage, 60)
    pen.rectangle(-40, 40, SIZE + 40, 92, (222, 190, 150))
    pen.rectangle(-40, 90, SIZE + 40, SIZE + 10, (196, 172, 138))
    awnings: tuple[tuple[float, Colour], ...] = ((-8, (214, 56, 52)), (42, (40, 130, 96)), (92, (50, 96, 180)))
    for x, colour in awnings:
        pen.rectangle(x + 2, 48, x + 42, 76, (120, 86, 64))
        for stripe in range(6):
            left = x - 1 + stripe * 8
            tone = colour if stripe % 2 == 0 else (250, 246, 236)
            pen.polygon([(left + 1.5, 28), (left + 8, 28), (left + 8.5, 46), (left, 46)], tone)
            pen.half_ellipse(left + 4.2, 46, 4.2, 4.5, tone, upper=False)
        pen.rectangle(x, 76, x + 44, 94, (160, 108, 62))
        fruit: tuple[Colour, ...] = ((232, 60, 50), (250, 180, 40), (110, 180, 60))
        for index in range(7):
            pen.ellipse(x + 5 + index * 5.8, 74, 3.4, 3.4, fruit[(index // 2) % 3])


def _castle(stage: Stage) -> None:
    pen = stage.pen
    _sky(stage, 80)
    stone: Colour = (168, 164, 172)
    pen.polygon([(-40, 92), (64, 82), (168, 92), (168, 140), (-40, 140)], (116, 156, 84))
    pen.rectangle(22, 50, 108, 94, stone)
    for x in range(22, 108, 10):
        pen.rectangle(x, 45, x + 6, 51, stone)
    for x, top, wide in ((8, 28, 22), (100, 28, 22), (52, 20, 26)):
        pen.rectangle(x, top, x + wide, 94, lighter(stone, 0.18))
        pen.rectangle(x + wide * 0.7, top, x + wide, 94, darker(stone, 0.12))
        pen.polygon([(x - 3, top), (x + wide / 2, top - 24), (x + wide + 3, top)], (72, 88, 150))
        pen.line([(x + wide / 2, top - 24), (x + wide / 2, top - 34)], 1, (60, 50, 50))
        middle = x + wide / 2
        pen.polygon([(middle, top - 34), (middle + 10, top - 31), (middle, top - 28)], (220, 50, 56))
        pen.rectangle(middle - 2, top + 10, middle + 2, top + 19, _lit(stage, (60, 56, 76)))
    pen.rectangle(56, 72, 74, 94, (84, 56, 40))
    pen.half_ellipse(65, 72, 9, 10, (84, 56, 40))
    pen.polygon([(56, 94), (74, 94), (96, 130), (34, 130)], (206, 186, 146))


def _ballroom(stage: Stage) -> None:
    pen = stage.pen
    _room(stage, (232, 196, 150), (226, 206, 176), 90)
    for row, (top, bottom) in enumerate(((90, 97), (97, 107), (107, 119), (119, 134))):
        for index in range(-8, 9):
            if (index + row) % 2 == 0:
                near, far = 8 + row * 3.4, 8 + (row + 1) * 3.4
                corners = [(index * near, top), ((index + 1) * near, top)]
                corners += [((index + 1) * far, bottom), (index * far, bottom)]
                pen.polygon([(64 + x, y) for x, y in corners], (150, 84, 70))
    for x in (22, 106):
        _window(stage, x - 8, 30, 16, 44, (196, 150, 70))
        pen.half_ellipse(x, 29, 10, 10, (196, 150, 70))
    for x in (2, 44, 84, 126):
        pen.rectangle(x - 4, 12, x + 4, 90, (250, 240, 222))
        pen.rectangle(x + 1.5, 12, x + 4, 90, (218, 200, 176))
        pen.rectangle(x - 6.5, 9, x + 6.5, 14, (206, 160, 76))
        pen.rectangle(x - 6.5, 86, x + 6.5, 91, (206, 160, 76))
    pen.rectangle(-40, -10, SIZE + 40, 6, (170, 60, 64))
    pen.line([(64, 0), (64, 14)], 1.4, (180, 136, 50))
    pen.half_ellipse(64, 16, 18, 10, (240, 196, 80), upper=False)
    for dx in (-15, -8, 0, 8, 15):
        pen.ellipse(64 + dx, 13, 2.2, 3.6, (255, 240, 150))


def _library(stage: Stage) -> None:
    pen = stage.pen
    _room(stage, (120, 82, 54), (150, 100, 66))
    spines: tuple[Colour, ...] = ((176, 54, 48), (46, 92, 128), (212, 168, 76), (64, 112, 74), (122, 70, 112))
    for left, right in ((-34, 46), (82, 162)):
        pen.rectangle(left, -10, right, 92, (94, 60, 38))
        for shelf in (4, 26, 48, 70):
            pen.rectangle(left, shelf + 18, right, shelf + 21, (140, 96, 60))
            for index, x in enumerate(range(left + 2, right - 4, 5)):
                high = 13 + (index * 5 + shelf) % 4
                pen.rectangle(x, shelf + 18 - high, x + 4, shelf + 18, spines[(index * 3 + shelf) % 5])
    _window(stage, 53, 20, 22, 46, (92, 60, 38))
    pen.half_ellipse(64, 18, 13, 12, (92, 60, 38))
    for x in (96, 108):
        pen.line([(x, 8), (x - 6, 106)], 1.8, (206, 160, 96))
    for step in range(7):
        y = 20 + step * 13
        pen.line([(95.5 - step * 0.8, y), (107.5 - step * 0.8, y)], 1.6, (206, 160, 96))
    pen.polygon([(30, 104), (98, 104), (124, 130), (4, 130)], (150, 46, 50))


def _kitchen(stage: Stage) -> None:
    pen = stage.pen
    _room(stage, (240, 226, 190), (206, 196, 184))
    for row in range(92, 134, 9):
        for x in range(-12 + (row % 2) * 9, SIZE + 12, 18):
            pen.rectangle(x, row, x + 9, row + 9, (170, 150, 140))
    _window(stage, 50, 20, 28, 26, (250, 250, 246))
    pen.rectangle(-40, 62, 46, 92, (92, 152, 150))
    pen.rectangle(-40, 60, 46, 64, (240, 236, 226))
    for x in (4, 26):
        pen.ellipse(x + 8, 78, 1.4, 1.4, (240, 236, 226))
        pen.line([(x + 17, 66), (x + 17, 92)], 0.9, (60, 112, 112))
    pen.rectangle(84, 56, 122, 94, (70, 72, 82))
    pen.rectangle(90, 68, 116, 88, (255, 150, 60))
    pen.rectangle(93, 71, 113, 85, (200, 80, 40))
    pen.rectangle(92, 44, 112, 56, (206, 206, 214))
    pen.rectangle(89, 47, 115, 49, (60, 60, 66))
    pen.rectangle(-40, 34, 42, 37, (150, 100, 62))
    jars: tuple[Colour, ...] = ((214, 90, 70), (250, 220, 130), (110, 160, 90), (120, 150, 200))
    for index, x in enumerate((2, 13, 24, 35)):
        pen.rectangle(x - 4, 23, x + 4, 34, jars[index])
        pen.rectangle(x - 3, 20, x + 3, 23, (120, 90, 60))
    pen.rectangle(86, 16, 132, 18, (90, 80, 76))
    for x in (94, 108, 121):
        pen.line([(x, 18), (x, 26)], 1, (90, 80, 76))
        pen.half_ellipse(x, 26, 6, 8, (196, 112, 60), upper=False)


def _bedroom(stage: Stage) -> None:
    pen = stage.pen
    _room(stage, (176, 192, 220), (168, 126, 92))
    for x in range(-36, SIZE + 40, 12):
        pen.rectangle(x, -10, x + 3, 89, (188, 204, 230))
    _window(stage, 14, 18, 30, 42, (250, 246, 236))
    pen.polygon([(6, 12), (20, 12), (14, 40), (8, 68), (4, 68)], (206, 84, 110))
    pen.polygon([(38, 12), (53, 12), (55, 68), (50, 68), (45, 40)], (206, 84, 110))
    pen.rectangle(4, 10, 54, 13, (120, 84, 60))
    pen.rectangle(76, 46, 136, 100, (120, 76, 48))
    pen.ellipse(106, 46, 30, 10, (120, 76, 48))
    pen.ellipse(92, 66, 13, 8, (252, 250, 246))
    pen.ellipse(120, 66, 13, 8, (252, 250, 246))
    pen.polygon([(74, 74), (140, 74), (146, 112), (68, 112)], (74, 110, 180))
    pen.polygon([(75, 70), (140, 70), (141, 80), (73, 80)], (240, 240, 246))
    pen.rectangle(56, 70, 72, 92, (134, 90, 60))
    pen.polygon([(58, 58), (70, 58), (67, 48), (61, 48)], _lamp_light(stage))
    pen.line([(64, 58), (64, 70)], 1.6, (90, 66, 50))


def _cafe(stage: Stage) -> None:
    pen = stage.pen
    _room(stage, (112, 140, 120), (150, 108, 76))
    _window(stage, 78, 22, 42, 36, (76, 50, 36))
    pen.rectangle(-40, 60, 46, 92, (134, 84, 52))
    pen.rectangle(-40, 57, 50, 62, (196, 140, 90))
    pen.rectangle(-40, 26, 44, 29, (76, 50, 36))
    bottles: tuple[Colour, ...] = ((190, 70, 60), (226, 190, 90), (70, 120, 90), (110, 90, 150), (240, 236, 226))
    for index, x in enumerate((3, 12, 21, 30, 39)):
        pen.rectangle(x - 3, 14, x + 3, 26, bottles[index])
        pen.rectangle(x - 1.2, 9, x + 1.2, 14, bottles[index])
    pen.rectangle(8, 42, 26, 57, (196, 196, 202))
    pen.rectangle(11, 46, 23, 50, (60, 60, 66))
    for x in (22, 64, 106):
        pen.line([(x, -10), (x, 4)], 1, (50, 40, 36))
        pen.half_ellipse(x, 12, 9, 9, (190, 60, 54))
        pen.ellipse(x, 12.5, 4, 2.6, (255, 232, 150))
    for x in (104, 20):
        pen.rectangle(x - 1.5, 92, x + 1.5, 116, (60, 44, 36))
        pen.ellipse(x, 92, 19, 5, (206, 150, 96))
        pen.rectangle(x - 3, 84, x + 4, 91, (250, 248, 240))


def _train_station(stage: Stage) -> None:
    pen = stage.pen
    _sky(stage, 60)
    pen.rectangle(-40, 44, SIZE + 40, 96, (126, 116, 118))
    pen.rectangle(-40, 46, SIZE + 40, 92, (40, 104, 82))
    pen.rectangle(-40, 72, SIZE + 40, 77, (240, 200, 90))
    for x in range(-24, SIZE + 30, 30):
        pen.rectangle(x, 52, x + 21, 67, (30, 50, 50))
        pen.rectangle(x + 1.5, 53.5, x + 19.5, 66, _lit(stage, (186, 218, 228)))
    for x in range(-20, SIZE + 20, 20):
        pen.ellipse(x, 93, 5, 5, (40, 40, 46))
    pen.rectangle(-40, 97, SIZE + 40, SIZE + 10, (188, 182, 176))
    pen.rectangle(-40, 100, SIZE + 40, 103, (246, 206, 60))
    pen.polygon([(-40, 10), (168, 10), (168, 24), (-40, 24)], (120, 70, 56))
    for x in range(-40, SIZE + 40, 12):
        pen.polygon([(x, 24), (x + 12, 24), (x + 6, 31)], (150, 90, 70))
    for x in (10, 118):
        pen.rectangle(x - 2.5, 24, x + 2.5, 104, (70, 74, 84))
    pen.line([(84, 24), (84, 30)], 1.4, (50, 50, 56))
    pen.ellipse(84, 38, 9, 9, (250, 248, 240), (40, 40, 46))
    pen.line([(84, 38), (84, 32)], 1.3, (40, 40, 46))
    pen.line([(84, 38), (88, 40)], 1.3, (40, 40, 46))


_PLACES: dict[str, Callable[[Stage], None]] = {
    "lighthouse": _lighthouse,
    "harbor": _harbor,
    "beach": _beach,
    "ship deck": _ship_deck,
    "forest": _forest,
    "garden": _garden,
    "mountain": _mountain,
    "desert": _desert,
    "village street": _village_street,
    "city street": _city_street,
    "market": _market,
    "castle": _castle,
    "ballroom": _ballroom,
    "library": _library,
    "kitchen": _kitchen,
    "bedroom": _bedroom,
    "cafe": _cafe,
    "train station": _train_station,
}


def draw_place(location: Location, time: str, weather: str, shot: str, rng: Random) -> np.ndarray:
    """The empty place: float32 (128, 128, 3), 0 to 1. The camera moves a little with the seed."""
    zoom, (x, y) = ZOOMS[shot]
    paper = Image.new("RGB", (SIZE * OVERSAMPLING, SIZE * OVERSAMPLING))
    pen = Pen(paper, zoom=zoom, centre=(x + rng.uniform(-2.5, 2.5), y))
    weather = "clear" if location.indoor else weather
    _PLACES[location.name](Stage(pen, rng, time, weather))
    small = paper.reduce(OVERSAMPLING)
    if shot == "close-up":
        small = small.filter(ImageFilter.GaussianBlur(1.0))
    picture = np.asarray(small, dtype=np.float32) / 255
    return _under_light(picture, location, time, weather)


def _under_light(picture: np.ndarray, location: Location, time: str, weather: str) -> np.ndarray:
    """Multiply by the light of the hour; lamps, lit windows and the moon (a yellow nothing else has) stay bright."""
    ambient = np.asarray(AMBIENT[time], dtype=np.float32)
    if location.indoor:
        ambient = ambient + (np.asarray((1.0, 0.92, 0.78), dtype=np.float32) - ambient) * 0.4
    if weather in ("rain", "storm"):
        ambient = ambient * np.asarray((0.74, 0.8, 0.88), dtype=np.float32)
    shaded = picture * ambient
    if time == "night":
        red, green, blue = picture[..., 0], picture[..., 1], picture[..., 2]
        lit = ((red > 0.97) & (green > 0.8) & (blue < 0.63)).astype(np.float32)[..., None]
        shaded = shaded + (picture - shaded) * lit
    return np.asarray(shaded, dtype=np.float32)


def weather_behind(picture: np.ndarray, weather: str, time: str) -> np.ndarray:
    """Weather between the place and the people: mist, lightning, snow on the ground."""
    rows = np.linspace(0, 1, SIZE, dtype=np.float32)[:, None, None]
    haze = np.asarray((0.36, 0.4, 0.5) if time == "night" else (0.86, 0.88, 0.9), dtype=np.float32)
    if weather == "fog":
        return np.asarray(picture + (haze - picture) * (0.3 + 0.22 * np.sin(rows * np.pi)))
    if weather == "snow":
        ground = np.clip((rows - 0.62) * 3, 0, 0.75)
        white = np.asarray((0.5, 0.55, 0.7) if time == "night" else (0.95, 0.96, 0.99), dtype=np.float32)
        return np.asarray(picture + (white - picture) * ground)
    return picture


def weather_before(weather: str, rng: Random) -> Image.Image | None:
    """What falls from the sky, as a transparent layer in picture size, or None."""
    if weather not in ("rain", "snow", "storm"):
        return None
    layer = Image.new("RGBA", (SIZE * OVERSAMPLING, SIZE * OVERSAMPLING), (0, 0, 0, 0))
    pen = Pen(layer)
    if weather == "storm":
        pen.line([(30, -4), (22, 18), (31, 22), (20, 46)], 2.2, (255, 250, 200))
    shift = rng.randrange(16)
    for index in range(46):
        x, y = (index * 37 + shift) % SIZE, (index * 53 + shift * 3) % SIZE
        if weather == "snow":
            pen.ellipse(x, y, 1.3, 1.3, (255, 255, 255))
        else:
            pen.line([(x, y), (x - 3, y + 9)], 0.6, (206, 222, 240))
    return layer.reduce(OVERSAMPLING)

"""Looks: what turns a plain drawing into a gothic, pastel or woodcut one.

A look works on the finished picture (float32 (128, 128, 3), 0 to 1), so it never depends on what is drawn. Patterns
repeat every 16 pixels at a fixed phase, which is the patch of the autoencoder: a pattern then costs it one channel.
Faces, clothes and places must stay legible in every look; a look that hides them teaches the model nothing.
"""

from collections.abc import Callable

import numpy as np

from moviellm.pocket import SIZE
from moviellm.pocket.look_space import Look

Picture = np.ndarray

_ROWS, _COLUMNS = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
_RADIUS = np.hypot((_ROWS - 63.5) / 64, (_COLUMNS - 63.5) / 64)[..., None].astype(np.float32)


def _tile(values: np.ndarray) -> np.ndarray:
    return np.tile(values, (SIZE // 16, SIZE // 16))[..., None].astype(np.float32)


_NOISE = np.random.default_rng(7)
_GRAIN = _tile(_NOISE.standard_normal((16, 16)))
_DOTS = (np.hypot(_ROWS % 4 - 1.5, _COLUMNS % 4 - 1.5) / 2.2)[..., None].astype(np.float32)
_LINES = (np.abs((_ROWS + _COLUMNS) % 4 - 2) / 2)[..., None].astype(np.float32)
_GRID = (((_ROWS % 8) < 1) | ((_COLUMNS % 8) < 1))[..., None].astype(np.float32)
_CANVAS = (np.sin(_ROWS * np.pi / 2) * np.sin(_COLUMNS * np.pi / 2 + np.pi / 4))[..., None].astype(np.float32)
_CARVING = (np.abs(_ROWS % 4 - 1.5) / 2)[..., None].astype(np.float32)

_MOST_EDGES = 0.7
"""Behind two people the place shows at the edges alone."""

PATTERNS: tuple[np.ndarray, ...] = tuple(
    pattern[:16, :16, 0].astype(np.float32) for pattern in (_GRAIN, _DOTS < 0.45, _GRID, _CANVAS)
)
"""The finest patterns, (16, 16) each."""


def luminance(picture: Picture) -> np.ndarray:
    """How light each pixel is: (128, 128, 1), 0 to 1."""
    return np.asarray(picture @ np.asarray((0.299, 0.587, 0.114), dtype=np.float32))[..., None]


def blurred(picture: Picture, radius: int) -> Picture:
    """A box blur of (2·radius + 1) pixels, both ways, edges repeated."""
    for axis in (0, 1):
        wide = np.pad(picture, [(radius + 1, radius) if a == axis else (0, 0) for a in range(3)], mode="edge")
        total = np.cumsum(wide, axis=axis, dtype=np.float32)
        size = 2 * radius + 1
        high = np.take(total, range(size, total.shape[axis]), axis=axis)
        low = np.take(total, range(0, total.shape[axis] - size), axis=axis)
        picture = (high - low) / size
    return picture


def edges(picture: Picture) -> np.ndarray:
    """Where outlines are: (128, 128, 1), 0 to 1, one pixel wide or so."""
    light = luminance(picture)[..., 0]
    across = np.abs(np.diff(light, axis=1, append=light[:, -1:]))
    down = np.abs(np.diff(light, axis=0, append=light[-1:]))
    return np.asarray(np.clip((np.maximum(across, down) - 0.05) * 7, 0, 1))[..., None]


def _contrast(picture: Picture, gain: float) -> Picture:
    return 0.5 + (picture - 0.5) * gain


def _saturated(picture: Picture, gain: float) -> Picture:
    light = luminance(picture)
    return np.asarray(light + (picture - light) * gain)


def _vignette(picture: Picture, strength: float) -> Picture:
    return np.asarray(picture * (1 - strength * np.clip(_RADIUS - 0.45, 0, 1)))


def _duotone(picture: Picture, dark: tuple[float, float, float], light: tuple[float, float, float]) -> Picture:
    low, high = np.asarray(dark, dtype=np.float32), np.asarray(light, dtype=np.float32)
    share = np.clip((luminance(picture) - 0.04) * 1.15, 0, 1) ** 0.8
    return low + (high - low) * share


def _tint(picture: Picture, colour: tuple[float, float, float]) -> Picture:
    return picture * np.asarray(colour, dtype=np.float32)


def _gothic(picture: Picture) -> Picture:
    cold = _tint(_saturated(picture, 0.55), (0.8, 0.74, 1.0))
    return _vignette(_contrast(cold, 1.12) - 0.03, 0.95)


def _noir(picture: Picture) -> Picture:
    light = np.clip(luminance(picture), 0, 1) ** 0.85
    grey = _contrast(light, 1.45) + _GRAIN * 0.035
    return _vignette(np.repeat(grey, 3, axis=2), 0.6)


def _watercolor(picture: Picture) -> Picture:
    wet = blurred(picture, 1)
    pooled = wet * 0.6 + 0.42 - edges(picture) * 0.16
    paper = _CANVAS * 0.025
    white = np.clip((_RADIUS - 0.92) * 3, 0, 1)
    return np.asarray((pooled + paper) * (1 - white) + white)


def _pastel(picture: Picture) -> Picture:
    soft = _contrast(_saturated(picture, 0.75), 0.6) + 0.22
    return soft * 0.8 + blurred(soft, 3) * 0.1 + np.asarray((0.12, 0.05, 0.09), dtype=np.float32)


def _vintage(picture: Picture) -> Picture:
    sepia = luminance(picture) * np.asarray((1.0, 0.84, 0.62), dtype=np.float32)
    faded = sepia * 0.72 + _tint(picture, (1.0, 0.84, 0.62)) * 0.16 + np.asarray((0.14, 0.1, 0.06), dtype=np.float32)
    return _vignette(faded + _GRAIN * 0.03, 0.5)


def _neon(picture: Picture) -> Picture:
    glow = blurred(edges(picture), 1)
    night = _duotone(picture, (0.1, 0.02, 0.24), (0.95, 0.45, 0.95)) * 0.62 + _saturated(picture, 1.5) * 0.34
    return np.asarray(night + glow * np.asarray((0.0, 0.55, 0.6), dtype=np.float32) - 0.04)


def _comic(picture: Picture) -> Picture:
    flat = np.round(_saturated(_contrast(picture, 1.2) + 0.05, 1.5) * 4) / 4
    dots = (_DOTS < 0.42) * np.clip(0.75 - luminance(picture), 0, 1) * 0.4
    return np.asarray((flat - dots) * (1 - edges(picture) * 0.9))


def _sketch(picture: Picture) -> Picture:
    light = luminance(picture)
    hatch = np.clip(0.62 - light, 0, 1) * (1.1 - _LINES) * 0.9
    lines = edges(picture) * 0.8
    paper = np.asarray((0.98, 0.97, 0.94), dtype=np.float32)
    return np.asarray(paper * (1 - np.clip(hatch + lines, 0, 0.86)) * 0.86 + picture * 0.14)


def _impressionist(picture: Picture) -> Picture:
    down = np.round(1.05 * np.sin((_ROWS / 8 + _COLUMNS / 16) * 2 * np.pi)).astype(int)
    across = np.round(1.05 * np.sin((_COLUMNS / 8 - _ROWS / 16) * 2 * np.pi)).astype(int)
    rows = np.clip(_ROWS.astype(int) + down, 0, SIZE - 1)
    columns = np.clip(_COLUMNS.astype(int) + across, 0, SIZE - 1)
    dabs = _saturated(_contrast(picture[rows, columns], 1.08), 1.45)
    strokes = (_LINES - 0.5) * 0.16 * (0.4 + luminance(dabs))
    return _tint(np.asarray(dabs + 0.05 + strokes), (1.06, 1.0, 0.86))


def _woodcut(picture: Picture) -> Picture:
    light = np.clip(luminance(picture) * 1.35, 0, 1)
    cut = np.clip((light - (0.16 + _CARVING * 0.42)) * 6, 0, 1) * (1 - edges(picture))
    ink, paper = np.asarray((0.08, 0.06, 0.06), dtype=np.float32), np.asarray((0.95, 0.89, 0.74), dtype=np.float32)
    return np.asarray(ink + (paper - ink) * cut)


def _fairytale(picture: Picture) -> Picture:
    warm = _tint(_saturated(picture, 1.35), (1.08, 1.0, 0.78)) + np.asarray((0.09, 0.06, 0.02), dtype=np.float32)
    glow = np.clip(1.15 - _RADIUS, 0, 1) * np.asarray((0.2, 0.15, 0.02), dtype=np.float32)
    spark = (np.hypot(_ROWS % 32 - 9, _COLUMNS % 32 - 21) < 1.3)[..., None] * 0.55
    return np.asarray(warm * 0.86 + glow + spark)


def _cinematic(picture: Picture) -> Picture:
    light = luminance(picture)
    teal, orange = np.asarray((0.0, 0.28, 0.34), dtype=np.float32), np.asarray((1.0, 0.62, 0.3), dtype=np.float32)
    graded = _contrast(picture, 1.1) * 0.72 + (teal * (1 - light) + orange * light) * 0.3
    bars = ((_ROWS < 8) | (_ROWS >= SIZE - 8))[..., None]
    return np.asarray(graded * (1 - bars))


_STYLES: dict[str, Callable[[Picture], Picture]] = {
    "gothic": _gothic,
    "noir": _noir,
    "watercolor": _watercolor,
    "pastel": _pastel,
    "vintage": _vintage,
    "neon": _neon,
    "comic": _comic,
    "sketch": _sketch,
    "impressionist": _impressionist,
    "woodcut": _woodcut,
    "fairytale": _fairytale,
    "cinematic": _cinematic,
}


def apply_style(picture: Picture, keyword: str) -> Picture:
    """The picture in a taught style, 0 to 1."""
    return np.asarray(np.clip(_STYLES[keyword](picture), 0, 1))


def apply_look(picture: Picture, look: Look) -> Picture:
    """The picture in a point of the look space, 0 to 1."""
    toned = _duotone(picture, look.dark, look.light)
    strength = look.texture_strength
    if look.texture == "grain":
        toned = toned + _GRAIN * (0.07 * strength)
    elif look.texture == "canvas":
        toned = toned + _CANVAS * (0.07 * strength)
    elif look.texture == "dots":
        toned = toned * (1 - 0.3 * strength * (_DOTS < 0.45))
    elif look.texture == "grid":
        toned = toned + (np.asarray(look.light, dtype=np.float32) - toned) * _GRID * (0.32 * strength)
    elif look.texture == "lines":
        toned = toned * (1 - 0.3 * strength * (1 - _LINES))
    toned = toned * (1 - np.minimum(edges(picture) * (0.75 * look.ink), 1))
    share = np.clip((_RADIUS - 0.45) * (0.8 * look.edges_strength), 0, _MOST_EDGES)
    if look.edges == "dark":
        toned = toned * (1 - share)
    elif look.edges == "bright":
        toned = toned + (1 - toned) * share
    return np.asarray(np.clip(toned, 0, 1))

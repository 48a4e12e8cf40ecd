"""The space that looks are points of, and the words that say roughly where in it a look lies.

Words are vague, as everywhere: `deep blue shadows` are any that are nearer to blue than to another hue with a name, and
a fine grid may be faint or strong. What they leave unsaid is what textual inversion is for.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import numpy as np

Hue = tuple[float, float, float]
"""Red, green and blue, 0 to 1."""

LOOK_DARKS: Mapping[str, Hue] = {
    "black": (0.04, 0.03, 0.05),
    "blue": (0.05, 0.12, 0.46),
    "green": (0.03, 0.24, 0.12),
    "red": (0.38, 0.03, 0.06),
    "purple": (0.28, 0.05, 0.32),
    "brown": (0.26, 0.14, 0.06),
    "teal": (0.02, 0.26, 0.3),
    "violet": (0.17, 0.08, 0.44),
}
LOOK_LIGHTS: Mapping[str, Hue] = {
    "white": (0.98, 0.98, 1.0),
    "cream": (1.0, 0.94, 0.8),
    "yellow": (1.0, 0.92, 0.3),
    "orange": (1.0, 0.62, 0.2),
    "pink": (1.0, 0.72, 0.8),
    "cyan": (0.5, 0.95, 1.0),
    "mint": (0.7, 1.0, 0.8),
    "gold": (0.95, 0.8, 0.42),
}
LOOK_TEXTURES: Mapping[str, str] = {
    "smooth": "smooth",
    "grain": "a grainy texture",
    "canvas": "a canvas texture",
    "dots": "printed dots",
    "grid": "a fine grid",
    "lines": "fine lines",
}
LOOK_EDGES: Mapping[str, str] = {"plain": "", "dark": "dark edges", "bright": "bright edges"}

_WEAKEST, _STRONGEST = 0.6, 1.4
_BETWEEN = 0.5


@dataclass(frozen=True)
class Look:
    """The hue of shadows and of highlights, and a texture, edges and outlines, each with a strength around 1.

    `texture` and `edges` are keys of `LOOK_TEXTURES` and `LOOK_EDGES`; `ink` 0 is no outlines at all.
    """

    dark: Hue
    light: Hue
    texture: str = "smooth"
    edges: str = "plain"
    ink: float = 0.0
    texture_strength: float = 1.0
    edges_strength: float = 1.0


def named(hue: Hue, hues: Mapping[str, Hue]) -> str:
    """The name of the nearest hue."""
    return min(hues, key=lambda name: sum((a - b) ** 2 for a, b in zip(hue, hues[name], strict=True)))


def between(one: Hue, other: Hue, share: float) -> Hue:
    """The hue that lies the share of the way from one to the other."""
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def _halfway(hues: Mapping[str, Hue], one: str, other: str) -> Hue:
    return between(hues[one], hues[other], 0.5)


_HELD_OUT: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "blueprint": (("blue", "teal"), ("white", "cyan")),
    "ember": (("black", "red"), ("orange", "yellow")),
    "jade": (("green", "teal"), ("cream", "mint")),
}
"""Between which two dark and which two light hues a held-out style lies, halfway."""


def _held_out(keyword: str, **rest: str | float) -> Look:
    darks, lights = _HELD_OUT[keyword]
    return Look(_halfway(LOOK_DARKS, *darks), _halfway(LOOK_LIGHTS, *lights), **rest)  # type: ignore[arg-type]


HELD_OUT_LOOKS: Mapping[str, Look] = {
    "blueprint": _held_out("blueprint", texture="grid", texture_strength=1.2, ink=0.9),
    "ember": _held_out("ember", texture="grain", texture_strength=1.2, edges="dark", edges_strength=0.8),
    "jade": _held_out("jade", texture="canvas", texture_strength=1.2, edges="bright", edges_strength=1.2),
}
"""How the held-out styles look."""

HELD_OUT_HUES: frozenset[tuple[str, str]] = frozenset(
    pair for darks, lights in _HELD_OUT.values() for pair in itertools.product(darks, lights)
)
"""Pairs of names, dark and light, around the held-out styles; training leaves them out altogether."""


def random_look(rng: Random) -> Look:
    """A point of the space that is not near a held-out style."""
    while True:
        dark, light = _random_hue(LOOK_DARKS, rng), _random_hue(LOOK_LIGHTS, rng)
        if (named(dark, LOOK_DARKS), named(light, LOOK_LIGHTS)) not in HELD_OUT_HUES:
            break
    return Look(
        dark,
        light,
        rng.choice(tuple(LOOK_TEXTURES)),
        rng.choice(tuple(LOOK_EDGES)),
        rng.uniform(_WEAKEST, _STRONGEST) if rng.random() < 0.5 else 0.0,
        rng.uniform(_WEAKEST, _STRONGEST),
        rng.uniform(_WEAKEST, _STRONGEST),
    )


def _random_hue(hues: Mapping[str, Hue], rng: Random) -> Hue:
    one, other = rng.sample(tuple(hues), 2)
    return between(hues[one], hues[other], rng.uniform(0.0, _BETWEEN))


def look_words(look: Look) -> str:
    """A look said in words: `deep blue shadows, white highlights, a fine grid, ink outlines`."""
    parts = (
        f"deep {named(look.dark, LOOK_DARKS)} shadows",
        f"{named(look.light, LOOK_LIGHTS)} highlights",
        LOOK_TEXTURES[look.texture],
        LOOK_EDGES[look.edges],
        "ink outlines" if look.ink else "",
    )
    return ", ".join(part for part in parts if part)


def unsaid(look: Look) -> np.ndarray:
    """What the words leave out, float32 (14,), each number about −1 to 1; all 0 for the look that fits them best."""
    dark, light = LOOK_DARKS[named(look.dark, LOOK_DARKS)], LOOK_LIGHTS[named(look.light, LOOK_LIGHTS)]
    hues = [*_difference(look.dark, dark), *_difference(look.light, light)]
    textures = [_excess(look.texture_strength) * (look.texture == name) for name in LOOK_TEXTURES if name != "smooth"]
    edges = [_excess(look.edges_strength) * (look.edges == name) for name in LOOK_EDGES if name != "plain"]
    return np.asarray([*hues, *textures, *edges, _excess(look.ink) if look.ink else 0.0], dtype=np.float32)


UNSAID = 14
"""Length of what `unsaid` returns."""


def _difference(hue: Hue, other: Hue) -> list[float]:
    return [5 * (a - b) for a, b in zip(hue, other, strict=True)]


def _excess(strength: float) -> float:
    return (strength - 1) / (_STRONGEST - 1)

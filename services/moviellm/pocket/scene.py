"""One picture to be: everything that is in it, and how it is put together.

A `Scene` says what is seen; `draw` makes the picture; `random_scene` invents one. The same scene and seed always give
the same picture, pixel for pixel.
"""

from dataclasses import dataclass
from random import Random

import numpy as np

from moviellm.pocket.figures import draw_people
from moviellm.pocket.look_space import Look, random_look
from moviellm.pocket.looks import apply_look, apply_style
from moviellm.pocket.scenery import draw_place, weather_before, weather_behind
from moviellm.pocket.vocabulary import (
    ACTIONS,
    COLOURS,
    EXPRESSIONS,
    KINDS,
    LOCATIONS,
    SHOTS,
    STYLES,
    TIMES,
    WEATHERS,
    Action,
    Expression,
    Location,
    Person,
)


@dataclass(frozen=True)
class Scene:
    """What one picture shows. `style` is a taught keyword or a look; `action` is None where nobody is seen."""

    location: Location
    time: str
    weather: str
    shot: str
    people: tuple[Person, ...] = ()
    action: Action | None = None
    prop: str = ""
    expression: Expression | None = None
    style: str | Look = ""
    seed: int = 0


def random_person(rng: Random) -> Person:
    """An invented appearance."""
    kind = rng.choices(KINDS, weights=(4, 4, 2, 2, 2, 2))[0]
    return Person(
        kind=kind.name,
        hair_colour=rng.choice(kind.hair_colours),
        hair_style=rng.choice(kind.hair_styles),
        colour=rng.choice(COLOURS),
        garment=rng.choice(kind.garments),
        build=rng.choice(("", "", "slim", "stout")),
        extra=rng.choice(("", *kind.extras)),
    )


def random_scene(rng: Random) -> Scene:
    """A scene for training: three in ten in the look space, two plain, the rest in a taught style."""
    number = rng.choices((0, 1, 2), weights=(12, 48, 40))[0]
    location = rng.choice(LOCATIONS)
    roll = rng.random()
    style: str | Look = random_look(Random(rng.random())) if roll < 0.3 else ""
    if roll >= 0.5:
        style = rng.choice(STYLES).keyword
    weather = "clear" if location.indoor else rng.choices(WEATHERS, weights=(5, 1, 1, 1, 1))[0]
    shot = rng.choices(SHOTS, weights=(3, 4, 3))[0] if number else rng.choices(SHOTS, weights=(8, 2, 0))[0]
    place = Scene(location, rng.choice(TIMES), weather, shot, style=style, seed=rng.randrange(2**31))
    if number == 0:
        return place
    return _peopled(place, number, rng)


def _peopled(place: Scene, number: int, rng: Random) -> Scene:
    people = tuple(random_person(rng) for _ in range(number))
    able = [action for action in ACTIONS if (action.one if number == 1 else action.two)]
    action = rng.choices(able, weights=[3 if action.name in ("hold", "stand", "talk") else 1 for action in able])[0]
    return Scene(
        place.location,
        place.time,
        place.weather,
        place.shot,
        people,
        action,
        rng.choice(action.props) if action.props else "",
        rng.choice(EXPRESSIONS),
        place.style,
        place.seed,
    )


_PEOPLE_LIGHT = {
    "morning": (1.0, 0.98, 0.94),
    "noon": (1.0, 1.0, 1.0),
    "sunset": (1.0, 0.88, 0.78),
    "night": (0.76, 0.8, 0.96),
}


def draw(scene: Scene) -> np.ndarray:
    """The picture of a scene: float32 (128, 128, 3), 0 to 1."""
    rng = Random(scene.seed)
    picture = draw_place(scene.location, scene.time, scene.weather, scene.shot, rng)
    picture = weather_behind(picture, scene.weather, scene.time)
    falling = weather_before(scene.weather, rng)
    if falling is not None:
        picture = _laid_over(picture, np.asarray(falling, dtype=np.float32) / 255, 0.75)
    if scene.people and scene.action is not None:
        face = scene.expression.name if scene.expression else "calm"
        layer = draw_people(scene.people, scene.action.name, scene.prop, face, scene.shot, rng.uniform(-3.5, 3.5))
        drawn = np.asarray(layer, dtype=np.float32) / 255
        drawn[..., :3] *= np.asarray(_PEOPLE_LIGHT[scene.time], dtype=np.float32)
        picture = _laid_over(picture, drawn, 1.0)
    picture = np.clip(picture, 0, 1)
    if isinstance(scene.style, Look):
        return apply_look(picture, scene.style)
    return apply_style(picture, scene.style) if scene.style else np.asarray(picture, dtype=np.float32)


def _laid_over(picture: np.ndarray, layer: np.ndarray, strength: float) -> np.ndarray:
    alpha = layer[..., 3:] * strength
    return np.asarray(picture * (1 - alpha) + layer[..., :3] * alpha)


def as_bytes(picture: np.ndarray) -> np.ndarray:
    """The picture as uint8 (128, 128, 3)."""
    return np.asarray(np.round(picture * 255), dtype=np.uint8)

"""What a scene means, as numbers: the answer sheet by which the text encoder learns to read.

Learning to read from blurred pictures alone is slow. A caption's last word is therefore also asked for every factor of
its scene; the U-Net then finds the answers in one place. Factors that a caption leaves out can only be guessed, which
does no harm.
"""

from collections.abc import Callable, Sequence

import numpy as np

from moviellm.pocket.look_space import LOOK_DARKS, LOOK_EDGES, LOOK_LIGHTS, LOOK_TEXTURES, Look, named
from moviellm.pocket.scene import Scene
from moviellm.pocket.vocabulary import (
    ACTIONS,
    BUILDS,
    COLOURS,
    EXPRESSIONS,
    HAIR_COLOURS,
    KINDS,
    LOCATIONS,
    PROPS,
    SHOTS,
    STYLES,
    TIMES,
    WEATHERS,
    Person,
)

Field = tuple[tuple[str, ...], Callable[[Scene], str | None]]
"""The possible answers, and the right one for a scene, or None where the question makes no sense."""


def _unique(lists: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for words in lists for word in words))


_PERSON: tuple[tuple[tuple[str, ...], Callable[[Person], str]], ...] = (
    (tuple(kind.name for kind in KINDS), lambda person: person.kind),
    (HAIR_COLOURS, lambda person: person.hair_colour),
    (_unique([kind.hair_styles for kind in KINDS]), lambda person: person.hair_style),
    (COLOURS, lambda person: person.colour),
    (_unique([kind.garments for kind in KINDS]), lambda person: person.garment),
    (("", *BUILDS), lambda person: person.build),
    (("", *_unique([kind.extras for kind in KINDS])), lambda person: person.extra),
)


def _of_person(number: int, ask: Callable[[Person], str]) -> Callable[[Scene], str | None]:
    return lambda scene: ask(scene.people[number]) if number < len(scene.people) else None


def _of_look(ask: Callable[[Look], str]) -> Callable[[Scene], str | None]:
    return lambda scene: ask(scene.style) if isinstance(scene.style, Look) else None


FIELDS: tuple[Field, ...] = (
    (tuple(location.name for location in LOCATIONS), lambda scene: scene.location.name),
    (TIMES, lambda scene: scene.time),
    (WEATHERS, lambda scene: scene.weather),
    (SHOTS, lambda scene: scene.shot),
    (("0", "1", "2"), lambda scene: str(len(scene.people))),
    (
        ("", "look", *(style.keyword for style in STYLES)),
        lambda scene: "look" if isinstance(scene.style, Look) else scene.style,
    ),
    (tuple(LOOK_DARKS), _of_look(lambda look: named(look.dark, LOOK_DARKS))),
    (tuple(LOOK_LIGHTS), _of_look(lambda look: named(look.light, LOOK_LIGHTS))),
    (tuple(LOOK_TEXTURES), _of_look(lambda look: look.texture)),
    (tuple(LOOK_EDGES), _of_look(lambda look: look.edges)),
    (("ink", "none"), _of_look(lambda look: "ink" if look.ink else "none")),
    (tuple(action.name for action in ACTIONS), lambda scene: scene.action.name if scene.action else None),
    (("", *PROPS), lambda scene: scene.prop if scene.people else None),
    (tuple(face.name for face in EXPRESSIONS), lambda scene: scene.expression.name if scene.expression else None),
    *((answers, _of_person(0, ask)) for answers, ask in _PERSON),
    *((answers, _of_person(1, ask)) for answers, ask in _PERSON),
)

SIZES: tuple[int, ...] = tuple(len(answers) for answers, _ in FIELDS)
"""Answers of each field."""


def meaning(scene: Scene) -> np.ndarray:
    """The numbers of the right answers, int8 (fields,), −1 where there is none."""
    found = [(answers, answer(scene)) for answers, answer in FIELDS]
    return np.asarray([-1 if right is None else answers.index(right) for answers, right in found], dtype=np.int8)

"""What to ask of a generated picture: can one tell from it what was asked for?

Each factor of a scene is a question with a fixed list of answers. Classifiers learn to answer from drawn pictures; how
often they find the right answer in generated ones, beside how often in drawn ones of the same scenes, measures the
model. Some questions cannot be answered everywhere (no colours in a woodcut), and are asked only where they can.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from moviellm.pocket.dataset import EVALUATION_SEED, scene_at
from moviellm.pocket.look_space import Look
from moviellm.pocket.scene import Scene
from moviellm.pocket.vocabulary import COLOURS, LOCATIONS, SHOTS, STYLES, TIMES, kind_named

COLOURFUL = ("", "gothic", "watercolor", "pastel", "comic", "impressionist", "fairytale", "cinematic")
"""Styles in which the colour of a dress can be seen; the plain look is the empty string."""


@dataclass(frozen=True)
class Factor:
    """A question: its name, its answers, the right one for a scene, and where it can be asked."""

    name: str
    answers: tuple[str, ...]
    answer: Callable[[Scene], str]
    asked: Callable[[Scene], bool]
    goal: float


def _style(scene: Scene) -> str:
    return "look" if isinstance(scene.style, Look) else scene.style


def _always(_: Scene) -> bool:
    return True


def _peopled(scene: Scene) -> bool:
    return bool(scene.people)


def _in_colour(scene: Scene) -> bool:
    return _style(scene) in COLOURFUL


FACTORS: tuple[Factor, ...] = (
    Factor("location", tuple(place.name for place in LOCATIONS), lambda scene: scene.location.name, _always, 0.97),
    Factor("shot size", SHOTS, lambda scene: scene.shot, _peopled, 0.95),
    Factor("style", ("", "look", *(style.keyword for style in STYLES)), _style, _always, 0.97),
    Factor(
        "clothing colour",
        COLOURS,
        lambda scene: scene.people[0].colour,
        lambda scene: _peopled(scene) and _in_colour(scene),
        0.9,
    ),
    Factor("number of people", ("0", "1", "2"), lambda scene: str(len(scene.people)), _always, 0.9),
    Factor("time of day", TIMES, lambda scene: scene.time, _in_colour, 0.9),
    Factor(
        "man or woman",
        ("man", "woman"),
        lambda scene: "woman" if kind_named(scene.people[0].kind).female else "man",
        _peopled,
        0.8,
    ),
)


def held_out_scenes(number: int) -> list[Scene]:
    """Scenes of a seed that training has never used."""
    return [scene_at(EVALUATION_SEED, index) for index in range(number)]


def labels(scenes: Sequence[Scene]) -> dict[str, np.ndarray]:
    """For every factor the number of the right answer, int64 (N,), −1 where the question is not asked."""
    return {
        factor.name: np.asarray(
            [factor.answers.index(factor.answer(scene)) if factor.asked(scene) else -1 for scene in scenes]
        )
        for factor in FACTORS
    }


def shares_right(guesses: dict[str, np.ndarray], truth: dict[str, np.ndarray]) -> dict[str, float]:
    """For every factor the share of right guesses among the questions asked; NaN where none was."""
    shares = {}
    for name, right in truth.items():
        asked = right >= 0
        shares[name] = float(np.mean(guesses[name][asked] == right[asked])) if asked.any() else float("nan")
    return shares


def told_apart(scenes: Sequence[Scene], truth: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], ...]:
    """The labels of scenes that are plain or in a style with a name, and of scenes in a look; −1 for the others."""
    looks = np.asarray([isinstance(scene.style, Look) for scene in scenes])
    return tuple({name: np.where(chosen, right, -1) for name, right in truth.items()} for chosen in (~looks, looks))


def table(columns: dict[str, dict[str, float]]) -> str:
    """Shares by factor side by side, as Markdown; a dash where nothing was asked."""
    rows = [f"| factor | {' | '.join(columns)} | goal |", "|---" * (len(columns) + 2) + "|"]
    for factor in FACTORS:
        shares = [column[factor.name] for column in columns.values()]
        told = ["–" if np.isnan(share) else f"{share:.2f}" for share in shares]
        rows.append(f"| {factor.name} | {' | '.join(told)} | {factor.goal:.2f} |")
    return "\n".join(rows)

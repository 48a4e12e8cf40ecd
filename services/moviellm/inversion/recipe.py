"""The numbers of the optimisation."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Recipe:
    """How to optimise. The learning rate falls linearly from `learning_rate` to `final_rate` times it.

    Every `evaluate_every` steps the loss is taken on a fixed set of `held_out` triples of picture, time and noise;
    the vectors that were best there are the result, and after `patience` evaluations without a better one it ends.
    """

    steps: int
    learning_rate: float
    batch_size: int
    final_rate: float = 0.3
    evaluate_every: int = 25
    held_out: int = 32
    patience: int = 4


POCKET = Recipe(steps=100, learning_rate=2e-2, batch_size=4, final_rate=0.1, evaluate_every=20, held_out=24, patience=3)
"""For the embedded model: a held-out style is learnt after 50 to 75 steps, some 20 seconds of one core in all."""

LARGE = Recipe(steps=400, learning_rate=1e-3, batch_size=2)
"""For Stable Diffusion and SDXL: rates from 1e-3 to 3e-4 and two pictures a step, as published."""


def recipe_for(model: str, *, steps: int = 0, learning_rate: float = 0.0, batch_size: int = 0) -> Recipe:
    """The recipe of a model by name, with what is not 0 put in its place."""
    own = POCKET if model == "pocket" else LARGE
    return replace(
        own,
        steps=steps or own.steps,
        learning_rate=learning_rate or own.learning_rate,
        batch_size=batch_size or own.batch_size,
    )

"""The numbers of the optimisation."""

from dataclasses import dataclass, replace

from moviellm import pocket


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

    mirror: bool = True
    """Whether the mirror images of pictures are learnt from too; not where a model's patterns have a direction."""

    sampled_steps: int = 0
    """Only the noise of a sampler of so many trailing steps is learnt at; 0 for all noise alike."""

    vectors: int = 1
    """Vectors of a style whose request does not say how many."""

    word_by_word: bool = False
    """Whether a style of more telling words than `vectors` gets one for each, `MAX_VECTORS` at most."""

    @property
    def ways(self) -> int:
        """How many latents there are of a picture."""
        return 2 if self.mirror else 1


PAPER_POCKET = Recipe(
    steps=100, learning_rate=2e-2, batch_size=4, final_rate=0.1, evaluate_every=20, held_out=24, patience=3
)
"""The paper's way for the embedded model: one vector, plain loss."""

POCKET = Recipe(
    steps=60,
    learning_rate=4e-3,
    batch_size=4,
    final_rate=0.1,
    evaluate_every=10,
    held_out=24,
    patience=2,
    vectors=8,
    mirror=False,
    sampled_steps=pocket.STEPS,
    word_by_word=True,
)
"""For the embedded model: a vector for each word of the style, which begins as that word: little is left to learn."""

LARGE = Recipe(steps=400, learning_rate=1e-3, batch_size=2)
"""For Stable Diffusion and SDXL: rates from 1e-3 to 3e-4, two pictures a step and one vector, as published."""


def recipe_for(model: str, *, steps: int = 0, learning_rate: float = 0.0, batch_size: int = 0) -> Recipe:
    """The recipe of a model by name, with what is not 0 put in its place."""
    own = POCKET if model == "pocket" else LARGE
    return replace(
        own,
        steps=steps or own.steps,
        learning_rate=learning_rate or own.learning_rate,
        batch_size=batch_size or own.batch_size,
    )

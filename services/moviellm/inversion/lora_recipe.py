"""The numbers of learning a LoRA."""

from dataclasses import dataclass, replace

from moviellm import pocket


@dataclass(frozen=True)
class LoraRecipe:
    """How to optimise; as in textual inversion. `rank` is that of every layer's change."""

    steps: int
    learning_rate: float
    batch_size: int
    rank: int
    final_rate: float = 0.1
    evaluate_every: int = 25
    held_out: int = 32
    patience: int = 4

    mirror: bool = True
    """Whether the mirror images of pictures are learnt from too; not where a model's patterns have a direction."""

    sampled_steps: int = 0
    """Only the noise of a sampler of so many trailing steps is learnt at; 0 for all noise alike."""

    @property
    def ways(self) -> int:
        """How many latents there are of a picture."""
        return 2 if self.mirror else 1


POCKET = LoraRecipe(
    steps=100,
    learning_rate=2e-3,
    batch_size=4,
    rank=4,
    evaluate_every=20,
    held_out=24,
    patience=3,
    mirror=False,
    sampled_steps=pocket.STEPS,
)
"""For the embedded model."""

LARGE = LoraRecipe(steps=500, learning_rate=1e-4, batch_size=2, rank=8)
"""For Stable Diffusion and SDXL: the rate that is usual for LoRAs of their attention."""


def lora_recipe_for(
    model: str, *, steps: int = 0, learning_rate: float = 0.0, batch_size: int = 0, rank: int = 0
) -> LoraRecipe:
    """The recipe of a model by name, with what is not 0 put in its place."""
    own = POCKET if model == "pocket" else LARGE
    return replace(
        own,
        steps=steps or own.steps,
        learning_rate=learning_rate or own.learning_rate,
        batch_size=batch_size or own.batch_size,
        rank=rank or own.rank,
    )

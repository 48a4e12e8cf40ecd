"""SDXL's second model, which takes the last steps of the denoising."""

from collections.abc import Sequence
from typing import Any

import torch
from diffusers import DiffusionPipeline, StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline
from torch import Tensor

from moviellm.errors import Unsatisfied
from moviellm.pipelines.diffusers_prompts import EncodedPrompts, Learned, LearnedVectors, PromptEncoder
from moviellm.rendering.picture import Job, Recipe


class Refiner:
    """Goes on where the base model stopped, with its latents and the same prompts.

    Its text encoder is the base model's second one, so a learnt style's second vectors stand in its prompts too.
    """

    def __init__(self, pipe: DiffusionPipeline, base: DiffusionPipeline, *, setting: str) -> None:
        if not isinstance(base, StableDiffusionXLPipeline) or not isinstance(pipe, StableDiffusionXLImg2ImgPipeline):
            raise Unsatisfied(
                f"{setting}: is a {type(pipe).__name__} for a {type(base).__name__}: a refiner is a "
                "StableDiffusionXLImg2ImgPipeline and refines a StableDiffusionXLPipeline; leave it empty to do without"
            )
        if (
            pipe.unet.config.in_channels != base.unet.config.in_channels
            or pipe.vae_scale_factor != base.vae_scale_factor
        ):
            raise Unsatisfied(f"{setting}: its latents are not those of the model: give the model's own refiner")
        self._pipe = pipe
        self._encoder = PromptEncoder(pipe)

    def refine(
        self, latents: Tensor, jobs: Sequence[Job], recipe: Recipe, generators: Sequence[torch.Generator]
    ) -> Any:
        """Pictures as floats from 0 to 1, (n, 3, height, width), from latents that still hold noise."""
        prompts = [job.prompt for job in jobs]
        positive = self._encoder.encode(prompts, [self._looks(job) for job in jobs])
        negative = self._encoder.encode_negative([recipe.negative_prompt]).repeated(len(jobs))
        return self._pipe(
            **_embeddings(positive, negative),
            image=latents,
            denoising_start=1 - recipe.refiner_share,
            num_inference_steps=recipe.steps,
            guidance_scale=recipe.guidance_scale,
            guidance_rescale=recipe.guidance_rescale,
            original_size=(recipe.height, recipe.width),
            target_size=(recipe.height, recipe.width),
            generator=list(generators),
            output_type="pt",
        ).images

    def _looks(self, job: Job) -> Learned:
        """Vectors that were learnt for the same text encoder; other tokens are read as the text they are."""
        found = (
            LearnedVectors(look.token, look.vectors[1:])
            for look in job.learned
            if isinstance(look, LearnedVectors) and len(look.vectors) == 2
        )
        dims = self._encoder.dims
        return [look for look in found if tuple(int(vectors.shape[-1]) for vectors in look.vectors) == dims]


def _embeddings(positive: EncodedPrompts, negative: EncodedPrompts) -> dict[str, Tensor | None]:
    return {
        "prompt_embeds": positive.prompt_embeds,
        "pooled_prompt_embeds": positive.pooled,
        "negative_prompt_embeds": negative.prompt_embeds,
        "negative_pooled_prompt_embeds": negative.pooled,
    }

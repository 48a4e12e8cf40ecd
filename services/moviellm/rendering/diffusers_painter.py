"""The picture model: jobs → pixels, through the pipeline's own `__call__` with embeddings and noise made here.

The initial noise of a picture comes from a CPU generator with the picture's own seed, so that the picture is the same
in any batch, on any replica, on CPU and GPU, up to rounding. Batches padded to one size take the rounding away too:
kernels then see the same shapes whatever comes together.
"""

import inspect
import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import structlog
import torch
from diffusers import DiffusionPipeline

from moviellm import pocket
from moviellm.errors import Unsatisfied
from moviellm.pipelines.diffusers_loading import POCKET, picture_size
from moviellm.pipelines.diffusers_prompts import LearnedVectors, PromptEncoder, read_learned
from moviellm.rendering.picture import Job, Painted, Recipe, RenderOptions

log = structlog.get_logger()


class DiffusersPainter:
    """Paints batches with one pipeline. `paint` must run on one thread; the rest may be called from anywhere.

    Batches smaller than `pad_to` are filled up with copies of their last job, whose pictures are thrown away.
    """

    def __init__(self, pipe: DiffusionPipeline, *, model: str, pad_to: int = 0) -> None:
        self._pad_to = pad_to
        self._pipe = pipe
        self._encoder = PromptEncoder(pipe)
        self._defaults = _own_recipe(pipe, model)
        self._on_gpu = pipe.device.type == "cuda"

    def recipe(self, options: RenderOptions) -> Recipe:
        """The options with the model's defaults filled in."""
        own = self._defaults
        return Recipe(
            width=options.width or own.width,
            height=options.height or own.height,
            steps=options.steps or own.steps,
            guidance_scale=options.guidance_scale or own.guidance_scale,
            guidance_rescale=own.guidance_rescale,
            negative_prompt=options.negative_prompt,
        )

    def read_style(self, files: Sequence[bytes]) -> LearnedVectors:
        """The learnt style in its files; raises Broken for damaged ones, Unsatisfied for those of another model."""
        style = read_learned(*files)
        with torch.inference_mode():
            self._encoder.encode([style.token], [(style,)])
        return style

    def paint(self, jobs: Sequence[Job]) -> list[Painted | Exception]:
        """A result for each job, in order; jobs of one recipe are denoised together, whatever their styles."""
        results: list[Painted | Exception] = [RuntimeError("not painted")] * len(jobs)
        groups: dict[Recipe, list[int]] = {}
        for position, job in enumerate(jobs):
            groups.setdefault(job.recipe, []).append(position)
        for recipe, positions in groups.items():
            painted = self._try([jobs[position] for position in positions], recipe, self._pad_to)
            for position, result in zip(positions, painted, strict=True):
                results[position] = result
        return results

    def _try(self, jobs: Sequence[Job], recipe: Recipe, pad_to: int) -> Iterable[Painted | Exception]:
        """Paint a group; where the GPU's memory is too small for it, halve it."""
        try:
            return self._denoise(jobs, recipe, pad_to)
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
        except Exception as error:
            return [error] * len(jobs)
        half = max(len(jobs), pad_to) // 2
        if half == 0:
            size = f"{recipe.width} × {recipe.height}"
            return [Unsatisfied(f"one picture of {size} does not fit into the GPU's memory; ask for a smaller one")]
        parts = (jobs[first : first + half] for first in range(0, len(jobs), half))
        return [result for part in parts for result in self._try(part, recipe, min(pad_to, half))]

    @torch.inference_mode()
    def _denoise(self, wanted: Sequence[Job], recipe: Recipe, pad_to: int) -> list[Painted | Exception]:
        jobs = [*wanted, *[wanted[-1]] * (pad_to - len(wanted))]
        start = time.perf_counter()
        generators = [torch.Generator("cpu").manual_seed(job.seed) for job in jobs]
        images = self._pipe(
            **self._conditioning(jobs, recipe),
            latents=self._noise(generators, recipe),
            generator=generators,
            height=recipe.height,
            width=recipe.width,
            num_inference_steps=recipe.steps,
            guidance_scale=recipe.guidance_scale,
            guidance_rescale=recipe.guidance_rescale,
            output_type="np",
        ).images
        pixels = np.rint(np.asarray(images) * 255).astype(np.uint8)
        each = (time.perf_counter() - start) / len(wanted)
        return [Painted(picture, each, each if self._on_gpu else 0.0) for picture in pixels[: len(wanted)]]

    def _conditioning(self, jobs: Sequence[Job], recipe: Recipe) -> dict[str, Any]:
        encoded = self._encoder.encode([job.prompt for job in jobs], [job.learned for job in jobs])
        for position in encoded.truncated:
            log.warning("a prompt is longer than the text encoder reads; its end is lost", prompt=jobs[position].prompt)
        arguments = {"prompt_embeds": encoded.prompt_embeds, "pooled_prompt_embeds": encoded.pooled}
        if recipe.guidance_scale > 1:
            negative = self._encoder.encode_negative([recipe.negative_prompt] * len(jobs))
            arguments |= {
                "negative_prompt_embeds": negative.prompt_embeds,
                "negative_pooled_prompt_embeds": negative.pooled,
            }
        return {name: value for name, value in arguments.items() if value is not None}

    def _noise(self, generators: Sequence[torch.Generator], recipe: Recipe) -> torch.Tensor:
        factor = self._pipe.vae_scale_factor
        shape = (1, self._pipe.unet.config.in_channels, recipe.height // factor, recipe.width // factor)
        noise = torch.cat([torch.randn(shape, generator=generator) for generator in generators])
        return noise.to(self._pipe.device, self._pipe.unet.dtype)


def _own_recipe(pipe: DiffusionPipeline, model: str) -> Recipe:
    if model == POCKET:
        return Recipe(pocket.SIZE, pocket.SIZE, pocket.STEPS, pocket.GUIDANCE_SCALE, pocket.GUIDANCE_RESCALE)
    defaults = inspect.signature(type(pipe).__call__).parameters
    side = picture_size(pipe)
    return Recipe(side, side, defaults["num_inference_steps"].default, defaults["guidance_scale"].default)

"""The picture model: jobs → pixels, through the pipeline's own `__call__` with embeddings and noise made here.

The initial noise of a picture comes from a CPU generator with the picture's own seed, so that the picture is the same
in any batch, on any replica, on CPU and GPU, up to rounding. Batches padded to one size take the rounding away too:
kernels then see the same shapes whatever comes together.
"""

import contextlib
import inspect
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import structlog
import torch
from diffusers import DiffusionPipeline

from moviellm import pocket
from moviellm.errors import Unsatisfied
from moviellm.pipelines.diffusers_image_prompts import ImageLook, ImagePrompts
from moviellm.pipelines.diffusers_learned import Look, read_look
from moviellm.pipelines.diffusers_loading import POCKET, picture_size
from moviellm.pipelines.diffusers_lora import LowRank, LowRankAttention
from moviellm.pipelines.diffusers_prompts import PromptEncoder
from moviellm.rendering.diffusers_profiles import Profiles
from moviellm.rendering.diffusers_refiner import Refiner
from moviellm.rendering.picture import Job, Painted, Recipe, Renderer, RenderOptions, RenderProfile
from moviellm.rendering.profiles import PROFILES

log = structlog.get_logger()
L = TypeVar("L")


class DiffusersPainter:
    """Paints batches with one pipeline. `paint` must run on one thread; the rest may be called from anywhere.

    Batches smaller than `pad_to` are filled up with copies of their last job, whose pictures are thrown away.
    `profiles` are the few-step ways of sampling by their LoRA files, `profile` the one of requests that name none.
    """

    def __init__(
        self,
        pipe: DiffusionPipeline,
        *,
        model: str,
        pad_to: int = 0,
        profiles: Mapping[str, str] | None = None,
        profile: str = "",
        images: ImagePrompts | None = None,
        refiner: Refiner | None = None,
    ) -> None:
        self._pad_to = pad_to
        self._pipe = pipe
        self._model = model
        self._encoder = PromptEncoder(pipe)
        self._low_rank = LowRankAttention(pipe.unet)
        self._images = images
        self._profiles = Profiles(pipe, profiles or {}, setting="MOVIELLM_RENDERING_PROFILES")
        self._profile = profile
        self._refiner = refiner
        self._defaults = _own_recipe(pipe, model)
        self._on_gpu = pipe.device.type == "cuda"

    @property
    def renderer(self) -> Renderer:
        """What it can do."""
        own = self._defaults
        return Renderer(
            model=self._model,
            width=own.width,
            height=own.height,
            own=self._sampling(self._profile),
            profiles=tuple(self._sampling(name) for name in self._profiles.names),
            refiner=self._refiner is not None,
            ip_adapter=self._images is not None,
        )

    def recipe(self, options: RenderOptions) -> Recipe:
        """The options with the model's defaults filled in."""
        own, sampling = self._defaults, self._sampling(options.profile or self._profile)
        return Recipe(
            width=options.width or own.width,
            height=options.height or own.height,
            steps=options.steps or sampling.steps,
            guidance_scale=options.guidance_scale or sampling.guidance_scale,
            guidance_rescale=0.0 if sampling.name else own.guidance_rescale,
            negative_prompt=options.negative_prompt,
            profile=sampling.name,
            refiner_share=options.refiner_share,
        )

    def read_style(self, files: Sequence[bytes]) -> Look:
        """The learnt style in its files; raises Broken for damaged ones, Unsatisfied for those of another model."""
        look = read_look(files)
        if isinstance(look, LowRank):
            self._low_rank.check(look)
            return look.to(self._low_rank.like)
        if isinstance(look, ImageLook):
            if self._images is None:
                raise Unsatisfied(
                    f"the look {look.token} is held by an IP-Adapter and the renderer has none: set "
                    "MOVIELLM_RENDERING_IP_ADAPTER to the one that MOVIELLM_INVERSION_IP_ADAPTER names"
                )
            self._images.check(look)
            return look
        with torch.inference_mode():
            self._encoder.encode([look.token], [(look,)])
        return look

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
        self._profiles.use(recipe.profile)
        with self._looks(jobs, recipe):
            images = self._sampled(jobs, recipe, generators)
        if self._refiner is not None and recipe.refiner_share:
            images = self._refiner.refine(images, jobs, recipe, generators)
        pixels = _bytes(images)
        each = (time.perf_counter() - start) / len(wanted)
        return [Painted(picture, each, each if self._on_gpu else 0.0) for picture in pixels[: len(wanted)]]

    def _sampled(self, jobs: Sequence[Job], recipe: Recipe, generators: list[torch.Generator]) -> Any:
        """Pictures as floats from 0 to 1, (n, 3, height, width), or latents for the refiner to go on with."""
        ending: dict[str, Any] = {"output_type": "pt"}
        if recipe.refiner_share:
            ending = {"output_type": "latent", "denoising_end": 1 - recipe.refiner_share}
        return self._pipe(
            **self._conditioning(jobs, recipe),
            latents=self._noise(generators, recipe),
            generator=generators,
            height=recipe.height,
            width=recipe.width,
            num_inference_steps=recipe.steps,
            guidance_scale=recipe.guidance_scale,
            guidance_rescale=recipe.guidance_rescale,
            **ending,
        ).images

    @contextlib.contextmanager
    def _looks(self, jobs: Sequence[Job], recipe: Recipe) -> Iterator[None]:
        """Learnt styles that are no vectors in prompts, each for its own pictures."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._low_rank.applied([_first(job, LowRank) for job in jobs]))
            if self._images is not None:
                guided = recipe.guidance_scale > 1 and self._pipe.unet.config.time_cond_proj_dim is None
                looks = [_first(job, ImageLook) for job in jobs]
                stack.enter_context(self._images.applied(looks, guided=guided))
            yield

    def _sampling(self, profile: str) -> RenderProfile:
        if profile:
            return PROFILES[profile]
        return RenderProfile("", self._defaults.steps, self._defaults.guidance_scale)

    def _conditioning(self, jobs: Sequence[Job], recipe: Recipe) -> dict[str, Any]:
        vectors = [[look for look in job.learned if not isinstance(look, LowRank | ImageLook)] for job in jobs]
        encoded = self._encoder.encode([job.prompt for job in jobs], vectors)
        for position in encoded.truncated:
            log.warning("a prompt is longer than the text encoder reads; its end is lost", prompt=jobs[position].prompt)
        arguments = {"prompt_embeds": encoded.prompt_embeds, "pooled_prompt_embeds": encoded.pooled}
        if recipe.guidance_scale > 1:
            negative = self._encoder.encode_negative([recipe.negative_prompt]).repeated(len(jobs))
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


def _bytes(images: torch.Tensor) -> npt.NDArray[np.uint8]:
    """Floats from 0 to 1 (n, 3, height, width) as bytes (n, height, width, 3).

    Rounded where they are, so that a quarter of the data leaves a GPU and its thread does not wait for numpy.
    """
    return (images.float() * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()


def _first(job: Job, kind: type[L]) -> L | None:
    return next((look for look in job.learned if isinstance(look, kind)), None)


def _own_recipe(pipe: DiffusionPipeline, model: str) -> Recipe:
    if model == POCKET:
        return Recipe(pocket.SIZE, pocket.SIZE, pocket.STEPS, pocket.GUIDANCE_SCALE, pocket.GUIDANCE_RESCALE)
    defaults = inspect.signature(type(pipe).__call__).parameters
    side = picture_size(pipe)
    return Recipe(side, side, defaults["num_inference_steps"].default, defaults["guidance_scale"].default)

"""The shipped model at work: load it, and ask it for pictures by the recommended recipe."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import DiffusionPipeline

from moviellm.pocket import GUIDANCE_RESCALE, GUIDANCE_SCALE, STEPS, WEIGHTS


@dataclass(frozen=True)
class Recipe:
    """How to sample."""

    steps: int = STEPS
    guidance: float = GUIDANCE_SCALE
    rescale: float = GUIDANCE_RESCALE
    batch: int = 8


def load(weights: Path = WEIGHTS) -> DiffusionPipeline:
    """The pipeline in single precision, on the processor, without progress bars; needs no network."""
    pipeline = DiffusionPipeline.from_pretrained(weights, dtype=torch.float32, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    for part in (pipeline.unet, pipeline.vae):
        part.to(memory_format=torch.channels_last)
    return pipeline


@dataclass(frozen=True)
class Gallery:
    """Pictures uint8 (N, 128, 128, 3) and the seconds that each took."""

    pictures: np.ndarray
    seconds: float


def paint(pipeline: DiffusionPipeline, prompts: Sequence[str], recipe: Recipe, seed: int = 0) -> Gallery:
    """One picture a prompt; picture `i` starts from the noise of seed + i, whatever its batch."""
    parts, started = [], time.perf_counter()
    for at in range(0, len(prompts), recipe.batch):
        chosen = list(prompts[at : at + recipe.batch])
        generators = [torch.Generator().manual_seed(seed + at + number) for number in range(len(chosen))]
        parts.append(
            pipeline(
                chosen,
                num_inference_steps=recipe.steps,
                guidance_scale=recipe.guidance,
                guidance_rescale=recipe.rescale,
                generator=generators,
                output_type="np",
            ).images
        )
    pictures = np.round(np.concatenate(parts) * 255).astype(np.uint8)
    return Gallery(pictures, (time.perf_counter() - started) / len(prompts))

"""Loads Stable-Diffusion-family pipelines with diffusers, from a directory or a hub id."""

from typing import Any, Literal

import diffusers
import torch
import transformers
from diffusers import (
    DiffusionPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
)

from moviellm.errors import Unsatisfied
from moviellm.pipelines.places import POCKET as POCKET
from moviellm.pipelines.places import model_source

Device = Literal["auto", "cpu", "cuda"]
DType = Literal["auto", "float32", "bfloat16", "float16"]

FAMILIES: tuple[type, ...] = (StableDiffusionPipeline, StableDiffusionXLPipeline)
"""Pipelines whose text encoders take spliced style vectors; their subclasses do too."""

REFINERS: tuple[type, ...] = (StableDiffusionXLImg2ImgPipeline,)
"""Pipelines that can take the last steps of a Stable Diffusion XL model's denoising."""


def load_pipeline(
    model: str,
    *,
    device: Device = "auto",
    dtype: DType = "auto",
    local_files_only: bool = False,
    setting: str = "model",
    families: tuple[type, ...] = FAMILIES,
) -> DiffusionPipeline:
    """The pipeline of `model`, one of `families`: "pocket", a directory, or a hub id such as "org/name".

    All weights are frozen and in evaluation mode, the safety checker is left out, progress bars are off. `auto` takes
    the GPU where there is one, in bfloat16 (float16 on older GPUs), and float32 on the CPU. `setting` is the name of
    the setting that `model` came from, for messages. Raises Unsatisfied, naming the setting and the remedy, for
    another family of pipelines and for a directory that is missing or damaged.
    """
    place = resolve_device(device, setting)
    source = model_source(model, setting)
    cls = _pipeline_class(source, setting, local_files_only, families)
    options: dict[str, Any] = {"use_safetensors": True, "local_files_only": local_files_only}
    if issubclass(cls, StableDiffusionPipeline):
        options |= {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    try:
        pipe = cls.from_pretrained(source, dtype=resolve_dtype(dtype, place, model), **options)
    except Exception as error:  # many libraries read these files, each with errors of its own
        raise Unsatisfied(f"{setting}: the model {source} cannot be loaded: {_first_line(error)}") from error
    pipe.set_progress_bar_config(disable=True)
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.requires_grad_(False).eval()
    for part in (pipe.unet, pipe.vae):
        part.to(memory_format=torch.channels_last)  # convolutions are faster so, on processors by a fifth
    return pipe.to(place)


def resolve_device(device: Device, setting: str = "device") -> str:
    """ "cpu" or "cuda"; raises Unsatisfied where a GPU is asked for and there is none."""
    if device == "cuda" and not torch.cuda.is_available():
        raise Unsatisfied(f"{setting}: device cuda is asked for, but this process sees no GPU; use cpu or auto")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def resolve_dtype(dtype: DType, device: str, model: str) -> torch.dtype:
    """The number format of the weights.

    `auto` is float32 on the CPU, where half precision is slower, and for the pocket model, whose decoder counts pixels.
    """
    if dtype != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[dtype]
    if device == "cpu" or model == POCKET:
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def use_torch_threads(count: int) -> None:
    """CPU threads of torch, for the calling thread: call it in the thread that runs the pipeline; 0 changes nothing."""
    if count > 0:
        torch.set_num_threads(count)


def picture_size(pipe: DiffusionPipeline) -> int:
    """Height and width that the pipeline was made for, in pixels."""
    sample_size = pipe.unet.config.sample_size
    side = sample_size if isinstance(sample_size, int) else min(sample_size)
    return int(side) * int(pipe.vae_scale_factor)


def save_memory(
    pipe: DiffusionPipeline, *, attention_slicing: bool = False, vae_slicing: bool = False, vae_tiling: bool = False
) -> None:
    """Take less GPU memory at the cost of time: attention in slices, pictures decoded one by one or in tiles."""
    if attention_slicing:
        pipe.enable_attention_slicing()
    if vae_slicing:
        pipe.vae.enable_slicing()
    if vae_tiling:
        pipe.vae.enable_tiling()


def _pipeline_class(source: str, setting: str, local_files_only: bool, families: tuple[type, ...]) -> Any:
    try:
        name = str(DiffusionPipeline.load_config(source, local_files_only=local_files_only)["_class_name"])
    except Exception as error:
        raise Unsatisfied(
            f"{setting}: the model {source} cannot be found or read ({_first_line(error)}): give a directory that "
            f'holds a model_index.json, a hub id that can be reached, or "{POCKET}"'
        ) from error
    cls = getattr(diffusers, name, None)
    if not (isinstance(cls, type) and issubclass(cls, families)):
        known = ", ".join(family.__name__ for family in families)
        raise Unsatisfied(f"{setting}: {source} is a {name}; the pipelines that can be used here are {known}")
    return cls


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__

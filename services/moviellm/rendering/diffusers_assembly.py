"""The painter that the settings describe: the model, and what was set beside it."""

from moviellm.pipelines.diffusers_image_prompts import ImagePrompts
from moviellm.pipelines.diffusers_loading import REFINERS, load_pipeline, save_memory
from moviellm.pipelines.image_adapters import adapter_place
from moviellm.rendering.diffusers_painter import DiffusersPainter
from moviellm.rendering.diffusers_refiner import Refiner
from moviellm.rendering.folders import IP_ADAPTER, REFINER
from moviellm.rendering.settings import RenderingSettings


def load_painter(settings: RenderingSettings) -> DiffusersPainter:
    """Load everything, on the thread that will paint; raises Unsatisfied, naming the setting, for what cannot work."""
    pipe = load_pipeline(
        settings.model,
        device=settings.device,
        dtype=settings.dtype,
        local_files_only=settings.offline,
        setting="MOVIELLM_RENDERING_MODEL",
    )
    save_memory(
        pipe,
        attention_slicing=settings.attention_slicing,
        vae_slicing=settings.vae_slicing,
        vae_tiling=settings.vae_tiling,
    )
    images = None
    if settings.ip_adapter:
        place = adapter_place(settings.ip_adapter, IP_ADAPTER)
        images = ImagePrompts(pipe, place, scale=settings.ip_adapter_scale, setting=IP_ADAPTER)
    return DiffusersPainter(
        pipe,
        model=settings.model,
        pad_to=settings.max_batch_size if settings.pad_batches else 0,
        profiles=settings.profiles,
        profile=settings.profile,
        images=images,
        refiner=_refiner(settings, pipe) if settings.refiner else None,
    )


def _refiner(settings: RenderingSettings, base: object) -> Refiner:
    pipe = load_pipeline(
        settings.refiner,
        device=settings.device,
        dtype=settings.dtype,
        local_files_only=settings.offline,
        setting=REFINER,
        families=REFINERS,
    )
    save_memory(pipe, vae_slicing=settings.vae_slicing, vae_tiling=settings.vae_tiling)
    return Refiner(pipe, base, setting=REFINER)

"""The teacher: a pipeline loaded with diffusers, whose weights all stay as they are."""

import dataclasses
import hashlib

from diffusers import DiffusionPipeline

from moviellm.inversion.diffusers_checkpoint import state_of
from moviellm.inversion.diffusers_denoising import Denoising, encode_pictures
from moviellm.inversion.diffusers_lesson import DiffusersLesson
from moviellm.inversion.lessons import StyleTask
from moviellm.inversion.pictures import Square, mirrored
from moviellm.inversion.recipe import Recipe, recipe_for
from moviellm.inversion.settings import InversionSettings
from moviellm.pipelines.diffusers_loading import load_pipeline, picture_size
from moviellm.pipelines.diffusers_prompts import PromptEncoder


class DiffusersTeacher:
    """A loaded pipeline that styles can be learnt for; all of its weights stay as they are."""

    def __init__(self, pipe: DiffusionPipeline, recipe: Recipe, *, model: str) -> None:
        self.model = model
        self.on_gpu = pipe.device.type == "cuda"
        self.picture_size = picture_size(pipe)
        self.pipe = pipe
        self.encoder = PromptEncoder(pipe)
        self.denoising = Denoising(pipe, self.picture_size)
        self._recipe = recipe
        self.weights = _weights_digest(pipe)

    def recipe(self, task: StyleTask) -> Recipe:
        """The recipe with the task's own number of steps."""
        return dataclasses.replace(self._recipe, steps=task.steps or self._recipe.steps)

    def settings(self, task: StyleTask) -> dict[str, str | int | float]:
        """The recipe, the number format and a digest that changes when the model is trained anew."""
        recipe: dict[str, str | int | float] = dataclasses.asdict(self.recipe(task))
        return recipe | {"dtype": str(self.pipe.unet.dtype).removeprefix("torch."), "weights": self.weights}

    def begin(
        self, task: StyleTask, pictures: tuple[Square, ...], fingerprint: str, checkpoint: bytes | None
    ) -> DiffusersLesson:
        """Encode the pictures and their mirror images once, then start or go on from the checkpoint."""
        both_ways = [turned for picture in pictures for turned in (picture, mirrored(picture))]
        latents = encode_pictures(self.pipe, both_ways)
        return DiffusersLesson(
            task,
            recipe=self.recipe(task),
            encoder=self.encoder,
            denoising=self.denoising,
            latents=latents,
            fingerprint=fingerprint,
            state=state_of(checkpoint, fingerprint) if checkpoint else None,
        )


def load_teacher(settings: InversionSettings) -> DiffusersTeacher:
    """The teacher that the settings describe; raises Unsatisfied for a model that cannot be used."""
    pipe = load_pipeline(
        settings.model,
        device=settings.device,
        dtype=settings.dtype,
        local_files_only=settings.local_files_only,
        setting="MOVIELLM_INVERSION_MODEL",
    )
    if settings.gradient_checkpointing:
        pipe.unet.enable_gradient_checkpointing()
    if settings.attention_slicing:
        pipe.enable_attention_slicing()
    if settings.vae_tiling:
        pipe.vae.enable_tiling()
    recipe = recipe_for(
        settings.model,
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
    )
    return DiffusersTeacher(pipe, recipe, model=settings.model)


def _weights_digest(pipe: DiffusionPipeline) -> str:
    """Of the vocabulary and of the U-Net's first layer: no training leaves both as they were."""
    hashed = hashlib.sha256()
    for table in (pipe.text_encoder.get_input_embeddings().weight, pipe.unet.conv_in.weight):
        hashed.update(table.detach().float().cpu().contiguous().numpy().tobytes())
    return hashed.hexdigest()[:16]

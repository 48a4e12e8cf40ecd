"""The teacher: a pipeline loaded with diffusers, whose weights all stay as they are."""

import dataclasses
import hashlib

from diffusers import DiffusionPipeline

from moviellm.dataset import StyleMethod
from moviellm.inversion.diffusers_checkpoint import state_of
from moviellm.inversion.diffusers_denoising import Denoising, encode_pictures
from moviellm.inversion.diffusers_lesson import DiffusersLesson
from moviellm.inversion.diffusers_lora_lesson import LoraLesson
from moviellm.inversion.image_lesson import ImageLesson, no_adapter
from moviellm.inversion.lessons import Lesson, StyleTask
from moviellm.inversion.lora_recipe import LoraRecipe, lora_recipe_for
from moviellm.inversion.pictures import Square, mirrored
from moviellm.inversion.recipe import Recipe, recipe_for
from moviellm.inversion.settings import InversionSettings
from moviellm.pipelines.diffusers_image_prompts import ImageEmbedder
from moviellm.pipelines.diffusers_loading import load_pipeline, picture_size, save_memory
from moviellm.pipelines.diffusers_lora import LowRankAttention
from moviellm.pipelines.diffusers_prompts import PromptEncoder
from moviellm.pipelines.image_adapters import adapter_place


class DiffusersTeacher:
    """A loaded pipeline that styles can be learnt for; all of its weights stay as they are."""

    def __init__(
        self,
        pipe: DiffusionPipeline,
        recipe: Recipe,
        *,
        model: str,
        lora: LoraRecipe | None = None,
        images: ImageEmbedder | None = None,
    ) -> None:
        self.model = model
        self.on_gpu = pipe.device.type == "cuda"
        self.picture_size = picture_size(pipe)
        self.pipe = pipe
        self.encoder = PromptEncoder(pipe)
        self.denoising = Denoising(pipe, self.picture_size)
        self._recipe = recipe
        self._lora = lora or lora_recipe_for(model)
        self._images = images
        self._attention = LowRankAttention(pipe.unet)
        self.weights = _weights_digest(pipe, self._recipe, self._lora)

    def recipe(self, task: StyleTask) -> Recipe:
        """The recipe with the task's own numbers of steps and of vectors."""
        own = self._recipe
        return dataclasses.replace(own, steps=task.steps or own.steps, vectors=task.vectors or own.vectors)

    @property
    def methods(self) -> tuple[StyleMethod, ...]:
        """How styles can be learnt here."""
        always = (StyleMethod.TEXTUAL_INVERSION, StyleMethod.LORA)
        return always if self._images is None else (*always, StyleMethod.IP_ADAPTER)

    def settings(self, task: StyleTask) -> dict[str, str | int | float]:
        """The recipe, the number format and a digest that changes when the model is trained anew."""
        if task.method is StyleMethod.IP_ADAPTER:
            return {"adapter": self._images.name if self._images else "", "weights": self.weights}
        own = self._lora_recipe(task) if task.method is StyleMethod.LORA else self.recipe(task)
        recipe: dict[str, str | int | float] = dataclasses.asdict(own)
        return recipe | {"dtype": str(self.pipe.unet.dtype).removeprefix("torch."), "weights": self.weights}

    def begin(
        self, task: StyleTask, pictures: tuple[Square, ...], fingerprint: str, checkpoint: bytes | None
    ) -> Lesson:
        """Encode the pictures, and their mirror images if wanted, once; then start or go on from the checkpoint."""
        if task.method is StyleMethod.IP_ADAPTER:
            return ImageLesson(task, pictures, self._images.file if self._images else no_adapter)
        recipe = self._lora if task.method is StyleMethod.LORA else self._recipe
        turned = [way for picture in pictures for way in (picture, mirrored(picture))[: recipe.ways]]
        latents = encode_pictures(self.pipe, turned)
        state = state_of(checkpoint, fingerprint) if checkpoint else None
        if task.method is StyleMethod.LORA:
            return LoraLesson(
                task,
                recipe=self._lora_recipe(task),
                encoder=self.encoder,
                attention=self._attention,
                denoising=self.denoising,
                latents=latents,
                fingerprint=fingerprint,
                state=state,
            )
        return DiffusersLesson(
            task,
            recipe=self.recipe(task),
            encoder=self.encoder,
            denoising=self.denoising,
            latents=latents,
            fingerprint=fingerprint,
            state=state,
        )

    def _lora_recipe(self, task: StyleTask) -> LoraRecipe:
        return dataclasses.replace(self._lora, steps=task.steps or self._lora.steps)


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
    save_memory(pipe, attention_slicing=settings.attention_slicing, vae_tiling=settings.vae_tiling)
    recipe = recipe_for(
        settings.model,
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
    )
    lora = lora_recipe_for(
        settings.model,
        steps=settings.steps,
        learning_rate=settings.lora_learning_rate,
        batch_size=settings.batch_size,
        rank=settings.lora_rank,
    )
    images = None
    if settings.ip_adapter:
        setting = "MOVIELLM_INVERSION_IP_ADAPTER"
        images = ImageEmbedder.open(
            adapter_place(settings.ip_adapter, setting), device=pipe.device.type, setting=setting
        )
    return DiffusersTeacher(pipe, recipe, model=settings.model, lora=lora, images=images)


def _weights_digest(pipe: DiffusionPipeline, *recipes: Recipe | LoraRecipe) -> str:
    """Of the vocabulary and of the U-Net's first layer, which no training leaves as they were, and of how it is learnt.

    Styles are kept by it: by another recipe, the same pictures make another style.
    """
    hashed = hashlib.sha256(repr(recipes).encode())
    for table in (pipe.text_encoder.get_input_embeddings().weight, pipe.unet.conv_in.weight):
        hashed.update(table.detach().float().cpu().contiguous().numpy().tobytes())
    return hashed.hexdigest()[:16]

"""Looks as pictures: an IP-Adapter lets a U-Net attend to an embedding of the references, another for each picture.

The pipelines' own argument for it gives one embedding to a whole batch; here it is put before the U-Net instead, so
that one batch can mix the styles of several movies and pictures without any.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.torch
import torch
from diffusers import DiffusionPipeline
from diffusers.models.embeddings import ImageProjection
from torch import Tensor

from moviellm.errors import Broken, Unsatisfied
from moviellm.movie import IMAGE_FILE
from moviellm.pipelines.diffusers_lora import metadata_of
from moviellm.pipelines.image_adapters import AdapterPlace
from moviellm.pipelines.transformers_image_encoder import ImageEncoder

_EMBEDDING, _TOKEN = "image_embeds", "token"


@dataclass(frozen=True, eq=False)
class ImageLook:
    """The mean embedding (dim,) of a style's references; `token` is the word that prompts say the style with."""

    token: str
    embedding: Tensor


class ImagePrompts:
    """An IP-Adapter in the U-Net of a pipeline; every call of that U-Net must then be made within `applied`."""

    def __init__(self, pipe: DiffusionPipeline, place: AdapterPlace, *, scale: float, setting: str) -> None:
        try:
            weights = place.weights
            pipe.load_ip_adapter(
                str(weights.parent),
                subfolder="",
                weight_name=weights.name,
                image_encoder_folder=None,
                local_files_only=True,
            )
            (projection,) = pipe.unet.encoder_hid_proj.image_projection_layers
        except Exception as error:  # libraries read this file, each with errors of its own
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise Unsatisfied(f"{setting}: {place.weights} does not fit the model: {first}") from error
        if not isinstance(projection, ImageProjection):
            raise Unsatisfied(
                f"{setting}: {place.weights} is an adapter of another kind ({type(projection).__name__}): give a plain "
                "one, such as ip-adapter_sd15.safetensors or ip-adapter_sdxl.safetensors"
            )
        self._pipe = pipe
        self._projection = pipe.unet.encoder_hid_proj
        self._scale = scale
        self._like = projection.image_embeds.weight

    @property
    def dim(self) -> int:
        """Numbers of an embedding."""
        return int(self._like.shape[1])

    def check(self, look: ImageLook) -> None:
        """Raise Unsatisfied when the embedding is another image encoder's."""
        if look.embedding.shape != (self.dim,):
            raise Unsatisfied(
                f"the pictures of the style {look.token} were read by an image encoder of {len(look.embedding)} "
                f"numbers, this model's adapter takes {self.dim}: use the same adapter in inversion and rendering"
            )

    @contextlib.contextmanager
    def applied(self, looks: Sequence[ImageLook | None], *, guided: bool) -> Iterator[None]:
        """In its body, a batch's i-th picture looks at `looks[i]`.

        With guidance the batch is twice as long and its first half looks at an empty picture.
        """
        some = any(look is not None for look in looks)
        self._pipe.set_ip_adapter_scale(self._scale if some else 0.0)
        given = torch.stack([self._like.new_zeros(self.dim) if one is None else one.embedding for one in looks])
        given = given.to(self._like)[:, None]
        mask = self._like.new_tensor([float(look is not None) for look in looks])
        if guided:
            given, mask = torch.cat([torch.zeros_like(given), given]), mask.repeat(2)
        handles = [
            self._pipe.unet.register_forward_pre_hook(_with_embeddings(given), with_kwargs=True),
            self._projection.register_forward_hook(_masked(mask[:, None, None, None])),
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


class ImageEmbedder:
    """Turns references into a look, with the image encoder of an adapter."""

    def __init__(self, encoder: ImageEncoder, *, name: str) -> None:
        self._encoder = encoder
        self.name = name

    @classmethod
    def open(cls, place: AdapterPlace, *, device: str, setting: str) -> "ImageEmbedder":
        """That of the adapter at `place`; raises Unsatisfied, naming the setting, where it cannot be loaded."""
        return cls(ImageEncoder.open(place, device=device, setting=setting), name=place.weights.name)

    def file(self, token: str, pictures: Sequence[npt.NDArray[np.uint8]]) -> bytes:
        """The look of pictures, each uint8 (H, W, 3), as an `IMAGE_FILE`."""
        return write_image_look(ImageLook(token, self._encoder.mean(pictures)))


def read_image_look(data: bytes) -> ImageLook:
    """The look in an `IMAGE_FILE` as `write_image_look` made it; raises Broken for anything else."""
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise Broken(f"{IMAGE_FILE} is damaged: {error}") from error
    embedding, token = tensors.get(_EMBEDDING), metadata_of(data).get(_TOKEN, "")
    if embedding is None or embedding.ndim != 1 or not embedding.isfinite().all() or not token:
        raise Broken(f"{IMAGE_FILE} is damaged: it holds no finite embedding and the word it is said with")
    return ImageLook(token, embedding)


def write_image_look(look: ImageLook) -> bytes:
    """The look as a file."""
    tensors = {_EMBEDDING: look.embedding.detach().float().cpu().contiguous()}
    written: bytes = safetensors.torch.save(tensors, metadata={_TOKEN: look.token})
    return written


def _with_embeddings(given: Tensor) -> Any:
    def hook(unet: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        conditions = kwargs.get("added_cond_kwargs") or {}
        return args, kwargs | {"added_cond_kwargs": {**conditions, "image_embeds": [given]}}

    return hook


def _masked(mask: Tensor) -> Any:
    """Tokens of zeros add nothing to attention, because its layers for them have no bias."""

    def hook(projection: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> list[Tensor]:
        return [tokens * mask for tokens in output]

    return hook

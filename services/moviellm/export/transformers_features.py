"""Vision transformers of the transformers library as feature encoders."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image
from transformers import AutoConfig, AutoModel, PreTrainedModel

from moviellm.errors import Unsatisfied
from moviellm.export.features import Features

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


class TransformersEncoder:
    """A CLIP or EVA vision tower from a local folder.

    Pictures are scaled to the model's square and normalised as CLIP and EVA were trained. Features are taken where a
    layer hands on to the next, so that a closing norm, which trainers bring themselves, is not applied twice. Raises
    Unsatisfied for a folder that holds no such model.
    """

    def __init__(self, folder: str, *, device: str = "cuda" if torch.cuda.is_available() else "cpu") -> None:
        self.name = folder
        self._device = device
        self._model, self._layers, self._size = _load(folder)
        self._model.to(device).eval().requires_grad_(False)
        self.shape = self._probe()

    def encode(self, pictures: Sequence[bytes], layer: int) -> Features:
        """Float16 (pictures, tokens, numbers) after the layer, the class token first."""
        pixels = torch.stack([self._pixels(picture) for picture in pictures]).to(self._device)
        found: list[Any] = []
        hook = self._layers[layer].register_forward_hook(lambda module, inputs, output: found.append(output))
        try:
            with torch.inference_mode():
                self._model(pixel_values=pixels)
        finally:
            hook.remove()
        states = found[0][0] if isinstance(found[0], tuple) else found[0]
        features: Features = states.float().cpu().numpy().astype(np.float16)
        return features

    def _pixels(self, picture: bytes) -> torch.Tensor:
        with Image.open(io.BytesIO(picture)) as image:
            scaled = image.convert("RGB").resize((self._size, self._size), Image.Resampling.BICUBIC)
        values = (np.asarray(scaled, np.float32) / 255 - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
        return torch.from_numpy(values.transpose(2, 0, 1).copy())

    def _probe(self) -> tuple[int, int]:
        out = io.BytesIO()
        Image.new("RGB", (8, 8)).save(out, "PNG")
        found = self.encode([out.getvalue()], -1).shape
        if len(found) != 3:
            raise Unsatisfied(f"{self.name} gives features of {found}, not one vector a token", reason="WRONG_ENCODER")
        return found[1], found[2]


def _load(folder: str) -> tuple[Any, Any, int]:
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        model = _class_of(config).from_pretrained(folder, local_files_only=True, use_safetensors=True, config=config)
    except (OSError, ValueError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise Unsatisfied(
            f"{folder} holds no model that transformers loads: {first}", reason="WRONG_ENCODER"
        ) from error
    tower = getattr(model, "vision_model", model)
    lists = [module for module in tower.modules() if isinstance(module, torch.nn.ModuleList)]
    size = getattr(tower.config, "image_size", None)
    if not lists or not isinstance(size, int):
        raise Unsatisfied(f"{folder} holds no vision transformer", reason="WRONG_ENCODER")
    return tower, max(lists, key=len), size


def _class_of(config: Any) -> Any:
    """The class that wrote the folder: AutoModel does not know the EVA tower by itself."""
    name = (config.architectures or [""])[0]
    found = getattr(transformers, name, None)
    return found if isinstance(found, type) and issubclass(found, PreTrainedModel) else AutoModel

"""The image encoder of an IP-Adapter: pictures → the embedding that the adapter was trained with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import CLIPVisionModelWithProjection

from moviellm.errors import Unsatisfied
from moviellm.pipelines.image_adapters import AdapterPlace
from moviellm.pipelines.pillow_clip_input import ClipInput
from moviellm.pipelines.scorers import check_whole

_AT_ONCE = 8


class ImageEncoder:
    """A CLIP's vision tower in float32. Use it on one thread."""

    def __init__(self, model: Any, prepare: ClipInput) -> None:
        self._model = model.requires_grad_(False).eval()
        self._prepare = prepare

    @classmethod
    def open(cls, place: AdapterPlace, *, device: str, setting: str) -> "ImageEncoder":
        """The encoder beside an adapter; raises Unsatisfied, naming the setting, for one that cannot be loaded."""
        try:
            model, loaded = CLIPVisionModelWithProjection.from_pretrained(
                place.encoder,
                dtype=torch.float32,
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
            )
            check_whole(loaded)
            prepare = ClipInput.of(place.encoder, int(model.config.image_size))
        except Exception as error:  # many libraries read these files, each with errors of its own
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise Unsatisfied(f"{setting}: the image encoder {place.encoder} cannot be loaded: {first}") from error
        return cls(model.to(device), prepare)

    @torch.inference_mode()
    def mean(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> Tensor:
        """The mean embedding (dim,) of pictures, each uint8 (H, W, 3)."""
        parts = [pictures[first : first + _AT_ONCE] for first in range(0, len(pictures), _AT_ONCE)]
        embeddings = [
            self._model(torch.from_numpy(np.stack([self._prepare(one) for one in part])).to(self._model.device))
            for part in parts
        ]
        mean: Tensor = torch.cat([output.image_embeds for output in embeddings]).mean(dim=0)
        return mean

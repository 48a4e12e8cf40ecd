"""diffusers' safety checker: knows pictures by a few concepts that nobody should be shown."""

from typing import Any

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker

from moviellm.errors import Unsatisfied
from moviellm.pipelines.diffusers_loading import Device, resolve_device
from moviellm.pipelines.pillow_clip_input import ClipInput
from moviellm.pipelines.scorers import check_whole, checker_folder
from moviellm.pipelines.torch_measures import Pixels

FEATURES = "feature_extractor"
"""Pipelines keep the checker's preprocessing in a directory of this name beside it."""


class DiffusersSafety:
    """A StableDiffusionSafetyChecker in float32. Use it on one thread."""

    def __init__(self, model: Any, prepare: ClipInput) -> None:
        self._model = model.requires_grad_(False).eval()
        self._prepare = prepare

    @classmethod
    def open(cls, folder: str, *, device: Device = "auto", setting: str = "safety_checker") -> "DiffusersSafety":
        """The checker of a directory; nothing is asked of any hub.

        Raises Unsatisfied, naming the setting and the remedy, for a directory that is missing, damaged or another
        model's.
        """
        path = checker_folder(folder, setting)
        place = resolve_device(device, setting)
        try:
            model, loaded = StableDiffusionSafetyChecker.from_pretrained(
                path, dtype=torch.float32, local_files_only=True, use_safetensors=True, output_loading_info=True
            )
            check_whole(loaded)
            beside = path.parent / FEATURES
            own = (path / "preprocessor_config.json").exists() or not beside.is_dir()
            prepare = ClipInput.of(path if own else beside, int(model.config.vision_config.image_size))
        except Exception as error:  # many libraries read these files, each with errors of its own
            first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise Unsatisfied(f"{setting}: the safety checker in {path} cannot be loaded: {first_line}") from error
        return cls(model.to(place), prepare)

    @torch.inference_mode()
    def unsafe(self, pixels: Pixels) -> bool:
        """Whether nobody should be shown a picture, uint8 (H, W, 3)."""
        inputs = torch.from_numpy(self._prepare(pixels))[None].to(self._model.device)
        _, found = self._model(images=[np.zeros((1, 1, 3))], clip_input=inputs)
        return bool(found[0])

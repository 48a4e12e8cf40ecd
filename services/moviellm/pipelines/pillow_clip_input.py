"""Pictures as a CLIP's vision tower wants them, by the model's preprocessor_config.json and without torchvision."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
"""Colour statistics of the published CLIPs' training pictures, for directories that do not say."""


@dataclass(frozen=True)
class ClipInput:
    """The shorter side becomes `side` pixels, the middle square of `crop` pixels is kept, colours are standardised."""

    side: int
    crop: int
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD

    @classmethod
    def of(cls, folder: Path, image_size: int) -> "ClipInput":
        """What the directory's preprocessor_config.json says; the published CLIPs' way at `image_size` without one."""
        path = folder / "preprocessor_config.json"
        said: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return cls(
            side=_pixels(said.get("size"), "shortest_edge", image_size),
            crop=_pixels(said.get("crop_size"), "height", image_size),
            mean=tuple(said.get("image_mean", MEAN)),
            std=tuple(said.get("image_std", STD)),
        )

    def __call__(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """uint8 (H, W, 3) → float32 (3, crop, crop)."""
        image = Image.fromarray(pixels)
        short = min(image.size)
        size = (int(self.side * image.width / short), int(self.side * image.height / short))
        if size != image.size:
            image = image.resize(size, Image.Resampling.BICUBIC)
        left, top = (image.width - self.crop) // 2, (image.height - self.crop) // 2
        square = np.asarray(image.crop((left, top, left + self.crop, top + self.crop)), np.float32) / 255
        standard = (square - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)
        return np.ascontiguousarray(standard.transpose(2, 0, 1))


def _pixels(said: Any, key: str, default: int) -> int:
    """Older files give a number, newer ones a dictionary."""
    return int(said.get(key, default) if isinstance(said, dict) else said or default)

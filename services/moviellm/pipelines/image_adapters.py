"""Where an IP-Adapter's files are, looked at without loading any library."""

import json
from dataclasses import dataclass
from pathlib import Path

from moviellm.errors import Unsatisfied

ENCODER = "image_encoder"
"""The directory beside an adapter's weights that holds its CLIPVisionModelWithProjection."""


@dataclass(frozen=True)
class AdapterPlace:
    """The weights of the adapter, and the directory of the image encoder that it was trained with."""

    weights: Path
    encoder: Path


def adapter_place(path: str, setting: str = "ip_adapter") -> AdapterPlace:
    """The files of the adapter at `path`; raises Unsatisfied, naming the setting and the remedy, where they are not."""
    weights = Path(path).expanduser()
    remedy = (
        f"give the .safetensors file of an IP-Adapter with its {ENCODER} directory beside it, or leave it empty to do "
        "without"
    )
    if weights.suffix != ".safetensors" or not weights.is_file():
        raise Unsatisfied(f"{setting}: {path} is no .safetensors file: {remedy}")
    encoder = weights.parent / ENCODER
    try:
        config = json.loads((encoder / "config.json").read_text())
    except (OSError, ValueError) as error:
        raise Unsatisfied(f"{setting}: there is no image encoder in {encoder}: {remedy}") from error
    if "CLIPVisionModelWithProjection" not in (config.get("architectures") or ()):
        raise Unsatisfied(f"{setting}: {encoder} holds no CLIPVisionModelWithProjection: {remedy}")
    return AdapterPlace(weights, encoder)

"""Which scorer is meant, looked at without loading any library."""

import json
from pathlib import Path

from moviellm.errors import Unsatisfied
from moviellm.pipelines.places import POCKET
from moviellm.pocket import WEIGHTS_CLIP

NO_SCORER = "none"
"""The scorer's name that means none."""


def scorer_folder(scorer: str, setting: str = "scorer") -> Path:
    """The directory of a CLIPModel: the embedded one for "pocket", else the directory itself.

    Raises Unsatisfied, naming the setting and the remedy, when there is no such model in it.
    """
    folder = WEIGHTS_CLIP if scorer == POCKET else Path(scorer).expanduser()
    remedy = f'give a directory that holds a CLIPModel with its weights in safetensors, "{POCKET}" or "{NO_SCORER}"'
    try:
        kind = json.loads((folder / "config.json").read_text()).get("model_type", "model of no known type")
    except (OSError, ValueError, AttributeError) as error:
        raise Unsatisfied(f"{setting}: there is no scorer in {folder}: {remedy}") from error
    if kind != "clip":
        raise Unsatisfied(f"{setting}: {folder} holds a {kind}, not a CLIPModel: {remedy}")
    if not any(folder.glob("*.safetensors")):
        raise Unsatisfied(f"{setting}: {folder} holds no weights in safetensors: {remedy}")
    return folder

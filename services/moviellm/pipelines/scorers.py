"""Which scorer and safety checker are meant, looked at without loading any library."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from moviellm.errors import Unsatisfied
from moviellm.pipelines.places import POCKET
from moviellm.pocket import WEIGHTS_CLIP

NO_SCORER = "none"
"""The scorer's name that means none."""

CHECKER = "StableDiffusionSafetyChecker"


def scorer_folder(scorer: str, setting: str = "scorer") -> Path:
    """The directory of a CLIPModel: the embedded one for "pocket", else the directory itself.

    Raises Unsatisfied, naming the setting and the remedy, when there is no such model in it.
    """
    folder = WEIGHTS_CLIP if scorer == POCKET else Path(scorer).expanduser()
    remedy = f'give a directory that holds a CLIPModel with its weights in safetensors, "{POCKET}" or "{NO_SCORER}"'
    kind = _config(folder, f"{setting}: there is no scorer in {folder}: {remedy}").get("model_type")
    if kind != "clip":
        raise Unsatisfied(f"{setting}: {folder} holds a {kind or 'model of no known type'}, not a CLIPModel: {remedy}")
    if not any(folder.glob("*.safetensors")):
        raise Unsatisfied(f"{setting}: {folder} holds no weights in safetensors: {remedy}")
    return folder


def checker_folder(checker: str, setting: str = "safety_checker") -> Path:
    """The directory of a safety checker; raises Unsatisfied, naming the setting and the remedy, when it holds none."""
    folder = Path(checker).expanduser()
    remedy = f"give a directory that holds a {CHECKER}, such as a pipeline's safety_checker, or leave it empty"
    config = _config(folder, f"{setting}: there is no safety checker in {folder}: {remedy}")
    if CHECKER not in (config.get("architectures") or ()):
        raise Unsatisfied(f"{setting}: {folder} holds another model: {remedy}")
    return folder


def check_whole(loaded: Mapping[str, Collection[str]]) -> None:
    """Raise ValueError for weights that are missing; the library would go on with random ones."""
    if missing := sorted(loaded["missing_keys"]):
        raise ValueError(f"{len(missing)} weights are missing, such as {missing[0]}")


def _config(folder: Path, otherwise: str) -> dict[str, Any]:
    try:
        found = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError) as error:
        raise Unsatisfied(otherwise) from error
    return found if isinstance(found, dict) else {}

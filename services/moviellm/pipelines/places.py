"""Where a model's files are, looked at without loading any library."""

from pathlib import Path

from moviellm.errors import Unsatisfied
from moviellm.pocket import WEIGHTS

POCKET = "pocket"
"""The model name that means the embedded model."""


def model_source(model: str, setting: str = "model") -> str:
    """The directory or hub id behind a model's name.

    Raises Unsatisfied, naming the setting and the remedy, when `model` is a directory without a pipeline in it.
    """
    source = str(WEIGHTS) if model == POCKET else model
    if _looks_like_folder(source) and not (Path(source) / "model_index.json").is_file():
        raise Unsatisfied(
            f"{setting}: there is no pipeline in {source}: give a directory that holds a model_index.json, "
            f'a hub id such as org/name, or "{POCKET}"'
        )
    return source


def _looks_like_folder(source: str) -> bool:
    return source.startswith((".", "/", "~")) or source.count("/") != 1 or Path(source).exists()

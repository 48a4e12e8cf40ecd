"""The header of the dataset card: YAML that the Hugging Face Hub reads."""

import json
from collections.abc import Sequence

from moviellm.export.format import View

TASKS = ("visual-question-answering", "video-text-to-text", "text-to-image")
TAGS = ("synthetic", "movie", "long-video", "video-understanding", "moviellm")
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
#: What the viewer can show, the best first; a loader is chosen for the whole dataset, so only one kind is named.
_SHOWN = (".parquet", ".json", ".tar")


def header(name: str, *, license_id: str, frames: int, views: Sequence[View]) -> str:
    """The header between its lines of dashes; the name may hold anything."""
    lines = [
        "---",
        f"pretty_name: {_yaml(name)}",
        f"license: {license_id}",
        *_listed("language", ("en",)),
        *_listed("annotations_creators", ("machine-generated",)),
        *_listed("language_creators", ("machine-generated",)),
        *_listed("task_categories", TASKS),
        *_listed("tags", TAGS),
        *_listed("size_categories", (_size_category(frames),)),
    ]
    configs = _configs(views)
    return "\n".join([*lines, *(["configs:", *configs] if configs else []), "---"])


def _configs(views: Sequence[View]) -> list[str]:
    for suffix in _SHOWN:
        shown = [view for view in views if view.files.get("train", ("",))[0].endswith(suffix)]
        if shown:
            return [line for view in shown for line in _config(view, default=view is shown[0])]
    return []


def _config(view: View, *, default: bool) -> list[str]:
    lines = [f"- config_name: {view.name}", *(["  default: true"] if default else []), "  data_files:"]
    for split, files in view.files.items():
        lines.append(f"  - split: {split}")
        lines += [f"    path: {_yaml(files[0])}"] if len(files) == 1 else ["    path:", *map(_item, files)]
    return lines


def _item(file: str) -> str:
    return f"    - {_yaml(file)}"


def _listed(name: str, values: Sequence[str]) -> list[str]:
    return [f"{name}:", *(f"- {value}" for value in values)]


def _yaml(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def _size_category(count: int) -> str:
    return next((name for limit, name in _SIZES if count < limit), "n>1M")

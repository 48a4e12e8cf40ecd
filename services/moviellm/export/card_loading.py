"""How each format is loaded, as the dataset card tells it. Commands and snippets are for the dataset's folder."""

from collections.abc import Sequence

from moviellm.dataset import FORMATS
from moviellm.export.format import Written
from moviellm.export.markdown import escaped, fenced

_TRAINERS = {
    "llama_vid": "Give `formats/llama_vid/train.json` as the data and this folder as the video folder.",
    "llava_next": "Give `formats/llava_next/train.json` as the data and this folder as the video folder.",
    "video_chatgpt": "Give `formats/video_chatgpt/train.json` as the data and this folder as the video folder.",
    "qwen_vl": "Register `formats/qwen_vl/train.json` as the annotations and this folder as the data path; "
    "`train_frames.json` gives the evidence as pictures.",
    "llama_factory": "Point LLaMA-Factory at the folder; `moviellm_train_frames` gives the evidence as pictures:",
    "ms_swift": "Start ms-swift in this folder; `train_frames.jsonl` gives the evidence as pictures:",
}
_COMMANDS = {
    "llama_factory": ("yaml", "dataset_dir: formats/llama_factory\nmedia_dir: .\ndataset: moviellm_train"),
    "ms_swift": ("sh", "swift sft --dataset formats/ms_swift/train.jsonl --model YOUR_MODEL"),
}
_JSON = """from datasets import load_dataset

questions = load_dataset("json", data_files="formats/{name}/train.{suffix}", split="train")"""
_SNIPPETS = {
    "hf_parquet": """from datasets import load_dataset

frames = load_dataset("parquet", data_files="formats/hf_parquet/frames/train-*.parquet", split="train")
questions = load_dataset("parquet", data_files="formats/hf_parquet/questions/train-*.parquet", split="train")""",
    "imagefolder": """import json

from datasets import load_dataset

with open("formats/imagefolder/data_files.json") as file:
    frames = load_dataset("imagefolder", data_dir=".", data_files=json.load(file), split="train")""",
    "webdataset": """import glob

import webdataset

shards = sorted(glob.glob("formats/webdataset/train-*.tar"))
frames = webdataset.WebDataset(shards, shardshuffle=False).decode("pil").to_tuple("jpg", "json")""",
    "mds": """from streaming import StreamingDataset

questions = StreamingDataset(local="formats/mds/train", shuffle=False, batch_size=1)""",
}


def loading(formats: Sequence[Written]) -> str:
    """A section for each format that was written."""
    return "\n\n".join(_section(made.name) for made in formats)


def snippet(name: str) -> str:
    """The Python that loads a format's training split from the dataset's folder."""
    found = _SNIPPETS.get(name)
    return found if found is not None else _JSON.format(name=name, suffix="jsonl" if name == "ms_swift" else "json")


def _section(name: str) -> str:
    parts = [f"### `{name}`: {escaped(FORMATS[name].split(':')[0])}"]
    if name in _TRAINERS:
        parts.append(_TRAINERS[name])
    if name in _COMMANDS:
        language, text = _COMMANDS[name]
        parts.append(fenced(text, language))
    return "\n\n".join([*parts, fenced(snippet(name), "python")])

"""Qwen-VL finetuning: a JSON list; give the dataset's folder as `data_path`."""

from typing import Any

from moviellm.export.asked import Asked
from moviellm.export.conversation import Conversations, Shape
from moviellm.export.format import Desk, Format


def open_format(desk: Desk) -> Format:
    """formats/qwen_vl/train.json with videos, train_frames.json with the frames that prove each answer."""

    def frames(asked: Asked) -> dict[str, Any]:
        return record(asked, asked.pictures(desk.most_pictures))

    return Conversations(desk, "qwen_vl", [Shape(lambda asked: record(asked, asked.video)), Shape(frames, "_frames")])


def record(asked: Asked, video: str | list[str]) -> dict[str, Any]:
    """One "<video>" for one video; a list of pictures is a video, too."""
    return {
        "id": asked.item.id,
        "video": video,
        "conversations": [
            {"from": "human", "value": f"<video>\n{asked.question}"},
            {"from": "gpt", "value": asked.answer},
        ],
        **asked.about(),
    }

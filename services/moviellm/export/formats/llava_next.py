"""LLaVA-NeXT: a JSON list; give the dataset's folder as the video folder."""

from typing import Any

from moviellm.export.asked import Asked
from moviellm.export.conversation import Conversations, Shape
from moviellm.export.format import Desk, Format


def open_format(desk: Desk) -> Format:
    """formats/llava_next/train.json."""
    return Conversations(desk, "llava_next", [Shape(record)])


def record(asked: Asked) -> dict[str, Any]:
    """The human turn holds exactly one "<image>", which stands for the video."""
    return {
        "id": asked.item.id,
        "video": asked.video,
        "conversations": [
            {"from": "human", "value": f"<image>\n{asked.question}"},
            {"from": "gpt", "value": asked.answer},
        ],
        **asked.about(),
    }

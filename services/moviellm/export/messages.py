"""The record that LLaMA-Factory and ms-swift share: messages with roles, videos beside them."""

from collections.abc import Sequence
from typing import Any

from moviellm.export.asked import Asked
from moviellm.export.conversation import Shape


def message_shapes(most_pictures: int, *, lines: bool) -> Sequence[Shape]:
    """One kind of record with the movie's video, one with the frames that prove the answer."""

    def video(asked: Asked) -> dict[str, Any]:
        return _record(asked, asked.video)

    def frames(asked: Asked) -> dict[str, Any]:
        return _record(asked, asked.pictures(most_pictures))

    return [Shape(video, lines=lines), Shape(frames, "_frames", lines=lines)]


def _record(asked: Asked, video: str | list[str]) -> dict[str, Any]:
    return {
        "id": asked.item.id,
        "messages": [
            {"role": "user", "content": f"<video>{asked.question}"},
            {"role": "assistant", "content": asked.answer},
        ],
        "videos": [video],
        **asked.about(),
    }

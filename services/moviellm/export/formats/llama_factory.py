"""LLaMA-Factory: give formats/llama_factory as `dataset_dir` and the dataset's folder as `media_dir`."""

import json
from typing import Any

from moviellm.export.conversation import Conversations, Shape
from moviellm.export.format import FOLDER, Desk, Format, Written
from moviellm.export.messages import message_shapes
from moviellm.export.summary import MovieFolder

NAME = "llama_factory"
TAGS = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}


def open_format(desk: Desk) -> Format:
    """train.json with videos, train_frames.json with the frames that prove each answer, dataset_info.json over all."""
    return LlamaFactory(desk)


class LlamaFactory:
    """The training files and dataset_info.json, where they go by names such as moviellm_train_frames."""

    def __init__(self, desk: Desk) -> None:
        self._shelf = desk.shelf
        self._shapes = message_shapes(desk.most_pictures, lines=False)
        self._files = Conversations(desk, NAME, self._shapes)

    async def add(self, movie: MovieFolder) -> None:
        """Append the questions of one movie."""
        await self._files.add(movie)

    async def finish(self) -> None:
        """Write everything."""
        await self._files.finish()
        info = {
            f"moviellm_{split}{shape.suffix}": _entry(shape, split)
            for split in self._files.records
            for shape in self._shapes
        }
        await self._shelf.put(f"{FOLDER}/{NAME}/dataset_info.json", json.dumps(info, indent=1).encode())

    @property
    def written(self) -> Written:
        """What there is."""
        return self._files.written


def _entry(shape: Shape, split: str) -> dict[str, Any]:
    columns = {"messages": "messages", "videos": "videos"}
    return {"file_name": shape.file(split), "formatting": "sharegpt", "columns": columns, "tags": TAGS}

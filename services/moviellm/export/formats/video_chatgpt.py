"""Video-ChatGPT: a JSON list; give the dataset's folder as the video folder.

Its loader reads a pickle that is nothing but an array (356, C): 100 moments, each the mean over the patches of one
frame, then 256 patches, each the mean over the frames, taken from the last layer but one without the class token.
"""

from typing import Any

import numpy as np

from moviellm.export.array_pickle import ARRAY_END, END, START, array_start
from moviellm.export.asked import Asked, evenly
from moviellm.export.conversation import Conversations, Shape
from moviellm.export.feature_files import Featured, FeatureFiles
from moviellm.export.features import Features, require_shape
from moviellm.export.format import FOLDER, Desk, Format
from moviellm.export.record import FrameRecord
from moviellm.export.summary import MovieFolder

NAME = "video_chatgpt"
MOMENTS, PATCHES = 100, 256


def open_format(desk: Desk) -> Format:
    """train.json with videos; with an encoder also train_features.json and features/0001.pkl."""
    if desk.encoder is None:
        return Conversations(desk, NAME, [Shape(lambda asked: record(asked, asked.video))])
    require_shape(desk.encoder, 1 + PATCHES, None, "Video-ChatGPT")
    shapes = [Shape(lambda asked: record(asked, asked.video)), Shape(_with_features, "_features")]
    return Featured(
        Conversations(desk, NAME, shapes),
        FeatureFiles(desk, NAME, layer=-2, choose=_moments, pack=Pickle),
    )


def record(asked: Asked, video: str) -> dict[str, Any]:
    """One question; the human turn ends with "<video>"."""
    return {
        "id": asked.item.id,
        "video": video,
        "conversations": [
            {"from": "human", "value": f"{asked.question}\n<video>"},
            {"from": "gpt", "value": asked.answer},
        ],
        **asked.about(),
    }


class Pickle:
    """An array (356, C): moments, zeros where the movie is shorter than 100 frames, then patches."""

    def __init__(self, movie: MovieFolder, frames: tuple[FrameRecord, ...], shape: tuple[int, int]) -> None:
        self._moments: list[Features] = []
        self._patches = np.zeros((PATCHES, shape[1]), np.float32)

    def take(self, features: Features) -> bytes:
        """Add the next frames up; nothing can be written before the last."""
        patches = features[:, 1:].astype(np.float32)
        self._moments.extend(patches.mean(axis=1).astype(np.float16))
        self._patches += patches.sum(axis=0)
        return b""

    def close(self) -> bytes:
        """The whole file."""
        numbers = np.zeros((MOMENTS + PATCHES, self._patches.shape[1]), "<f2")
        numbers[: len(self._moments)] = self._moments
        numbers[MOMENTS:] = self._patches / len(self._moments)
        return START + array_start(numbers.shape) + numbers.tobytes() + ARRAY_END + END


def _moments(movie: MovieFolder) -> tuple[FrameRecord, ...]:
    return tuple(evenly(movie.frames, MOMENTS))


def _with_features(asked: Asked) -> dict[str, Any]:
    return record(asked, f"{FOLDER}/{NAME}/features/{asked.movie.record.number:04}.pkl")

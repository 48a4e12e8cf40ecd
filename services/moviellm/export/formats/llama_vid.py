"""LLaMA-VID stage 3: a JSON list; give the dataset's folder as the video folder.

Its loader decodes the mp4 at one frame a second, or reads a pickle {"feats": float16 (N, 257, 1408), "inputs":
"<image>text<image>text…"} with the class token first and exactly N times "<image>". More than one question a record
breaks it, and a bad record is silently replaced by another.
"""

from typing import Any

from moviellm.export.array_pickle import ARRAY_END, DICT_END, DICT_START, END, START, array_start, text
from moviellm.export.asked import Asked
from moviellm.export.conversation import Conversations, Shape
from moviellm.export.feature_files import Featured, FeatureFiles
from moviellm.export.features import Features, require_shape
from moviellm.export.format import FOLDER, Desk, Format
from moviellm.export.label_safety import harmless
from moviellm.export.record import FrameRecord
from moviellm.export.summary import MovieFolder

NAME = "llama_vid"
TOKENS, NUMBERS = 257, 1408


def open_format(desk: Desk) -> Format:
    """train.json with videos; with an encoder also train_features.json and features/0001.pkl."""
    if desk.encoder is None:
        return Conversations(desk, NAME, [Shape(lambda asked: record(asked, asked.video))])
    require_shape(desk.encoder, TOKENS, NUMBERS, "LLaMA-VID")
    shapes = [Shape(lambda asked: record(asked, asked.video)), Shape(_with_features, "_features")]
    return Featured(
        Conversations(desk, NAME, shapes),
        FeatureFiles(desk, NAME, layer=-1, choose=lambda movie: movie.frames, pack=Pickle),
    )


def record(asked: Asked, video: str) -> dict[str, Any]:
    """One question; the human turn holds exactly one "<image>", which stands for the video."""
    return {
        "id": asked.item.id,
        "video": video,
        "conversations": [
            {"from": "human", "value": f"<image>\n{asked.question}"},
            {"from": "gpt", "value": asked.answer},
        ],
        **asked.about(),
    }


class Pickle:
    """{"feats": float16 (N, 257, 1408), "inputs": text}, the numbers written as they come."""

    def __init__(self, movie: MovieFolder, frames: tuple[FrameRecord, ...], shape: tuple[int, int]) -> None:
        self._start = START + DICT_START + text("feats") + array_start((len(frames), *shape))
        self._inputs = inputs(movie, frames)

    def take(self, features: Features) -> bytes:
        """The numbers of the next frames."""
        start, self._start = self._start, b""
        return start + features.astype("<f2").tobytes()

    def close(self) -> bytes:
        """The inputs."""
        return ARRAY_END + text("inputs") + text(self._inputs) + DICT_END + END


def inputs(movie: MovieFolder, frames: tuple[FrameRecord, ...]) -> str:
    """After every frame's "<image>" the lines spoken while it shows."""
    spoken: dict[int, list[str]] = {}
    for line in movie.record.dialogue:
        # The loader takes "..." out of the inputs.
        said = harmless(f"{line.speaker} says {line.text}").replace("...", "…")
        spoken.setdefault(line.after_frame, []).append(said)
    return "".join(f"<image>{' '.join(spoken.get(frame.number, []))}" for frame in frames)


def _with_features(asked: Asked) -> dict[str, Any]:
    return record(asked, f"{FOLDER}/{NAME}/features/{asked.movie.record.number:04}.pkl")

"""A key frame as loaders of pictures get it: the picture and what is told about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moviellm.export.label_safety import harmless, harmless_deep, harmless_prompt
from moviellm.export.record import ChapterRecord, FrameRecord, MovieRecord, SceneRecord
from moviellm.export.summary import MovieFolder


@dataclass(frozen=True)
class FrameSample:
    """A key without dots, the frame, what is told about it: the same keys in every record."""

    key: str
    frame: FrameRecord
    record: dict[str, Any]


def frame_samples(movie: MovieFolder) -> Iterator[FrameSample]:
    """A sample of every key frame of the movie."""
    spoken: dict[int, list[dict[str, str]]] = {}
    for line in movie.record.dialogue:
        told = {"speaker": harmless(line.speaker), "text": harmless(line.text)}
        spoken.setdefault(line.after_frame, []).append(told)
    for chapter, scene in movie.record.scenes:
        for frame in scene.frames:
            record = _record(movie.record, chapter, scene, frame) | {"dialogue": spoken.get(frame.number, [])}
            yield FrameSample(f"m{movie.record.number:04}-{frame.number:06}", frame, record)


def _record(movie: MovieRecord, chapter: ChapterRecord, scene: SceneRecord, frame: FrameRecord) -> dict[str, Any]:
    return {
        "prompt": harmless_prompt(frame.prompt, movie.style.token),
        "description": harmless(frame.description),
        "characters": harmless_deep(frame.characters),
        "style": harmless(movie.style.keyword),
        "location": harmless(scene.location),
        "title": harmless(movie.title),
        "movie": movie.number,
        "chapter": chapter.number,
        "scene": scene.number,
        "frame": frame.number,
        "seconds": frame.start_seconds,
        "seed": frame.seed,
    }

"""ExportMovie: one movie's folder, files/movies/0001/."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from moviellm.artifacts import ArtifactStore, MovieKeys
from moviellm.dataset import MovieDatasetSpec, RenderedFrame
from moviellm.export.chapter_marks import ChapterMark, chapter_marks
from moviellm.export.finished import FinishedMovie, load_movie
from moviellm.export.full_disk import telling_full_disk
from moviellm.export.learned_looks import export_look
from moviellm.export.manifest import NAME as MANIFEST
from moviellm.export.manifest import movie_manifest
from moviellm.export.movie_record import (
    QUESTIONS,
    RECORD,
    SUBTITLES,
    VIDEO,
    movie_record,
    question_records,
    style_record,
    timed_dialogue,
)
from moviellm.export.record import FaceRecord, StyleRecord
from moviellm.export.scratch import scratch_folder
from moviellm.export.shelf import Shelf, read_verified
from moviellm.export.subtitles import Caption, captions, srt
from moviellm.export.timing import Timing
from moviellm.export.turns import in_turns, to_its_end
from moviellm.movie import StoredFile
from moviellm.wire import to_json


class Video(Protocol):
    """A video file under way; its methods block."""

    def add(self, picture: bytes, name: str) -> None:
        """Append one key frame."""

    def close(self) -> None:
        """Finish the file."""


class OpenVideo(Protocol):
    """Begins a video file."""

    def __call__(
        self, path: Path, *, timing: Timing, captions: Sequence[Caption], title: str, chapters: Sequence[ChapterMark]
    ) -> Video:
        """The video at `path`, nothing in it yet."""


async def export_movie(
    store: ArtifactStore, keys: MovieKeys, spec: MovieDatasetSpec, *, open_video: OpenVideo
) -> list[StoredFile]:
    """Write the movie's folder and return its files, the frames excepted, which the renderer wrote.

    The manifest comes last: a movie that has one is complete. Raises Unsatisfied naming what the other stages have not
    made yet, Exhausted when the local disk is full.
    """
    timing = Timing.of(spec.frames_per_second)
    movie = await load_movie(store, keys, spec)
    shelf = Shelf(store, keys.files)
    lines = timed_dialogue(movie, spec.shape, timing)
    shown = captions(lines)
    style, faces = await _export_looks(store, shelf, movie)
    marks = chapter_marks(movie.outline.chapters, spec.shape, timing)
    begin = partial(open_video, timing=timing, captions=shown, title=movie.outline.title, chapters=marks)
    await _export_video(store, shelf, movie, open_video=begin)
    await shelf.put(SUBTITLES, srt(shown))
    await shelf.put(QUESTIONS, _json_list(question_records(movie, timing)))
    record = movie_record(movie, spec, timing, style, faces, lines)
    await shelf.put(RECORD, to_json(record))
    await shelf.put(MANIFEST, movie_manifest(store, keys.files, shelf.files, record))
    return shelf.files


async def _export_looks(
    store: ArtifactStore, shelf: Shelf, movie: FinishedMovie
) -> tuple[StyleRecord, tuple[FaceRecord, ...]]:
    embedding, references = await export_look(
        store, shelf, "style", movie.style, f"the learnt style of movie {movie.number}"
    )
    style, faces = style_record(movie, embedding, references), []
    for number, (name, face) in enumerate(movie.faces, start=1):
        what = f"the learnt face of {name} in movie {movie.number}"
        embedding, references = await export_look(store, shelf, f"characters/{number:02}", face, what)
        faces.append(FaceRecord(name, face.learned.token, embedding, references, face.learned.digest))
    return style, tuple(faces)


async def _export_video(
    store: ArtifactStore, shelf: Shelf, movie: FinishedMovie, *, open_video: Callable[[Path], Video]
) -> None:
    if await shelf.has(VIDEO):
        return
    with telling_full_disk(), scratch_folder() as folder:
        path = folder / VIDEO
        video = await to_its_end(lambda: open_video(path))
        try:
            for scene in movie.rendered.values():
                await _add_scene(store, video, movie.number, scene.frames)
        finally:
            await to_its_end(video.close)
        await shelf.put_file(VIDEO, path)


async def _add_scene(store: ArtifactStore, video: Video, movie: int, frames: Sequence[RenderedFrame]) -> None:
    names = [f"frame {frame.number} of movie {movie}" for frame in frames]
    files = zip(frames, names, strict=True)
    pictures = await in_turns([partial(read_verified, store, frame.file, name) for frame, name in files])

    def add_all() -> None:
        for picture, name in zip(pictures, names, strict=True):
            video.add(picture, name)

    await to_its_end(add_all)


def _json_list(records: Sequence[object]) -> bytes:
    items = [dataclasses.asdict(record) for record in records]  # type: ignore[call-overload]
    return json.dumps(items, ensure_ascii=False, indent=1).encode()

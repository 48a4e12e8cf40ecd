"""A movie's folder as the parts that span all movies see it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from moviellm.artifacts import digest
from moviellm.errors import Broken
from moviellm.export.record import FrameRecord, MovieRecord, QuestionRecord
from moviellm.export.shelf import Shelf
from moviellm.export.turns import in_turns


@dataclass(frozen=True)
class MovieFolder:
    """One exported movie; `path` is its folder in the dataset, such as "movies/0001"."""

    path: str
    record: MovieRecord
    questions: tuple[QuestionRecord, ...]
    split: str = "train"

    @cached_property
    def frames(self) -> tuple[FrameRecord, ...]:
        """Every key frame, in the order of the story."""
        return self.record.frames

    async def pictures(self, shelf: Shelf, frames: Sequence[FrameRecord]) -> list[bytes]:
        """The encoded pictures of some frames; raises Unsatisfied for a missing, Broken for a damaged one."""
        paths = [f"{self.path}/{frame.file}" for frame in frames]
        pictures = await in_turns([partial(shelf.read, path) for path in paths])
        for frame, path, picture in zip(frames, paths, pictures, strict=True):
            if (digest(picture), len(picture)) != (frame.sha256, frame.size_bytes):
                raise Broken(f"{path} is damaged: its bytes are not the ones that were stored")
        return pictures

    def summary(self) -> "MovieSummary":
        """The few figures that stay in memory when the movie has gone."""
        return MovieSummary(
            path=self.path,
            number=self.record.number,
            title=self.record.title,
            overview=self.record.overview,
            style=self.record.style.keyword,
            chapters=len(self.record.chapters),
            scenes=len(self.record.scenes),
            frames=self.record.frame_count,
            lines=len(self.record.dialogue),
            seconds=self.record.duration_seconds,
            questions=dict(Counter(str(item.kind) for item in self.questions)),
            picture_models=self.record.picture_models,
            posters=tuple(f"{self.path}/{frame.file}" for frame in spread(self.record.frames, 6)),
        )


@dataclass(frozen=True)
class MovieSummary:
    """A movie in figures; `questions` counts them by kind, `posters` are pictures spread over the movie."""

    path: str
    number: int
    title: str
    overview: str
    style: str
    chapters: int
    scenes: int
    frames: int
    lines: int
    seconds: float
    questions: dict[str, int]
    picture_models: tuple[str, ...]
    posters: tuple[str, ...]


def spread(frames: tuple[FrameRecord, ...], count: int) -> tuple[FrameRecord, ...]:
    """At most `count` frames, evenly spread over all and avoiding the very ends."""
    if len(frames) <= count:
        return frames
    return tuple(frames[(2 * index + 1) * len(frames) // (2 * count)] for index in range(count))

"""Where the chapters of a movie begin and end in movie.mp4, with their titles, as players list them."""

from collections.abc import Iterable
from dataclasses import dataclass

from moviellm.export.subtitles import plain
from moviellm.export.timing import Timing
from moviellm.movie import ChapterOutline, Shape


@dataclass(frozen=True)
class ChapterMark:
    """A chapter on the time line, from `start` to `end` in milliseconds."""

    title: str
    start: int
    end: int


def chapter_marks(chapters: Iterable[ChapterOutline], shape: Shape, timing: Timing) -> list[ChapterMark]:
    """A mark for each chapter; one without a title is called by its number."""
    marks = []
    for chapter in chapters:
        frames = shape.chapter_range(chapter.number)
        title = plain(chapter.title) or f"Chapter {chapter.number}"
        marks.append(
            ChapterMark(title, round(timing.start(frames.first) * 1000), round(timing.end(frames.last) * 1000))
        )
    return marks

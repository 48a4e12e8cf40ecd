"""Dialogue timed to its frames, as movie.srt and as the captions inside movie.mp4."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from moviellm.export.timing import Timing
from moviellm.movie import Line

#: Nobody reads a caption that stays for less; lines that would have less share one caption.
LEAST_CAPTION_SECONDS = 0.5


@dataclass(frozen=True)
class Caption:
    """Text on the screen from `start` to `end`, in milliseconds; `frame` is the key frame it belongs to."""

    frame: int
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class TimedLine:
    """A line of dialogue with its frame's number in the movie and its time in milliseconds."""

    frame: int
    line: Line
    start: int
    end: int


def timed(dialogue: Sequence[tuple[int, Line]], timing: Timing) -> list[TimedLine]:
    """Lines, each given with its frame's number in the movie, spread over the time of that frame, in order.

    Lines that share a caption share its time; otherwise times do not overlap.
    """
    by_frame: dict[int, list[Line]] = defaultdict(list)
    for frame, line in dialogue:
        by_frame[frame].append(line)
    return [item for frame in sorted(by_frame) for item in _spread(frame, by_frame[frame], timing)]


def _spread(frame: int, lines: list[Line], timing: Timing) -> list[TimedLine]:
    start, end = timing.start(frame), timing.end(frame)
    slots = min(len(lines), max(1, int((end - start) / LEAST_CAPTION_SECONDS)))
    edges = [round((start + (end - start) * slot / slots) * 1000) for slot in range(slots + 1)]
    items = []
    for index, line in enumerate(lines):
        slot = index * slots // len(lines)
        items.append(TimedLine(frame, line, edges[slot], edges[slot + 1]))
    return items


def captions(lines: Sequence[TimedLine]) -> list[Caption]:
    """One caption for each time, the lines that share it below each other."""
    texts: dict[tuple[int, int, int], list[str]] = defaultdict(list)
    for item in lines:
        texts[item.frame, item.start, item.end].append(f"{plain(item.line.speaker)}: {plain(item.line.text)}")
    return [Caption(frame, start, end, "\n".join(texts[frame, start, end])) for frame, start, end in texts]


def plain(text: str) -> str:
    """The text in one line and without what players take for markup: <i>, {\\an8}, -->."""
    text = " ".join(text.replace("-->", "→").split())
    return text.translate({ord("<"): "‹", ord(">"): "›", ord("{"): "(", ord("}"): ")"})


def srt(items: Sequence[Caption]) -> bytes:
    """The captions as a SubRip file in UTF-8."""
    blocks = [
        f"{number}\n{_clock(item.start)} --> {_clock(item.end)}\n{item.text}\n"
        for number, item in enumerate(items, start=1)
    ]
    return "\n".join(blocks).encode()


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{rest:03}"

"""Dialogue timed to its frames, as movie.srt and as the captions inside movie.mp4."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from moviellm.export.timing import Timing
from moviellm.movie import Line

#: Nobody reads a caption that stays for less; lines that would have less share one caption.
LEAST_CAPTION_SECONDS = 1.0
#: As fast as most people read, and the longest that a caption stays on behalf of its length.
LETTERS_A_SECOND = 16
LONGEST_CAPTION_SECONDS = 6.0


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


def timed(dialogue: Sequence[tuple[int, Line]], timing: Timing, *, scene_frames: int) -> list[TimedLine]:
    """Lines, each given with its frame's number in the movie, in order, beginning with that frame.

    A caption stays until it can be read, past its frame where need be, but neither into the frame that speaks next nor
    beyond its scene of `scene_frames` frames. Lines that share a caption share its time; other times never overlap.
    """
    by_frame: dict[int, list[Line]] = defaultdict(list)
    for frame, line in dialogue:
        by_frame[frame].append(line)
    frames = sorted(by_frame)
    items = []
    for frame, following in itertools.zip_longest(frames, frames[1:]):
        last = -(-frame // scene_frames) * scene_frames
        if following is not None:
            last = min(last, following - 1)
        items += _spread(frame, by_frame[frame], timing, free=timing.end(last) - timing.start(frame))
    return items


def _spread(frame: int, lines: list[Line], timing: Timing, *, free: float) -> list[TimedLine]:
    """The lines of one frame within `free` seconds: pairs at least, where they would flash by one at a time."""
    start, own = timing.start(frame), timing.end(frame) - timing.start(frame)
    span = min(free, max(own, (len(lines) + 1) // 2 * LEAST_CAPTION_SECONDS))
    slots = min(len(lines), max(1, int(span / LEAST_CAPTION_SECONDS)))
    slot_of = [index * slots // len(lines) for index in range(len(lines))]
    letters = sum(len(line.text) for line, slot in zip(lines, slot_of, strict=True) if slot == slots - 1)
    reading = min(LONGEST_CAPTION_SECONDS, letters / LETTERS_A_SECOND)
    edges = [start + span * slot / slots for slot in range(slots + 1)]
    edges[-1] = min(start + free, max(edges[-1], edges[-2] + reading))
    times = [round(edge * 1000) for edge in edges]
    return [TimedLine(frame, line, times[slot], times[slot + 1]) for line, slot in zip(lines, slot_of, strict=True)]


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

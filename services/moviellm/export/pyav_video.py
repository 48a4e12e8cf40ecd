"""movie.mp4 with PyAV: H.264, yuv420p, the index in front, chapter marks, a soft subtitle track."""

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from PIL import Image

from moviellm.errors import Broken
from moviellm.export.chapter_marks import ChapterMark
from moviellm.export.subtitles import Caption
from moviellm.export.timing import Timing

BT709 = 1
LIMITED_RANGE = 1
MILLISECONDS = Fraction(1, 1000)
LONGEST_CAPTION = 4096

# The mov_text encoder reads its default style from a SubStation header.
_CAPTION_STYLE = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Sans,18,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


class PyavVideo:
    """Writes one movie to a file, key frame by key frame; blocking, not for two threads at once.

    Every key frame is an intra picture, repeated until there are `least_rate` pictures a second, so that seeking to it
    is exact and players and trainers find a picture at every instant they ask for. One encoder thread and no time
    stamps: equal pictures give equal bytes.
    """

    def __init__(
        self,
        path: Path,
        *,
        timing: Timing,
        captions: Sequence[Caption],
        title: str = "",
        chapters: Sequence[ChapterMark] = (),
        least_height: int,
        least_rate: float = 2,
    ) -> None:
        self._rate = timing.video_rate(least_rate)
        self._hold = timing.hold(least_rate)
        self._least_height = least_height
        self._captions = list(captions)
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        self._container: Any = av.open(str(path), "w", format="mp4", options=options)
        if title:
            self._container.metadata["title"] = title
        self._container.set_chapters([_chapter(number, mark) for number, mark in enumerate(chapters, start=1)])
        self._video: Any = None
        self._text: Any = None
        self._frames = 0

    def add(self, picture: bytes, name: str) -> None:
        """Append one key frame, an encoded picture; raises Broken, naming it, when it cannot be decoded."""
        image = _decoded(picture, name)
        if self._video is None:
            self._start(image.size)
        frame = av.VideoFrame.from_image(image).reformat(
            width=self._video.width,
            height=self._video.height,
            format="yuv420p",
            interpolation=Interpolation.BICUBIC,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        for repeat in range(self._hold):
            frame.pts = self._frames * self._hold + repeat
            frame.time_base = 1 / self._rate
            frame.pict_type = PictureType.I if repeat == 0 else PictureType.NONE
            self._container.mux(self._video.encode(frame))
        self._frames += 1
        self._add_captions()

    def close(self) -> None:
        """Finish the file; safe to call after a failure."""
        try:
            if self._video is not None:
                self._container.mux(self._video.encode(None))
        finally:
            self._container.close()

    def _start(self, size: tuple[int, int]) -> None:
        width, height = _even_size(size, self._least_height)
        parameters = f"keyint={self._hold}:min-keyint={self._hold}:scenecut=0:bframes=0:threads=1:lookahead-threads=1"
        options = {"crf": "24", "preset": "superfast", "x264-params": parameters}
        self._video = self._container.add_stream("libx264", rate=self._rate, options=options)
        self._video.width, self._video.height, self._video.pix_fmt = width, height, "yuv420p"
        context = self._video.codec_context
        context.time_base = 1 / self._rate
        context.thread_count = 1
        context.color_range = LIMITED_RANGE
        context.colorspace = context.color_primaries = context.color_trc = BT709
        if self._captions:
            self._text = self._container.add_stream("mov_text")
            self._text.codec_context.subtitle_header = _CAPTION_STYLE
            self._text.time_base = MILLISECONDS

    def _add_captions(self) -> None:
        while self._captions and self._captions[0].frame <= self._frames:
            caption = self._captions.pop(0)
            text = caption.text.encode()[:LONGEST_CAPTION].decode(errors="ignore").encode()
            packet = av.Packet(len(text).to_bytes(2, "big") + text)
            packet.stream = self._text
            packet.time_base = MILLISECONDS
            packet.pts = packet.dts = caption.start
            packet.duration = caption.end - caption.start
            self._container.mux(packet)


def _chapter(number: int, mark: ChapterMark) -> dict[str, Any]:
    title = {"title": mark.title}
    return {"id": number, "start": mark.start, "end": mark.end, "time_base": MILLISECONDS, "metadata": title}


def _decoded(picture: bytes, name: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(picture)).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise Broken(f"{name} is not a picture: {error}") from error


def _even_size(size: tuple[int, int], least_height: int) -> tuple[int, int]:
    """The size enlarged to `least_height` where it is smaller, both sides even as yuv420p wants them."""
    width, height = size
    scale = max(1.0, least_height / height)
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)

"""quality.json: how good a dataset's pictures are, and what was done about those that were not."""

import asyncio
import dataclasses
import json
from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any

from moviellm.dataset import MovieDatasetSpec, PictureMeasures
from moviellm.export.darkroom import Fingerprint
from moviellm.export.look_alikes import Print, look_alikes
from moviellm.export.record import FrameRecord, MovieRecord
from moviellm.export.shelf import Shelf
from moviellm.export.summary import MovieFolder
from moviellm.export.turns import in_turns, to_its_end

NAME = "quality.json"
LISTED_PAIRS = 100
BATCH = 64
BELOW = "below threshold"

#: The paper's table of ablations: CLIP-Score between frames (more is better), LPIPS between frames (less is better).
PAPER = (
    {"what": "without style immobilization", "clip_score": 0.7175, "lpips": 0.7265},
    {"what": "without story expansion", "clip_score": 0.6902, "lpips": 0.5574},
    {"what": "both", "clip_score": 0.8304, "lpips": 0.5316},
)
_FIGURES = (
    "text_score",
    "neighbour_score",
    "neighbour_distance",
    "style_color_distance",
    "style_gram_distance",
)


class QualityReport:
    """Collects the figures of all movies; pictures are read a few at a time to find those that look the same."""

    def __init__(self, shelf: Shelf, spec: MovieDatasetSpec, *, fingerprint: Fingerprint) -> None:
        self._shelf = shelf
        self._spec = spec
        self._fingerprint = fingerprint
        self.movies: list[dict[str, Any]] = []

    async def add(self, movie: MovieFolder) -> None:
        """Take in the next movie."""
        prints = await self._prints(movie)
        pairs = await to_its_end(lambda: look_alikes(prints))
        alike = {"count": len(pairs), "pairs": [dataclasses.asdict(pair) for pair in pairs[:LISTED_PAIRS]]}
        self.movies.append(movie_figures(movie, self._spec.quality.min_score) | {"look_alikes": alike})

    async def finish(self) -> None:
        """Write the report."""
        report = {"asked": dataclasses.asdict(self._spec.quality), "paper": PAPER, "dataset": self.total}
        text = json.dumps(report | {"movies": self.movies}, ensure_ascii=False, indent=1)
        await self._shelf.put(NAME, text.encode())

    @property
    def total(self) -> dict[str, Any]:
        """The figures of all movies together; measures are means over frames."""
        counts = ("frames", "rendered_again", "attempts", "kept_with_fault", "below_threshold")
        return {
            **{name: sum(movie[name] for movie in self.movies) for name in counts},
            **{name: _added(movie[name] for movie in self.movies) for name in ("verdicts", "mends", "dropped")},
            "look_alikes": sum(movie["look_alikes"]["count"] for movie in self.movies),
            **{name: mean_measures([movie[name] for movie in self.movies]) for name in ("measures", "sample", "plain")},
        }

    async def _prints(self, movie: MovieFolder) -> list[Print]:
        scenes = movie.record.scenes
        places = [(frame, (chapter.number, scene.number)) for chapter, scene in scenes for frame in scene.frames]
        prints: list[Print] = []
        for start in range(0, len(places), BATCH):
            batch = places[start : start + BATCH]
            pictures = await in_turns([partial(self._shelf.read, f"{movie.path}/{frame.file}") for frame, _ in batch])
            bits = await asyncio.to_thread(self._fingerprints, pictures)
            prints += [Print(frame.number, place, value) for (frame, place), value in zip(batch, bits, strict=True)]
        return prints

    def _fingerprints(self, pictures: list[bytes]) -> list[int]:
        return [self._fingerprint(picture) for picture in pictures]


def movie_figures(movie: MovieFolder, min_score: float) -> dict[str, Any]:
    """The figures of one movie as quality.json has them, but for the frames that look the same."""
    record = movie.record
    frames = record.frames
    quality = record.quality
    return {
        "number": record.number,
        "title": record.title,
        "path": movie.path,
        "frames": len(frames),
        "rendered_again": sum(len(frame.attempts) > 1 for frame in frames),
        "attempts": sum(max(1, len(frame.attempts)) for frame in frames),
        "kept_with_fault": sum(bool(fault_of(frame)) for frame in frames),
        "below_threshold": sum(score < min_score for score in scores_of(record)),
        "verdicts": _sorted(Counter(item.verdict for frame in frames for item in frame.attempts if item.verdict)),
        "mends": _sorted(Counter(mend.rule for mend in record.mends)),
        "dropped": {item.reason: item.count for item in record.dropped},
        "measures": _measures(quality.measures if quality else None),
        "sample": _measures(quality.sample if quality else None),
        "plain": _measures(quality.plain if quality else None),
    }


def fault_of(frame: FrameRecord) -> str:
    """What is wrong with the picture that was kept, if anything."""
    return frame.attempts[-1].verdict if frame.attempts else ""


def scores_of(record: MovieRecord) -> list[float]:
    """The frames' scores against their texts, as far as anybody measured them."""
    if record.quality is not None:
        return list(record.quality.measures.scores)
    return [frame.score for frame in record.frames if frame.score is not None]


def mean_measures(measures: Iterable[dict[str, Any] | None]) -> dict[str, Any] | None:
    """The mean of several movies' measures, weighted by their pictures; None where nothing was measured."""
    known = [item for item in measures if item is not None]
    pictures = sum(item["pictures"] for item in known)
    if not pictures:
        return None
    means = {name: round(sum(item[name] * item["pictures"] for item in known) / pictures, 4) for name in _FIGURES}
    return {"pictures": pictures, **means, "scorer": ", ".join(sorted({item["scorer"] for item in known}))}


def _measures(measures: PictureMeasures | None) -> dict[str, Any] | None:
    if measures is None:
        return None
    figures = {name: round(getattr(measures, name), 4) for name in _FIGURES}
    return {"pictures": measures.pictures, **figures, "scorer": measures.scorer}


def _added(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    return _sorted(sum((Counter(item) for item in counts), Counter()))


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))

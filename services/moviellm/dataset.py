"""What a requester asks for, and how its units are numbered, seeded and counted. No I/O, no wire."""

import hashlib
from dataclasses import dataclass

from moviellm.movie import Shape

#: What can be exported beside the movie folders: format name → what it is for.
FORMATS = {
    "llava": "train.json in the LLaMA conversation shape",
    "webdataset": "tar shards of frames with their records",
}


@dataclass(frozen=True)
class StyleSpec:
    """The look that was asked for: a preset by name or a description; `pictures` counts the requester's own."""

    preset: str = ""
    description: str = ""
    pictures: int = 0


@dataclass(frozen=True)
class MovieDatasetSpec:
    """A request with its defaults filled in; the same fields as the message of this name."""

    theme: str
    movies: int = 1
    chapters: int = 3
    scenes: int = 3
    frames: int = 6
    style: StyleSpec = StyleSpec()
    seed: int = 0
    formats: tuple[str, ...] = tuple(FORMATS)
    model: str = "pocket"
    frames_per_second: float = 1.0
    dialogue_lines: int = 6

    @property
    def shape(self) -> Shape:
        """The size of each movie."""
        return Shape(self.chapters, self.scenes, self.frames)


def derived_seed(seed: int, *path: int | str) -> int:
    """A seed for one part of a dataset, 0 ≤ value < 2**63, independent of order, batch and replica.

    `path` names the part: ("movie", 2, "scene", 1, 3). Neighbouring parts get unrelated seeds.
    """
    name = "/".join(map(str, (seed, *path)))
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1

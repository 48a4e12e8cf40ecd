"""What a requester asks for, and how its units are numbered, seeded and counted. No I/O, no wire."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from moviellm.movie import LearnedStyle, Question, Shape, StoredFile

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


class Stage(StrEnum):
    """The stages of the pipeline, in order."""

    SCRIPTING = "scripting"
    INVERSION = "inversion"
    RENDERING = "rendering"
    QA = "qa"
    EXPORT = "export"


class State(StrEnum):
    """Where a dataset stands."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELETING = "deleting"

    @property
    def is_final(self) -> bool:
        """Whether the dataset stays so until somebody asks for something else."""
        return self in (State.SUCCEEDED, State.FAILED, State.CANCELLED)


@dataclass(frozen=True)
class Trouble:
    """What went wrong, where, and after how many attempts."""

    service: str
    reason: str
    message: str
    unit: str = ""
    attempts: int = 1


@dataclass(frozen=True)
class StageProgress:
    """How far one stage of one dataset is; `partial` is the mean progress of units under way, 0 to 1."""

    stage: Stage
    unit: str
    done: int
    total: int
    in_progress: int = 0
    partial: float = 0.0


@dataclass(frozen=True)
class Estimate:
    """What a request will cost, known before it runs."""

    frames: int
    llm_tokens: int
    gpu_seconds: float
    size_bytes: int


# ---- records the controller keeps in the store for itself and for the exporter ----


@dataclass(frozen=True)
class MovieStyle:
    """How a movie's look was fixed: the pictures it was learnt from and what was learnt (held-out losses)."""

    learned: LearnedStyle
    references: tuple[StoredFile, ...]
    initial_loss: float = 0.0
    final_loss: float = 0.0
    steps: int = 0


@dataclass(frozen=True)
class RenderedFrame:
    """One key frame as it was rendered; `number` counts through the movie, seconds are its share of the batch."""

    number: int
    prompt: str
    seed: int
    file: StoredFile
    model: str = ""
    node_pool: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class RenderedScene:
    """All key frames of one scene, in order."""

    frames: tuple[RenderedFrame, ...]


@dataclass(frozen=True)
class Questions:
    """The questions about one part of a movie."""

    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Exported:
    """What an export made."""

    files: tuple[StoredFile, ...]


def derived_seed(seed: int, *path: int | str) -> int:
    """A seed for one part of a dataset, 0 ≤ value < 2**63, independent of order, batch and replica.

    `path` names the part: ("movie", 2, "scene", 1, 3). Neighbouring parts get unrelated seeds.
    """
    name = "/".join(map(str, (seed, *path)))
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1

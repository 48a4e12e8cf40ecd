"""What is learnt and who teaches it: tasks, results, and the port `Teacher` behind which the optimisation lies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from moviellm.dataset import StyleMethod
from moviellm.inversion.pictures import Square
from moviellm.movie import IMAGE_FILE, LEARNED_FILES, LORA_FILE, LearnedStyle, StoredFile, Style, Work

FILES: Mapping[StyleMethod, str] = {
    StyleMethod.TEXTUAL_INVERSION: LEARNED_FILES[0],
    StyleMethod.LORA: LORA_FILE,
    StyleMethod.IP_ADAPTER: IMAGE_FILE,
}
"""File name of what is learnt by each method; of two text encoders' embeddings, that of the first."""

RECORD = "style.json"
"""File name of the record that is written last: where it lies, the style is learnt."""


class Subject(StrEnum):
    """What the references have in common."""

    STYLE = "style"
    CHARACTER = "character"


@dataclass(frozen=True)
class StyleTask:
    """What to learn. `output` is a key in the store, `captions` are one a reference, or none.

    0 steps and 0 vectors are the recipe's own numbers.
    """

    style: Style
    references: tuple[StoredFile, ...]
    output: str
    seed: int = 0
    steps: int = 0
    vectors: int = 0
    captions: tuple[str, ...] = ()
    subject: Subject = Subject.STYLE
    method: StyleMethod = StyleMethod.TEXTUAL_INVERSION


@dataclass(frozen=True)
class InversionProgress:
    """How far an optimisation is; `loss` is averaged over the last steps."""

    step: int
    steps: int
    loss: float


@dataclass(frozen=True)
class InversionResult:
    """The learnt style, its held-out loss before and after, and the steps over all tries."""

    learned_style: LearnedStyle
    initial_loss: float
    final_loss: float
    steps: int
    work: Work


@dataclass(frozen=True)
class Learnt:
    """What a finished lesson leaves: the files by name, the first one that of its method in `FILES`."""

    token: str
    files: dict[str, bytes]
    initial_loss: float
    final_loss: float
    steps: int


@dataclass(frozen=True)
class StyleRecord:
    """`style.json`: the result, and what it was made from."""

    token: str
    digests: dict[str, str]
    initial_loss: float
    final_loss: float
    steps: int
    model: str
    style: Style
    references: tuple[str, ...]
    captions: tuple[str, ...]
    seed: int
    vectors: int
    settings: dict[str, str | int | float] = field(default_factory=dict)
    method: StyleMethod = StyleMethod.TEXTUAL_INVERSION


class Lesson(Protocol):
    """An optimisation under way. All of it runs in the worker thread."""

    @property
    def done(self) -> bool:
        """Whether all steps are taken, or it stopped early."""

    def advance(self) -> InversionProgress:
        """Take one step. Raises Unsatisfied when the loss is not a number."""

    def checkpoint(self) -> bytes:
        """All that is needed to go on from here, with the fingerprint it was begun with."""

    def finish(self) -> Learnt:
        """The best vectors so far."""


class Teacher(Protocol):
    """A loaded model that styles can be learnt for."""

    model: str
    weights: str
    on_gpu: bool

    @property
    def methods(self) -> tuple[StyleMethod, ...]:
        """How styles can be learnt here."""

    @property
    def picture_size(self) -> int:
        """Height and width of the reference pictures, in pixels."""

    def settings(self, task: StyleTask) -> dict[str, str | int | float]:
        """Everything beside the task that the result depends on."""

    def begin(
        self, task: StyleTask, pictures: tuple[Square, ...], fingerprint: str, checkpoint: bytes | None
    ) -> Lesson:
        """Start, or go on from a checkpoint that carries the same fingerprint."""

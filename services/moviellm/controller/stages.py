"""What the controller needs of the stage services, as a port."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from moviellm.dataset import Exported, MovieDatasetSpec, Questions
from moviellm.movie import Chapter, LearnedStyle, Mend, Outline, Scene, Shape, StoredFile, Style, Work

T = TypeVar("T", covariant=True)


@dataclass(frozen=True)
class Made(Generic[T]):
    """A service's answer: the value, what it cost, the SHA-256 of the request it was made from, what was mended."""

    value: T
    work: Work
    made_from: str
    mends: tuple[Mend, ...] = ()


@dataclass(frozen=True)
class PictureOrder:
    """One picture to render."""

    number: int
    prompt: str
    seed: int
    uri: str


@dataclass(frozen=True)
class RenderedPicture:
    """One picture in the store."""

    number: int
    file: StoredFile
    existed: bool
    work: Work


@dataclass(frozen=True)
class StyleOrder:
    """A style to learn."""

    style: Style
    references: tuple[StoredFile, ...]
    captions: tuple[str, ...]
    output_uri: str
    seed: int
    steps: int = 0


@dataclass(frozen=True)
class InversionProgress:
    """How far an optimisation is."""

    step: int
    steps: int
    loss: float


@dataclass(frozen=True)
class InversionResult:
    """A learnt style with its held-out losses before and after."""

    learned_style: LearnedStyle
    initial_loss: float
    final_loss: float
    steps: int
    work: Work


class Stages(Protocol):
    """The five services. Methods raise our errors; Temporary ones are worth another try."""

    async def write_outline(self, spec: MovieDatasetSpec, seed: int) -> Made[Outline]:
        """Level 1 of a plot."""
        ...

    async def write_chapter(self, outline: Outline, chapter: int, scenes: int, seed: int) -> Made[Chapter]:
        """Level 2 of a plot."""
        ...

    async def write_scene(
        self, outline: Outline, chapter: Chapter, scene: int, frames: int, dialogue_lines: int, seed: int
    ) -> Made[Scene]:
        """Level 3 of a plot."""
        ...

    def render_references(self, orders: tuple[PictureOrder, ...], model: str) -> AsyncIterator[RenderedPicture]:
        """Style references, in any order."""
        ...

    def learn_style(self, order: StyleOrder) -> AsyncIterator[InversionProgress | InversionResult]:
        """Progress, then the result."""
        ...

    def render_scene(
        self, orders: tuple[PictureOrder, ...], style: LearnedStyle, model: str, negative_prompt: str
    ) -> AsyncIterator[RenderedPicture]:
        """The frames of a scene, in any order."""
        ...

    async def ask_movie(self, outline: Outline, shape: Shape, seed: int) -> Made[Questions]:
        """Overview questions."""
        ...

    async def ask_chapter(self, outline: Outline, chapter: Chapter, shape: Shape, seed: int) -> Made[Questions]:
        """Plot questions about a chapter."""
        ...

    async def ask_scene(
        self, outline: Outline, chapter: Chapter, scene: Scene, shape: Shape, seed: int
    ) -> Made[Questions]:
        """Plot questions about a scene."""
        ...

    async def ask_order(
        self, outline: Outline, chapters: tuple[Chapter, ...], shape: Shape, seed: int
    ) -> Made[Questions]:
        """Temporal questions."""
        ...

    async def export_movie(self, dataset: str, spec: MovieDatasetSpec, movie: int) -> Made[Exported]:
        """The movie's folder."""
        ...

    async def finish_dataset(self, dataset: str, spec: MovieDatasetSpec) -> Made[Exported]:
        """What spans all movies."""
        ...

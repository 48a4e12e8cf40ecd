"""What the controller needs of the stage services, as a port."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from moviellm.dataset import Attempt, Exported, MovieDatasetSpec, PictureMeasures, Questions, StyleMethod
from moviellm.movie import (
    Chapter,
    LearnedStyle,
    Mend,
    Outline,
    Question,
    Scene,
    Shape,
    StoredFile,
    Style,
    Work,
)

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
    """One picture to render; `text` is what it shows, without the style, to score it by."""

    number: int
    prompt: str
    seed: int
    uri: str
    text: str = ""


@dataclass(frozen=True)
class RenderedPicture:
    """One picture in the store; `attempts` ends with the one that was kept, empty where nobody knows."""

    number: int
    file: StoredFile
    existed: bool
    work: Work
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True)
class RenderOptions:
    """How to render: the model by name, what not to show, how good a picture must be, how to sample.

    See QualitySpec and RenderSpec.
    """

    model: str = ""
    negative_prompt: str = ""
    attempts: int = 1
    min_score: float = 0.0
    width: int = 0
    height: int = 0
    steps: int = 0
    guidance_scale: float = 0.0
    profile: str = ""
    refiner_share: float = 0.0


@dataclass(frozen=True)
class RenderProfile:
    """A way of sampling, the model's own when it has no name: what is taken when a request says nothing else."""

    name: str
    steps: int
    guidance_scale: float


@dataclass(frozen=True)
class Renderer:
    """How the rendering service renders when a request says nothing, and what it may ask for instead."""

    model: str
    width: int
    height: int
    own: RenderProfile
    profiles: tuple[RenderProfile, ...] = ()
    refiner: bool = False
    ip_adapter: bool = False


@dataclass(frozen=True)
class LearnedLooks:
    """The embeddings that prompts use: the movie's style and its characters'."""

    style: LearnedStyle
    characters: tuple[LearnedStyle, ...] = ()


@dataclass(frozen=True)
class StyleOrder:
    """A style to learn."""

    style: Style
    references: tuple[StoredFile, ...]
    captions: tuple[str, ...]
    output_uri: str
    seed: int
    steps: int = 0
    subject: str = "style"
    vectors: int = 0
    method: StyleMethod = StyleMethod.TEXTUAL_INVERSION


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


@dataclass(frozen=True)
class ImportedPlot:
    """A requester's own plot, read and mended: the levels it has, its size, and what was wrong with it."""

    outline: Outline
    chapters: tuple[Chapter, ...]
    scenes: tuple[Scene, ...]
    questions: tuple[Question, ...]
    shape: Shape
    mends: tuple[Mend, ...]


@dataclass(frozen=True)
class TokenEstimate:
    """Tokens one movie will take of a language model; none with the embedded writer and asker."""

    prompt_tokens: int
    completion_tokens: int
    model: str


class Stages(Protocol):
    """The five services. Methods raise our errors; Temporary ones are worth another try."""

    async def import_plot(self, plot: bytes, spec: MovieDatasetSpec, shape: Shape) -> ImportedPlot:
        """A requester's own plot; 0 in `shape` takes the plot's own size. Raises InvalidInput for what is refused."""
        ...

    async def estimate_tokens(self, spec: MovieDatasetSpec) -> tuple[TokenEstimate, ...]:
        """What the scripts and the questions of one movie will take. Raises InvalidInput for a bad prompt template."""
        ...

    async def write_outline(self, spec: MovieDatasetSpec, seed: int) -> Made[Outline]:
        """Level 1 of a plot."""
        ...

    async def write_chapter(self, spec: MovieDatasetSpec, outline: Outline, chapter: int, seed: int) -> Made[Chapter]:
        """Level 2 of a plot."""
        ...

    async def write_scene(
        self, spec: MovieDatasetSpec, outline: Outline, chapter: Chapter, scene: int, seed: int
    ) -> Made[Scene]:
        """Level 3 of a plot."""
        ...

    def render_references(self, orders: tuple[PictureOrder, ...], model: str) -> AsyncIterator[RenderedPicture]:
        """Style references, in any order."""
        ...

    async def weights(self) -> str:
        """A digest of the picture model that changes when it is trained anew."""
        ...

    async def style_methods(self) -> tuple[StyleMethod, ...]:
        """How the inversion service can learn a look."""
        ...

    async def renderer(self) -> Renderer:
        """How the rendering service renders, and what requests may ask of it."""
        ...

    def learn_style(self, order: StyleOrder) -> AsyncIterator[InversionProgress | InversionResult]:
        """Progress, then the result."""
        ...

    def render_scene(
        self, orders: tuple[PictureOrder, ...], looks: LearnedLooks, options: RenderOptions
    ) -> AsyncIterator[RenderedPicture]:
        """The frames of a scene, in any order."""
        ...

    async def measure(
        self, pictures: tuple[StoredFile, ...], texts: tuple[str, ...], references: tuple[StoredFile, ...]
    ) -> Made[PictureMeasures]:
        """Figures of pictures in their order."""
        ...

    async def ask_movie(self, spec: MovieDatasetSpec, outline: Outline, seed: int) -> Made[Questions]:
        """Overview questions."""
        ...

    async def ask_chapter(
        self, spec: MovieDatasetSpec, outline: Outline, chapter: Chapter, seed: int
    ) -> Made[Questions]:
        """Plot questions about a chapter."""
        ...

    async def ask_scene(
        self, spec: MovieDatasetSpec, outline: Outline, chapter: Chapter, scene: Scene, seed: int
    ) -> Made[Questions]:
        """Questions about a scene."""
        ...

    async def ask_order(
        self,
        spec: MovieDatasetSpec,
        outline: Outline,
        chapters: tuple[Chapter, ...],
        scenes: tuple[Scene, ...],
        seed: int,
    ) -> Made[Questions]:
        """Temporal questions."""
        ...

    async def review(self, outline: Outline, questions: tuple[Question, ...]) -> Made[Questions]:
        """The questions of a whole movie that stay."""
        ...

    async def export_movie(self, dataset: str, spec: MovieDatasetSpec, movie: int) -> Made[Exported]:
        """The movie's folder."""
        ...

    async def finish_dataset(self, dataset: str, spec: MovieDatasetSpec) -> Made[Exported]:
        """What spans all movies."""
        ...

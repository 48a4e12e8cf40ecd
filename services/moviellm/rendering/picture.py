"""The words of this room: what is ordered, how it is painted, what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from moviellm.dataset import Attempt
from moviellm.movie import StoredFile, Work


@dataclass(frozen=True)
class PictureOrder:
    """One picture to render; `number` is the caller's own, `text` what it shows, to score it by."""

    number: int
    prompt: str
    seed: int
    uri: str
    text: str = ""


@dataclass(frozen=True)
class RenderOptions:
    """How to sample, as the caller said it; 0 and empty mean the model's own defaults.

    At most `attempts` pictures are made of an order, or 1, until one has a CLIP-Score of `min_score`; all when it is 0.
    """

    width: int = 0
    height: int = 0
    steps: int = 0
    guidance_scale: float = 0.0
    negative_prompt: str = ""
    model: str = ""
    attempts: int = 0
    min_score: float = 0.0
    profile: str = ""
    refiner_share: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """How to sample, with nothing left open; pictures of one recipe can be denoised together."""

    width: int
    height: int
    steps: int
    guidance_scale: float
    guidance_rescale: float = 0.0
    negative_prompt: str = ""
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
    """How pictures are rendered when a request says nothing, and what it may ask for instead."""

    model: str
    width: int
    height: int
    own: RenderProfile
    profiles: tuple[RenderProfile, ...] = ()
    refiner: bool = False
    ip_adapter: bool = False


@dataclass(frozen=True, eq=False)
class Job:
    """A picture on its way to the painter; `learned` is what its prompt's tokens stand for, in the painter's form."""

    prompt: str
    seed: int
    recipe: Recipe
    learned: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False)
class Painted:
    """A picture that left the painter: `pixels` (height, width, 3) as the painter's array, and what it cost.

    `seconds` is the picture's share of its batch, `gpu_seconds` the part of it that held a GPU.
    """

    pixels: Any
    seconds: float
    gpu_seconds: float = 0.0


@dataclass(frozen=True)
class RenderedPicture:
    """A picture in the store; `attempts` ends with the one that was kept, empty where nobody knows."""

    number: int
    file: StoredFile
    existed: bool = False
    work: Work = field(default_factory=Work)
    attempts: tuple[Attempt, ...] = ()


class Paint(Protocol):
    """Paints one picture; whoever implements it gathers many such calls into batches."""

    async def __call__(self, job: Job) -> Painted:
        """The painted picture; cancelling the call drops the picture from the queue."""


class Painter(Protocol):
    """A picture model on the thread that owns it."""

    @property
    def renderer(self) -> Renderer:
        """What it can do."""

    def recipe(self, options: RenderOptions) -> Recipe:
        """The options with the model's defaults filled in."""

    def read_style(self, files: Sequence[bytes]) -> Any:
        """The learnt style in its files; raises Broken for damaged ones, Unsatisfied for those of another model."""

    def paint(self, jobs: Sequence[Job]) -> list[Painted | Exception]:
        """A result for each job, in order; jobs may have different recipes and styles."""

"""The port that both writers fill: the three levels of a plot."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from moviellm.movie import Chapter, Mend, Outline, Prompt, Scene, Shape
from moviellm.scripting.checker.tokens import TokenCounter, estimated

T = TypeVar("T")


@dataclass(frozen=True)
class OutlineRequest:
    """What an outline is written from. `preset` is a style's keyword, `description` a style in free words.

    `prompts`, here and below, are the requester's own templates; writers without prompts pass over them.
    """

    theme: str
    chapters: int
    seed: int
    preset: str = ""
    description: str = ""
    prompts: tuple[Prompt, ...] = ()


@dataclass(frozen=True)
class ChapterRequest:
    """What a chapter is written from; `chapter` is its 1-based number."""

    outline: Outline
    chapter: int
    scenes: int
    seed: int
    prompts: tuple[Prompt, ...] = ()


@dataclass(frozen=True)
class SceneRequest:
    """What a scene is written from; `scene` is its 1-based number in `chapter`, `count` measures its prompts."""

    outline: Outline
    chapter: Chapter
    scene: int
    frames: int
    dialogue_lines: int
    seed: int
    prompts: tuple[Prompt, ...] = ()
    count: TokenCounter = estimated


@dataclass(frozen=True)
class EstimateRequest:
    """A movie whose cost is asked for before it is written."""

    theme: str
    shape: Shape
    dialogue_lines: int
    prompts: tuple[Prompt, ...] = ()


@dataclass(frozen=True)
class Written(Generic[T]):
    """A part of the script, who wrote it, what it cost in tokens, with which prompt, and what had to be mended."""

    value: T
    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt: str = ""
    mends: tuple[Mend, ...] = ()


@dataclass(frozen=True)
class TokenEstimate:
    """The tokens that a movie's whole script will probably take, and of which model."""

    prompt_tokens: int
    completion_tokens: int
    model: str


class Writer(Protocol):
    """Writes a movie level by level; every call is a pure function of its request.

    Raises one of moviellm.errors; what it returns has passed moviellm.scripting.rules.
    """

    async def outline(self, request: OutlineRequest) -> Written[Outline]:
        """Level 1: a theme grown into an outline."""
        ...

    async def chapter(self, request: ChapterRequest) -> Written[Chapter]:
        """Level 2: a chapter divided into scenes."""
        ...

    async def scene(self, request: SceneRequest) -> Written[Scene]:
        """Level 3: a scene's key frames and dialogue."""
        ...

    async def check(self) -> None:
        """Raise one of our errors while no part could be written now."""
        ...


class Estimator(Protocol):
    """Says what a script will cost before it is written. Raises InvalidInput for prompts that cannot be used."""

    async def estimate(self, request: EstimateRequest) -> TokenEstimate:
        """The tokens of all three levels of one movie."""
        ...

"""Who looks at pictures: a scorer and a safety checker, loaded when they are first needed, on a thread of their own."""

import asyncio
import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from moviellm.dataset import PictureMeasures
from moviellm.errors import Unsatisfied

T = TypeVar("T")


class Survey(Protocol):
    """Gathers the figures of a sequence of pictures, each uint8 (H, W, 3) of any size."""

    def add(self, pictures: Sequence[Any], texts: Sequence[str]) -> None:
        """The next pictures and what they show."""

    def add_references(self, pictures: Sequence[Any]) -> None:
        """Pictures of the style, in any order."""

    def measures(self) -> PictureMeasures:
        """The figures."""


class Scorer(Protocol):
    """A CLIP-family model."""

    @property
    def on_gpu(self) -> bool:
        """Whether it holds a GPU while it works."""

    def score(self, pixels: Any, text: str) -> float:
        """CLIP-Score of one picture, uint8 (H, W, 3), with its text, 0 to 1, whatever else is scored."""

    def survey(self) -> Survey:
        """A new survey."""


class SafetyChecker(Protocol):
    """Knows pictures that nobody should be shown."""

    def unsafe(self, pixels: Any) -> bool:
        """Whether one picture, uint8 (H, W, 3), is such a one."""


class Critic:
    """Asks the scorer and the safety checker, where there are any; both are functions that load them."""

    def __init__(
        self, *, scorer: Callable[[], Scorer] | None = None, checker: Callable[[], SafetyChecker] | None = None
    ) -> None:
        self._thread = ThreadPoolExecutor(1, "critic")
        self._scorer = functools.cache(scorer) if scorer else None
        self._checker = functools.cache(checker) if checker else None

    @property
    def can_score(self) -> bool:
        """Whether this deployment has a scorer."""
        return self._scorer is not None

    async def score(self, pixels: Any, text: str) -> float:
        """CLIP-Score of a picture with its text, 0 without a scorer."""
        scorer = self._scorer
        return 0.0 if scorer is None else await self.call(lambda: scorer().score(pixels, text))

    async def is_unsafe(self, pixels: Any) -> bool:
        """Whether nobody should be shown the picture; False without a safety checker."""
        checker = self._checker
        return False if checker is None else await self.call(lambda: checker().unsafe(pixels))

    async def survey(self) -> tuple[Survey, bool]:
        """A new survey, to be used through `call`, and whether it holds a GPU; raises Unsatisfied without a scorer."""
        if self._scorer is None:
            raise Unsatisfied(
                'this deployment has no scorer to measure pictures with: set MOVIELLM_RENDERING_SCORER to "pocket" or '
                "to the directory of a CLIPModel",
                reason="NO_SCORER",
            )
        scorer = await self.call(self._scorer)
        return scorer.survey(), scorer.on_gpu

    async def call(self, work: Callable[..., T], *arguments: Any) -> T:
        """Do something on the critic's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

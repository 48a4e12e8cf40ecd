"""A replica of the rendering service whose painter sleeps as long as a GPU would compute."""

import os
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.null_services import FIXED_SHARE
from moviellm.rendering.picture import Job, Painted, Painter, Recipe, Renderer, RenderOptions, RenderProfile
from moviellm.rendering.ray_app import Rendering
from moviellm.rendering.settings import RenderingSettings

SIDE = 64


class SleepingPainter:
    """Takes as long as a GPU would, then hands out noise of the pictures' seeds."""

    def __init__(self, model: str, batch: int, seconds: float) -> None:
        self._model, self._batch, self._seconds = model, batch, seconds

    @property
    def renderer(self) -> Renderer:
        """As if it were that model."""
        return Renderer(self._model, SIDE, SIDE, RenderProfile("", 1, 1.0))

    def recipe(self, options: RenderOptions) -> Recipe:
        """Always the same."""
        return Recipe(SIDE, SIDE, 1, 1.0)

    def read_style(self, files: Sequence[bytes]) -> None:
        """Nothing to learn."""

    def paint(self, jobs: Sequence[Job]) -> list[Painted | Exception]:
        """One batch."""
        seconds = self._batch * self._seconds * (FIXED_SHARE + (1 - FIXED_SHARE) * len(jobs) / self._batch)
        time.sleep(seconds)
        return [Painted(self._noise(job.seed), seconds / len(jobs)) for job in jobs]

    def _noise(self, seed: int) -> Any:
        return np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE, 3), np.uint8)


class SleepingRendering(Rendering):
    """A replica with that painter."""

    @staticmethod
    def load(settings: RenderingSettings) -> Painter:
        """No model."""
        seconds = float(os.environ["MOVIELLM_BENCH_SECONDS_A_PICTURE"])
        return SleepingPainter(settings.model, settings.max_batch_size, seconds)

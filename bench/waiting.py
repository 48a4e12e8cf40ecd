"""How long do GPUs wait while a language model still writes? Real scripting service and controller, simulated GPUs.

The language model is a server of the chat completions protocol that thinks as long as a GPT-class one does. Everything
that takes time, model and GPUs, is `FASTER` times faster than in life.
"""

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.figure import Figure
from bench.local_stack import service
from bench.null_stack import NullStack, null_stack
from tests.openai_endpoint import Endpoint, serving, text_of
from tests.storytelling_model import StorytellingModel

FASTER = 10.0
FIRST_TOKEN_SECONDS = 0.6
TOKENS_A_SECOND = 60.0
LETTERS_A_TOKEN = 4.0
SECONDS_A_PICTURE = 2.0
"""SDXL with 40 steps on a card of the A100's class, in batches."""

GPUS = int(os.environ.get("MOVIELLM_BENCH_GPUS", "4"))
ROUNDS = 3


class Thinking:
    """A model that writes as the storyteller would, at a large model's pace."""

    def __init__(self) -> None:
        self._model: Any = StorytellingModel()  # type: ignore[no-untyped-call]

    def __call__(self, request: dict[str, Any]) -> str:
        """The reply, when it would be there."""
        began = time.perf_counter()
        text: str = text_of(self._model(request))
        seconds = (FIRST_TOKEN_SECONDS + len(text) / LETTERS_A_TOKEN / TOKENS_A_SECOND) / FASTER
        time.sleep(max(0.0, seconds - (time.perf_counter() - began)))
        return text


async def _round(stack: NullStack, number: int) -> tuple[float, float]:
    """Share of the GPUs' time without work from the first scene to the last script, and the seconds between them."""
    name, renderer = f"round-{number}", stack.renderer
    renderer.called.clear()
    await stack.create(name, movies=1, seed=number)
    await renderer.called.wait()
    began, busy = time.perf_counter(), renderer.busy
    await stack.written(name)
    seconds, worked = time.perf_counter() - began, renderer.busy - busy
    await stack.cancel(name)
    return 1 - worked / seconds / GPUS, seconds


async def rounds() -> list[tuple[float, float]]:
    """A movie of the paper's size each."""
    endpoint = Endpoint([Thinking()])
    with tempfile.TemporaryDirectory(prefix="moviellm-bench-") as name, serving(endpoint):
        folder = Path(name)
        model = {"writer": "openai", "llm_base_url": endpoint.url, "llm_model": "thinking", "llm_api_key": "none"}
        async with service("scripting", folder, **model) as scripting:
            settings = {"scripting": scripting, "scenes_in_flight": str(3 * GPUS)}
            seconds = SECONDS_A_PICTURE / FASTER
            async with null_stack(folder, replicas=GPUS, seconds_a_picture=seconds, **settings) as stack:
                return [await _round(stack, number) for number in range(1, ROUNDS + 1)]


def measure() -> list[Figure]:
    """The share of the GPUs' time that goes by without work while scripts are being written."""
    found = asyncio.run(rounds())
    return [
        Figure(
            "GPUs without work while scripts are written",
            f"{GPUS} simulated GPUs, one movie, {TOKENS_A_SECOND:.0f} tokens/s, after the first scene",
            tuple(100 * idle for idle, _ in found),
            unit="%",
            bound=5.0,
            at_least=False,
            details={"seconds_of_writing": [FASTER * seconds for _, seconds in found]},
        )
    ]

"""A batch of eight styles against a batch of one: tokens, LoRAs, and both with pictures of no learnt style between."""

import time
from collections.abc import Callable
from typing import Any

import torch

from bench.figure import Figure
from moviellm.pipelines.diffusers_loading import load_pipeline
from moviellm.pipelines.diffusers_lora import LowRank, LowRankAttention
from moviellm.pipelines.diffusers_prompts import LearnedVectors, PromptEncoder
from moviellm.rendering.diffusers_painter import DiffusersPainter
from moviellm.rendering.picture import Job, RenderOptions

BATCH = 8
ROUNDS = 5
TURNS = 2
"""Batches of each kind a round, in turn."""


def measure() -> list[Figure]:
    """Throughput with mixed styles as a share of that with one, in processor seconds of one thread."""
    torch.set_num_threads(1)
    pipe: Any = load_pipeline("pocket", device="cpu")
    painter = DiffusersPainter(pipe, model="pocket")
    tokens = _tokens(pipe)
    loras = _loras(pipe)
    mixtures: dict[str, tuple[list[Any], list[Any]]] = {
        "tokens": (tokens[:1] * BATCH, tokens),
        "LoRAs": (loras[:1] * BATCH, loras),
        "LoRAs, tokens and none": (
            loras[:1] * BATCH,
            [one for pair in zip(loras, tokens, strict=True) for one in pair],
        ),
    }
    return [
        Figure(
            f"eight styles in one batch: {name}",
            f"one style, batch {BATCH}, same model",
            _shares(painter, one, mixed[:BATCH]),
            "of one style's",
            0.98 if name == "tokens" else None,
        )
        for name, (one, mixed) in mixtures.items()
    ]


def _shares(painter: DiffusersPainter, one: list[Any], mixed: list[Any]) -> tuple[float, ...]:
    batches = [[_job(painter, look, seed) for seed, look in enumerate(looks)] for looks in (one, mixed)]
    for jobs in batches:
        painter.paint(jobs)
    shares = []
    for _ in range(ROUNDS):
        seconds = [0.0, 0.0]
        for _ in range(TURNS):
            for kind, jobs in enumerate(batches):
                seconds[kind] += _seconds(lambda jobs=jobs: painter.paint(jobs))  # type: ignore[misc]
        shares.append(seconds[0] / seconds[1])
    return tuple(shares)


def _seconds(work: Callable[[], Any]) -> float:
    started = time.thread_time()
    for result in work():
        if isinstance(result, Exception):
            raise result
    return time.thread_time() - started


def _job(painter: DiffusersPainter, look: Any, seed: int) -> Job:
    learned = () if look is None else (look,)
    word = "noir" if look is None else look.token
    return Job(f"generate an image in {word} style: the harbor", seed, painter.recipe(RenderOptions()), learned)


def _tokens(pipe: Any) -> list[LearnedVectors]:
    dims = PromptEncoder(pipe).dims
    return [
        LearnedVectors(f"<style-{seed}>", tuple(torch.randn(1, dim, generator=_numbers(seed)) for dim in dims))
        for seed in range(BATCH)
    ]


def _loras(pipe: Any) -> list[LowRank]:
    layers = LowRankAttention(pipe.unet).layers
    looks = []
    for seed in range(BATCH):
        numbers = _numbers(seed)
        down = {name: torch.randn(4, layer.in_features, generator=numbers) / 4 for name, layer in layers.items()}
        up = {name: torch.randn(layer.out_features, 4, generator=numbers) / 100 for name, layer in layers.items()}
        looks.append(LowRank(f"style {seed}", down, up))
    return looks


def _numbers(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)

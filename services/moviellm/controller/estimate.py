"""What a request will cost, before it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from moviellm.controller.stages import TokenEstimate
from moviellm.dataset import Estimate, ModelUse, MovieDatasetSpec, StyleMethod

Prices = Mapping[str, tuple[float, float]]
"""Price of a million prompt tokens and of a million completion tokens by model, all in one currency."""

MOST_MAINS = 2
"""Main characters of a movie at most (paper: one or two)."""

COPYING_FORMATS = ("hf_parquet", "imagefolder", "webdataset", "mds")
"""Formats that hold the pictures once more."""


@dataclass(frozen=True)
class Rates:
    """Costs of single units as the deployment's models need them, and its language models' prices."""

    seconds_per_frame: float
    seconds_per_style: float
    bytes_per_frame: int
    prices: Prices = field(default_factory=dict)


def estimate(spec: MovieDatasetSpec, tokens: Sequence[TokenEstimate], rates: Rates, *, effort: float = 1.0) -> Estimate:
    """The whole dataset's cost; `tokens` holds what one movie's scripts and questions will take.

    `effort` is a frame's cost as a multiple of one that is sampled the model's own way.
    """
    frames = spec.movies * spec.shape.total_frames
    uses = [ModelUse(one.model, spec.movies * one.prompt_tokens, spec.movies * one.completion_tokens) for one in tokens]
    copies = 2 + sum(name in COPYING_FORMATS for name in spec.formats)
    return Estimate(
        frames=frames,
        llm_tokens=sum(use.prompt_tokens + use.completion_tokens for use in uses),
        gpu_seconds=frames * spec.quality.attempts * rates.seconds_per_frame * effort
        + _looks(spec) * rates.seconds_per_style,
        size_bytes=frames * rates.bytes_per_frame * copies,
        cost=round(sum(cost(use, rates.prices) for use in uses), 4),
    )


def _looks(spec: MovieDatasetSpec) -> int:
    """Embeddings to learn: a movie's style, and mostly two faces where those are wanted."""
    styles = 0 if spec.style.method in (StyleMethod.PROMPT, StyleMethod.IP_ADAPTER) else 1
    return spec.movies * (styles + (MOST_MAINS if spec.learn_characters else 0))


def cost(use: ModelUse, prices: Prices) -> float:
    """What the tokens cost; 0 where the model has no price."""
    prompt, completion = prices.get(use.model, (0.0, 0.0))
    return (use.prompt_tokens * prompt + use.completion_tokens * completion) / 1_000_000

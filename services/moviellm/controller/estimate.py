"""What a request will cost: the deployment's figures, corrected by what this controller has seen."""

from dataclasses import dataclass

from moviellm.dataset import Estimate, MovieDatasetSpec


@dataclass(frozen=True)
class Rates:
    """Costs of single units: seconds and tokens as the deployment's models need them."""

    seconds_per_frame: float
    seconds_per_style: float
    tokens_per_script: int
    bytes_per_frame: int


def estimate(spec: MovieDatasetSpec, rates: Rates) -> Estimate:
    """The whole dataset's cost. Tokens are those of scripts and question sets, which are about as long."""
    frames = spec.movies * spec.shape.total_frames
    scripts = spec.movies * (1 + spec.chapters + spec.chapters * spec.scenes)
    return Estimate(
        frames=frames,
        llm_tokens=2 * scripts * rates.tokens_per_script,
        gpu_seconds=frames * rates.seconds_per_frame + spec.movies * rates.seconds_per_style,
        size_bytes=frames * rates.bytes_per_frame * (3 if "webdataset" in spec.formats else 2),
    )

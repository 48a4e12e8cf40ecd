"""The pocket model: a small text-to-image model that draws movie scenes on one CPU core, offline.

The room holds everything the model is made of: the words it was taught (`vocabulary`), the procedural drawer that
illustrates them, the training, the evaluation and the shipped weights. This file stays light, so that a service may
ask where the weights are, and how to sample them, without loading anything.
"""

from pathlib import Path

WEIGHTS: Path = Path(__file__).parent / "weights"
"""Directory of the shipped pipeline, in the format of `DiffusionPipeline.from_pretrained`."""

WEIGHTS_CLIP: Path = Path(__file__).parent / "weights_clip"
"""Directory of the small CLIP that scores its pictures, in the format of `CLIPModel.from_pretrained`."""

WEIGHTS_CLASSIFIERS: Path = Path(__file__).parent / "weights_classifiers"
"""Directory of the classifiers that tell what is to be seen in its pictures; used to measure the model."""

SIZE: int = 128
"""Height and width of a picture, in pixels."""

STEPS: int = 2
"""Denoising steps of the recommended recipe: so small a model says more of a picture in one look than in many."""

GUIDANCE_SCALE: float = 1.25
"""Classifier-free guidance of the recommended recipe."""

GUIDANCE_RESCALE: float = 0.6
"""Rescaling of guided predictions (Lin et al. 2023): without it, guidance at zero terminal SNR over-exposes."""

"""The shipped pocket model on captions that training has never seen: can one tell what was asked for?"""

import numpy as np
import torch

from bench.figure import Figure
from moviellm.pipelines.torch_measures import unit
from moviellm.pipelines.transformers_scorer import ClipScorer
from moviellm.pocket import WEIGHTS
from moviellm.pocket.captions import canonical
from moviellm.pocket.diffusers_sampling import Recipe
from moviellm.pocket.evaluation import FACTORS, held_out_scenes, labels, shares_right
from moviellm.pocket.scene import as_bytes, draw
from moviellm.pocket.torch_bench import paint_held_out
from moviellm.pocket.torch_classifiers import guesses, load_classifiers

SCENES = 288
AMONG = 16


def measure() -> list[Figure]:
    """What is recognised, factor by factor, what the small CLIP finds, and the time of a frame."""
    scenes, model = held_out_scenes(SCENES), load_classifiers()
    truth = labels(scenes)
    drawn = shares_right(guesses(model, np.stack([as_bytes(draw(scene)) for scene in scenes])), truth)
    gallery = paint_held_out(WEIGHTS, SCENES, Recipe())
    seen = shares_right(guesses(model, gallery.pictures), truth)
    factors = [
        Figure(
            f"pocket: {factor.name} recognised",
            f"drawn pictures: {drawn[factor.name]:.2f}",
            (seen[factor.name],),
            bound=factor.goal,
        )
        for factor in FACTORS
    ]
    found = Figure(f"pocket: CLIP finds 1 caption of {AMONG}", "", (found_among(gallery.pictures),), bound=0.8)
    milliseconds = Figure("pocket: a frame at batch 8, one core", "", (gallery.seconds * 1000,), "ms", 150, False)
    return [*factors, found, milliseconds]


def found_among(pictures: np.ndarray) -> float:
    """How often a picture's own caption is the nearest of `AMONG`."""
    scorer = ClipScorer.open("pocket", device="cpu")
    told = [canonical(scene) for scene in held_out_scenes(SCENES)]
    scores = unit(scorer.see(list(pictures)).embeddings) @ unit(scorer.read(told)).T
    shares = [
        (scores[at : at + AMONG, at : at + AMONG].argmax(dim=1) == torch.arange(AMONG)).float().mean().item()
        for at in range(0, SCENES, AMONG)
    ]
    return float(np.mean(shares))

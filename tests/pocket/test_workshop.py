"""The way from no file at all to weights that a stock pipeline loads, with next to no learning."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("diffusers")

pytestmark = pytest.mark.timeout(300)  # half a minute on a free core

LITTLE = {"artist_seconds": 600.0, "reading_seconds": 2.0, "clip_seconds": 2.0, "classifier_samples": 128}


def test_everything_is_made_from_nothing_and_training_goes_on_where_it_stopped(tmp_path) -> None:
    from diffusers import DiffusionPipeline

    from moviellm.pipelines.transformers_scorer import ClipScorer
    from moviellm.pocket.torch_classifiers import guesses, load_classifiers
    from moviellm.pocket.torch_workshop import Budget, make

    said: list[str] = []
    work, weights = tmp_path / "work", tmp_path / "made" / "weights"
    budget = Budget(pictures=320, looks=24, samples=72, **LITTLE)
    make(work, weights, budget, said.append)
    assert any(line.startswith("starting at 0 samples") for line in said)
    assert np.load(work / "latents.npy").shape[0] == len(np.load(work / "tokens.npy")) == 344
    assert np.load(work / "numbers.npy")[320] >= 320

    pipeline = DiffusionPipeline.from_pretrained(weights, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline("a picture of the harbor at night", num_inference_steps=2, output_type="np").images[0]
    assert picture.shape == (128, 128, 3)
    assert np.isfinite(picture).all()
    seen = np.round(picture * 255).astype(np.uint8)
    assert set(guesses(load_classifiers(weights.parent / "weights_classifiers"), seen[None])) >= {"location", "style"}
    scorer = ClipScorer.open(str(weights.parent / "weights_clip"), device="cpu")
    assert scorer.see([seen]).embeddings.shape == scorer.read(["the harbor"]).shape

    said.clear()
    make(work, weights, dataclasses.replace(budget, samples=120), said.append)
    assert any(line.startswith("starting at 72 samples") for line in said)
    assert any(line.startswith("120 samples, loss") for line in said)
    assert not any(line.startswith(("pictures.npy", "reading", "latents")) for line in said)

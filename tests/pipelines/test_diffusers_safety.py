"""diffusers' safety checker with random weights, whose thresholds the tests set."""

import json

import numpy as np
import pytest
import safetensors.torch
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from transformers import CLIPConfig, CLIPVisionConfig

from moviellm.errors import Unsatisfied
from moviellm.pipelines.diffusers_safety import DiffusersSafety

torch.set_num_threads(1)
PICTURE = np.random.default_rng(1).integers(0, 256, (64, 80, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    torch.manual_seed(0)
    vision = CLIPVisionConfig(
        hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8
    )
    path = tmp_path / "pipeline" / "safety_checker"
    StableDiffusionSafetyChecker(CLIPConfig(vision_config=vision.to_dict(), projection_dim=10)).save_pretrained(path)
    (path.parent / "feature_extractor").mkdir()
    settings = {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}}
    (path.parent / "feature_extractor" / "preprocessor_config.json").write_text(json.dumps(settings))
    return path


def rewrite(folder, change):
    weights = safetensors.torch.load_file(folder / "model.safetensors")
    safetensors.torch.save_file(change(weights), folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(("threshold", "unsafe"), [(-2.0, True), (2.0, False)])
def test_pictures_near_a_concept_are_unsafe(folder, threshold, unsafe):
    rewrite(folder, lambda weights: weights | {"concept_embeds_weights": torch.full((17,), threshold)})
    checker = DiffusersSafety.open(str(folder), device="cpu")
    assert checker._prepare.side == 40
    before = PICTURE.copy()
    assert checker.unsafe(PICTURE) is unsafe
    assert (before == PICTURE).all()


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda path: (path / "config.json").unlink(), "there is no safety checker in"),
        (lambda path: (path / "config.json").write_text('{"architectures": ["CLIPModel"]}'), "holds another model"),
        (lambda path: (path / "model.safetensors").unlink(), "cannot be loaded"),
        (
            lambda path: rewrite(path, lambda weights: {k: v for k, v in weights.items() if "concept" not in k}),
            "2 weights are missing, such as concept_embeds",
        ),
    ],
)
def test_a_directory_without_a_whole_checker_is_one_sentence(folder, break_it, sentence):
    break_it(folder)
    with pytest.raises(Unsatisfied, match=sentence) as caught:
        DiffusersSafety.open(str(folder), device="cpu", setting="MOVIELLM_RENDERING_SAFETY_CHECKER")
    assert caught.value.message.startswith("MOVIELLM_RENDERING_SAFETY_CHECKER: ")
    assert "\n" not in caught.value.message

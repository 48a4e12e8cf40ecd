"""Pipelines load from a directory; anything else is one sentence that names the setting."""

import pickle
from pathlib import Path

import pytest
import tiny_pipelines as tiny
import torch
from diffusers import DDPMPipeline, DDPMScheduler, StableDiffusionXLPipeline, UNet2DModel

from moviellm import errors
from moviellm.pipelines.diffusers_loading import POCKET, load_pipeline, picture_size, resolve_dtype

torch.set_num_threads(1)


class Trap:
    """Leaves a file where a pickle of it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdxl")
    tiny.sdxl().save_pretrained(folder)
    return folder


def load(model):
    return load_pipeline(str(model), device="cpu", local_files_only=True, setting="MOVIELLM_X_MODEL")


def test_a_directory_loads_frozen_and_exact(saved):
    pipe = load(saved)
    assert isinstance(pipe, StableDiffusionXLPipeline)
    assert picture_size(pipe) == tiny.SIZE
    original = tiny.sdxl().unet.state_dict()
    assert all(torch.equal(value, original[name]) for name, value in pipe.unet.state_dict().items())
    assert not any(weight.requires_grad for weight in (*pipe.unet.parameters(), *pipe.text_encoder_2.parameters()))
    assert not pipe.unet.training


def test_sd_loads_without_a_safety_checker(tmp_path):
    tiny.sd(pocket=True).save_pretrained(tmp_path)
    assert load(tmp_path).safety_checker is None


@pytest.mark.parametrize("model", ["/nowhere/at/all", "./nothing", "plain", "no-such-org/no-such-model"])
def test_a_missing_model_names_the_setting(model):
    with pytest.raises(errors.Unsatisfied, match=r"MOVIELLM_X_MODEL: .*model_index\.json"):
        load(model)


def test_another_family_is_refused(tmp_path):
    unet = UNet2DModel(
        sample_size=8,
        block_out_channels=(8, 8),
        down_block_types=("DownBlock2D",) * 2,
        up_block_types=("UpBlock2D",) * 2,
        norm_num_groups=2,
    )
    DDPMPipeline(unet=unet, scheduler=DDPMScheduler()).save_pretrained(tmp_path)
    with pytest.raises(errors.Unsatisfied, match="is a DDPMPipeline; the pipelines that can be used"):
        load(tmp_path)


def test_damaged_weights_are_one_sentence(tmp_path):
    tiny.sd().save_pretrained(tmp_path)
    weights = tmp_path / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(errors.Unsatisfied, match=r"MOVIELLM_X_MODEL: the model .* cannot be loaded") as caught:
        load(tmp_path)
    assert "\n" not in caught.value.message


def test_the_pocket_model_keeps_full_precision_wherever_it_runs():
    assert resolve_dtype("auto", "cuda", POCKET) == torch.float32
    assert resolve_dtype("auto", "cpu", "/models/sdxl") == torch.float32
    assert resolve_dtype("float16", "cuda", POCKET) == torch.float16


def test_weights_in_pickles_are_refused_unread(tmp_path):
    tiny.sd().save_pretrained(tmp_path)
    trap = tmp_path / "sprung"
    for weights in list(tmp_path.rglob("*.safetensors")):
        weights.with_suffix(".bin").write_bytes(pickle.dumps(Trap(str(trap))))
        weights.unlink()
    with pytest.raises(errors.Unsatisfied, match=r"MOVIELLM_X_MODEL: .* cannot be loaded: .*safetensors"):
        load(tmp_path)
    assert not trap.exists()

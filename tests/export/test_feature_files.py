"""Feature files: what a vision encoder sees, packed as LLaMA-VID and Video-ChatGPT read it."""

import io
import json

import numpy as np
import pytest
import torch
from contract_readers import llama_vid_pickle, llava_like, video_chatgpt_pickle
from export_fixtures import picture, spec_with, stage_at, write_dataset
from PIL import Image
from transformers import Blip2VisionConfig, Blip2VisionModel, CLIPVisionConfig, CLIPVisionModel

from moviellm import errors
from moviellm.export.__main__ import feature_encoder
from moviellm.export.transformers_features import MEAN, STD, TransformersEncoder

NUMBERS = 1408
FORMATS = ("llama_vid", "video_chatgpt")


class Shades:
    """An encoder whose every number is the brightness of the picture, and a little more in each token."""

    name = "shades"
    shape = (257, NUMBERS)

    def __init__(self):
        self.calls = []

    def encode(self, pictures, layer):
        self.calls.append((len(pictures), layer))
        levels = [np.asarray(Image.open(io.BytesIO(data)).convert("L")).mean() / 255 for data in pictures]
        tokens = np.arange(257)[None, :, None] / 1024
        return (np.array(levels)[:, None, None] + tokens + np.zeros((1, 1, NUMBERS))).astype(np.float16)


def brightness(movie, number):
    return np.asarray(Image.open(io.BytesIO(picture(movie, number))).convert("L")).mean() / 255


async def test_features_are_packed_as_their_readers_want_them(tmp_path):
    spec, encoder = spec_with(movies=2, formats=FORMATS), Shades()
    async with stage_at(tmp_path, encoder=encoder) as stage:
        await write_dataset(stage.store, spec)
        await stage.export_all(spec)
        folder = stage.files()
        feats, inputs = llama_vid_pickle(folder / "formats/llama_vid/features/0002.pkl")
        assert len(feats) == 12
        assert feats[:, 0, 0] == pytest.approx([brightness(2, number) for number in range(1, 13)], abs=1e-3)
        assert inputs.startswith(
            "<image>Clara says What is this, 1.1? Edwin says A letter, from the sea.<image><image>"
        )
        pooled = video_chatgpt_pickle(folder / "formats/video_chatgpt/features/0002.pkl")
        assert pooled.shape == (356, NUMBERS)
        shade = [brightness(2, number) + 128.5 / 1024 for number in range(1, 13)]
        assert pooled[:12, 5] == pytest.approx(shade, abs=2e-3)
        assert not pooled[12:100].any()
        assert pooled[100:, 5] == pytest.approx(np.mean(shade) + (np.arange(256) - 127.5) / 1024, abs=2e-3)
        assert {layer for _, layer in encoder.calls} == {-1, -2}
        for name, token, place in (("llama_vid", "<image>", "start"), ("video_chatgpt", "<video>", "end")):
            for suffix, end in (("", "movies/0001/movie.mp4"), ("_features", f"formats/{name}/features/0001.pkl")):
                found = llava_like(folder, folder / f"formats/{name}/train{suffix}.json", token=token, place=place)
                assert len(found) == 28
                assert str(found[0][2]).endswith(end)


async def test_features_that_are_there_are_not_encoded_again(tmp_path):
    spec, encoder = spec_with(movies=2, formats=("llama_vid",)), Shades()
    async with stage_at(tmp_path, encoder=encoder) as stage:
        await write_dataset(stage.store, spec)
        await stage.export_all(spec)
        (stage.files() / "formats/llama_vid/features/0002.pkl").unlink()
        (stage.files() / "manifest.json").unlink()
        encoder.calls.clear()
        await stage.finish(spec)
        assert encoder.calls == [(12, -1)]


async def test_an_encoder_of_another_shape_is_refused_in_one_sentence(tmp_path):
    class Small(Shades):
        name = "/models/small"
        shape = (50, 768)

    async with stage_at(tmp_path, encoder=Small()) as stage:
        await write_dataset(stage.store)
        for movie in (1, 2):
            await stage.export_movie(movie)
        with pytest.raises(errors.Unsatisfied) as caught:
            await stage.finish(spec_with(formats=("llama_vid",)))
        told = "LLaMA-VID reads features of (257, 1408) a picture, the feature encoder /models/small gives (50, 768)"
        assert caught.value.message == told
        with pytest.raises(errors.Unsatisfied, match=r"Video-ChatGPT reads features of \(257, any\)"):
            await stage.finish(spec_with(formats=("video_chatgpt",)))


def saved(model, folder):
    with torch.no_grad():
        for values in model.parameters():
            values.normal_(std=0.1)
    model.save_pretrained(folder)
    return str(folder), model


@pytest.fixture(scope="module")
def eva(tmp_path_factory):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    sizes = {"hidden_size": NUMBERS, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 16}
    config = Blip2VisionConfig(**sizes, image_size=224, patch_size=14)
    return saved(Blip2VisionModel(config).eval(), tmp_path_factory.mktemp("eva"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    torch.manual_seed(1)
    sizes = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2}
    config = CLIPVisionConfig(**sizes, image_size=224, patch_size=14)
    return saved(CLIPVisionModel(config).eval(), tmp_path_factory.mktemp("clip"))


def pixels(data):
    image = Image.open(io.BytesIO(data)).convert("RGB").resize((224, 224), Image.Resampling.BICUBIC)
    values = (np.asarray(image, np.float32) / 255 - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
    return torch.from_numpy(values.transpose(2, 0, 1)[None].copy())


def test_the_eva_tower_gives_what_its_layers_give_before_the_closing_norm(eva):
    folder, model = eva
    encoder = TransformersEncoder(folder, device="cpu")
    assert encoder.shape == (257, NUMBERS)
    features = encoder.encode([picture(1, 1), picture(1, 2)], -1)
    assert (features.shape, features.dtype) == ((2, 257, NUMBERS), np.float16)
    with torch.inference_mode():
        normed = model(pixel_values=pixels(picture(1, 2))).last_hidden_state[0]
        again = model.post_layernorm(torch.from_numpy(features[1].astype(np.float32)))
    assert again.numpy() == pytest.approx(normed.numpy(), abs=3e-2)
    assert not np.allclose(features[1], normed.numpy(), atol=2e-2)


def test_clips_last_layer_but_one_is_what_transformers_calls_hidden_state_minus_two(clip):
    folder, model = clip
    features = TransformersEncoder(folder, device="cpu").encode([picture(1, 3)], -2)
    with torch.inference_mode():
        states = model(pixel_values=pixels(picture(1, 3)), output_hidden_states=True).hidden_states
    assert features[0] == pytest.approx(states[-2][0].numpy(), abs=5e-3)


async def test_a_real_encoder_makes_files_its_reader_takes(eva, tmp_path):
    spec = spec_with(movies=1, chapters=1, scenes=1, formats=FORMATS)
    async with stage_at(tmp_path, encoder=TransformersEncoder(eva[0], device="cpu")) as stage:
        await write_dataset(stage.store, spec)
        await stage.export_all(spec)
        feats, _ = llama_vid_pickle(stage.files() / "formats/llama_vid/features/0001.pkl")
        assert len(feats) == 3
        pooled = video_chatgpt_pickle(stage.files() / "formats/video_chatgpt/features/0001.pkl")
        assert pooled[:3].any(axis=1).all()


@pytest.mark.parametrize("content", [None, {}, {"model_type": "bert"}])
def test_a_folder_without_an_encoder_is_named(tmp_path, content):
    folder = tmp_path / "model"
    if content is not None:
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(content))
    with pytest.raises(errors.Unsatisfied) as caught:
        TransformersEncoder(str(folder), device="cpu")
    assert caught.value.message.startswith(f"{folder} holds no")
    assert "\n" not in caught.value.message


def test_the_service_does_not_start_with_a_wrong_encoder(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        feature_encoder(str(tmp_path / "model"))
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("MOVIELLM_EXPORT_FEATURE_ENCODER: ")
    assert feature_encoder("") is None

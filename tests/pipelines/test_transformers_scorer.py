"""The scorer against transformers' own processor and model, and what it makes of drawn scenes."""

import json
import shutil
from random import Random

import numpy as np
import pytest
import tiny_pipelines as tiny
import torch
from transformers import CLIPConfig, CLIPModel, CLIPProcessor, CLIPTextConfig, CLIPVisionConfig

from moviellm.errors import Unsatisfied
from moviellm.pipelines.torch_survey import Survey
from moviellm.pipelines.transformers_scorer import ClipScorer
from moviellm.pocket import WEIGHTS_CLIP
from moviellm.pocket.captions import canonical
from moviellm.pocket.scene import as_bytes, draw, random_scene

torch.set_num_threads(1)

SCENES = [random_scene(Random(f"scorer {number}")) for number in range(12)]
PICTURES = [as_bytes(draw(scene)) for scene in SCENES]
TEXTS = [canonical(scene) for scene in SCENES]


@pytest.fixture(scope="module")
def pocket():
    return ClipScorer.open("pocket", device="cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A CLIPModel of other sizes and another window, in full precision, with an older preprocessor file."""
    torch.manual_seed(0)
    words = tiny.tokenizer()
    text = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=20,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    vision = CLIPVisionConfig(
        hidden_size=24, intermediate_size=48, num_hidden_layers=6, num_attention_heads=2, image_size=48, patch_size=8
    )
    config = CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=10)
    path = tmp_path_factory.mktemp("scorers") / "tiny-clip"
    CLIPModel(config).save_pretrained(path)
    words.save_pretrained(path)
    settings = {"image_processor_type": "CLIPImageProcessor", "size": 48, "crop_size": 48, "resample": 3}
    (path / "preprocessor_config.json").write_text(json.dumps(settings))
    return path


@pytest.mark.parametrize("size", [(128, 128), (200, 90), (60, 77), (48, 48)])
def test_pictures_are_prepared_as_transformers_does_it(pocket, folder, size):
    pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    for scorer, path in ((pocket, WEIGHTS_CLIP), (ClipScorer.open(str(folder), device="cpu"), folder)):
        theirs = CLIPProcessor.from_pretrained(path).image_processor(pixels, return_tensors="np").pixel_values[0]
        np.testing.assert_allclose(scorer._prepare(pixels), theirs, atol=0.02)


def test_scores_are_the_models_own_cosines(pocket):
    model = CLIPModel.from_pretrained(WEIGHTS_CLIP, dtype=torch.float32)
    processor = CLIPProcessor.from_pretrained(WEIGHTS_CLIP)
    inputs = processor(text=TEXTS, images=PICTURES, return_tensors="pt", padding=True)
    with torch.no_grad():
        logits = model(**inputs).logits_per_image / model.logit_scale.exp()
    scores = [pocket.score(pixels, text) for pixels, text in zip(PICTURES, TEXTS, strict=True)]
    np.testing.assert_allclose(scores, logits.diagonal().clamp(min=0), atol=1e-4)


def test_the_right_text_scores_highest(pocket):
    found = [max(TEXTS, key=lambda text, pixels=pixels: pocket.score(pixels, text)) for pixels in PICTURES]
    assert sum(a == b for a, b in zip(found, TEXTS, strict=True)) >= 10


def test_a_long_text_is_read_as_far_as_the_window_goes_and_told(pocket, capsys):
    long = TEXTS[0] + ", and a man in the library" * 40
    other_end = TEXTS[0] + ", and a man in the library" * 30 + " at night" * 9
    assert pocket.score(PICTURES[0], long) == pocket.score(PICTURES[0], other_end)
    assert "longer than the scorer reads" in "".join(capsys.readouterr())


def test_another_directory_gives_its_own_layers(folder):
    scorer = ClipScorer.open(str(folder), device="cpu")
    seen = scorer.see(PICTURES[:3])
    assert scorer.name == "tiny-clip"
    assert seen.embeddings.shape == (3, 10)
    assert [tuple(layer.shape) for layer in seen.layers] == [(3, 36, 24)] * 4
    assert scorer.read(["a picture", "the library " * 30]).shape == (2, 10)


def test_a_survey_does_not_depend_on_how_it_is_fed(pocket):
    whole, parts = pocket.survey(), Survey(pocket)
    whole.add_references(PICTURES[:5])
    whole.add(PICTURES, TEXTS)
    for first, last in ((0, 1), (1, 2), (2, 7), (7, 12)):
        parts.add(PICTURES[first:last], TEXTS[first:last])
    parts.add_references(PICTURES[3:5])
    parts.add_references(PICTURES[:3])
    one, two = whole.measures(), parts.measures()
    assert one.pictures == two.pictures == 12
    assert one.scorer == "pocket"
    np.testing.assert_allclose(one.scores, two.scores, atol=2e-6)
    for name in (
        "text_score",
        "neighbour_score",
        "neighbour_distance",
        "style_color_distance",
        "style_gram_distance",
    ):
        assert getattr(one, name) == pytest.approx(getattr(two, name), abs=3e-6), name
        assert getattr(one, name) > 0, name
    assert one.text_score == pytest.approx(np.mean(one.scores), abs=1e-6)


def test_equal_pictures_have_no_distance(pocket):
    survey = pocket.survey()
    survey.add([PICTURES[0]] * 3, [TEXTS[0]] * 3)
    survey.add_references([PICTURES[0]])
    found = survey.measures()
    assert found.neighbour_score == pytest.approx(1, abs=1e-5)
    assert found.neighbour_distance == pytest.approx(0, abs=1e-5)
    assert found.style_color_distance == pytest.approx(0, abs=1e-4)
    assert found.style_gram_distance == pytest.approx(0, abs=1e-4)


def test_one_picture_has_no_neighbours_and_no_references_no_style(pocket):
    survey = pocket.survey()
    survey.add(PICTURES[:1], TEXTS[:1])
    found = survey.measures()
    assert (found.neighbour_score, found.neighbour_distance) == (0, 0)
    assert (found.style_color_distance, found.style_gram_distance) == (0, 0)


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda path: (path / "config.json").unlink(), "there is no scorer in"),
        (lambda path: (path / "config.json").write_text("not JSON"), "there is no scorer in"),
        (lambda path: (path / "config.json").write_text('{"model_type": "siglip"}'), "holds a siglip, not a CLIPModel"),
        (lambda path: (path / "model.safetensors").unlink(), "holds no weights in safetensors"),
        (lambda path: (path / "model.safetensors").write_bytes(b"broken"), "cannot be loaded"),
    ],
)
def test_a_directory_without_a_scorer_is_one_sentence(folder, tmp_path, break_it, sentence):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    break_it(copy)
    with pytest.raises(Unsatisfied, match=sentence) as caught:
        ClipScorer.open(str(copy), device="cpu", setting="MOVIELLM_RENDERING_SCORER")
    assert caught.value.message.startswith("MOVIELLM_RENDERING_SCORER: ")
    assert "\n" not in caught.value.message

"""The shipped pipeline: stock classes, small, offline, and it listens."""

import json

import numpy as np
import pytest

from moviellm.pocket import SIZE, WEIGHTS
from moviellm.pocket.captions import taught_words
from moviellm.pocket.wordpieces import END, START, learn_pieces

pytest.importorskip("diffusers")


@pytest.fixture(scope="module")
def pipeline():
    import torch

    from moviellm.pocket.diffusers_sampling import load

    torch.set_num_threads(1)
    return load(WEIGHTS)


@pytest.fixture(scope="module")
def pictures(pipeline):
    from moviellm.pocket.diffusers_sampling import Recipe, paint

    prompts = [
        "generate an image in comic style: the beach at noon, wide shot",
        "generate an image in noir style: the beach at noon, wide shot",
        "generate an image in comic style: the library at night, wide shot",
        "generate an image in comic style: the beach at noon, wide shot",
    ]
    recipe = Recipe(steps=6, guidance=3.0, rescale=0.5, batch=2)
    return paint(pipeline, prompts, recipe).pictures.astype(np.float32) / 255


def test_only_stock_parts_and_a_small_directory() -> None:
    index = json.loads((WEIGHTS / "model_index.json").read_text())
    assert index["_class_name"] == "StableDiffusionPipeline"
    assert {owner for owner, _ in (part for part in index.values() if isinstance(part, list))} <= {
        "diffusers",
        "transformers",
        None,
    }
    size = sum(path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file())
    assert size <= 40 * 2**20
    for name in ("tokenizer.json", "vocab.json", "merges.txt"):
        assert (WEIGHTS / "tokenizer" / name).exists()


def test_the_example_of_the_model_card_runs_as_it_stands(capsys) -> None:
    card = (WEIGHTS / "README.md").read_text()
    example = card.split("```python\n")[1].split("```")[0]
    names: dict[str, object] = {}
    exec(example, names)
    picture = np.asarray(names["picture"])
    assert picture.shape == (SIZE, SIZE, 3)
    assert picture.std() > 10


def test_every_taught_word_is_one_piece_and_anything_else_still_has_pieces(pipeline) -> None:
    words = [word for word in taught_words() if word.isalpha()]
    assert all(len(pipeline.tokenizer.tokenize(word)) == 1 for word in words)
    unknown = pipeline.tokenizer("Zoë's xylophone 漢")["input_ids"]
    assert len(unknown) > 6
    assert unknown.count(pipeline.tokenizer.eos_token_id) == 1


def test_pieces_end_when_all_words_are_whole() -> None:
    pieces, merges = learn_pieces(["lamp", "lamps", "a"])
    assert {"lamp</w>", "lamps</w>", "a</w>", START, END} <= set(pieces)
    assert sorted(pieces.values()) == list(range(len(pieces)))
    assert ("lam", "p</w>") in merges


def test_the_autoencoder_lays_no_pattern_over_every_picture(pipeline) -> None:
    import torch

    from moviellm.pocket.dataset import scene_at
    from moviellm.pocket.scene import as_bytes, draw

    plain = [scene for scene in (scene_at(5, index) for index in range(100)) if scene.style == ""][:16]
    drawn = np.stack([as_bytes(draw(scene)) for scene in plain])
    pixels = torch.from_numpy(drawn.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)
    with torch.no_grad():
        shown = pipeline.vae.decode(pipeline.vae.encode(pixels).latent_dist.mean).sample.clamp(-1, 1)
    error = (shown - pixels).numpy().transpose(0, 2, 3, 1)
    always = error.reshape(len(drawn), 8, 16, 8, 16, 3).mean(axis=(0, 1, 3, 5))
    assert np.abs(np.diff(always, axis=0)).mean() < 0.01
    assert np.abs(np.diff(always, axis=1)).mean() < 0.01


def test_pictures_follow_the_prompt(pictures) -> None:
    beach, noir, library, _ = pictures
    assert pictures.shape == (4, SIZE, SIZE, 3)
    saturation = [float((picture.max(axis=2) - picture.min(axis=2)).mean()) for picture in (beach, noir)]
    assert saturation[1] < 0.5 * saturation[0]
    assert float(np.abs(beach - library).mean()) > 0.1
    assert beach.mean() > library.mean()


def test_each_picture_has_its_own_noise_whatever_the_batch(pipeline, pictures) -> None:
    from moviellm.pocket.diffusers_sampling import Recipe, paint

    assert np.abs(pictures[0] - pictures[3]).max() > 0.05
    alone = paint(
        pipeline,
        ["generate an image in comic style: the beach at noon, wide shot"],
        Recipe(steps=6, guidance=3.0, rescale=0.5, batch=1),
    ).pictures.astype(np.float32)
    assert np.abs(alone[0] / 255 - pictures[0]).max() < 0.02


def test_the_classifiers_know_drawn_scenes_that_they_were_not_taught() -> None:
    from moviellm.pocket.evaluation import FACTORS, held_out_scenes, labels, shares_right
    from moviellm.pocket.scene import as_bytes, draw
    from moviellm.pocket.torch_classifiers import guesses, load_classifiers

    scenes = held_out_scenes(64)
    drawn = np.stack([as_bytes(draw(scene)) for scene in scenes])
    shares = shares_right(guesses(load_classifiers(), drawn), labels(scenes))
    assert {factor.name: shares[factor.name] for factor in FACTORS if shares[factor.name] < factor.goal - 0.05} == {}

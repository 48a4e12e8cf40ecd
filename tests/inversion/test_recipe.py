"""How a lesson begins, what its loss weighs, and that a style is kept by the recipe it was learnt by."""

import dataclasses

import classroom as room
import numpy as np
import pytest
import torch
from classroom import tiny

from moviellm.inversion.diffusers_denoising import encode_pictures, seen_weights
from moviellm.inversion.lessons import StyleTask
from moviellm.inversion.recipe import POCKET, recipe_for
from moviellm.movie import Style
from moviellm.pipelines.diffusers_prompts import read_learned

PICTURES = tuple(np.random.default_rng(n).integers(0, 255, (16, 16, 3)).astype(np.uint8) for n in range(3))


def begun(teacher, style, **changes):
    """The vectors of a lesson before its first step."""
    task = StyleTask(style, (), "styles/abc", **changes)
    side = teacher.picture_size
    pictures = tuple(np.resize(picture, (side, side, 3)) for picture in PICTURES)
    return read_learned(*teacher.begin(task, pictures, "", None).finish().files.values()).vectors


@pytest.mark.parametrize("kind", [tiny.sd, tiny.sdxl])
def test_vectors_begin_as_the_words_in_their_order(kind):
    teacher = room.teacher_of(kind())
    style = Style("Gothic", ("people in the library",), ("dark", "gloomy"))
    for vectors, words in zip(
        begun(teacher, style, vectors=8), teacher.encoder.words("dark gloomy people library"), strict=True
    ):
        assert len(vectors) == 8
        assert torch.allclose(vectors[0], words[0].float())
        assert torch.allclose(vectors[-1], words[-1].float())
    for vectors, words in zip(
        begun(teacher, style, vectors=1), teacher.encoder.words("dark gloomy people library"), strict=True
    ):
        assert torch.allclose(vectors, words.float().mean(dim=0, keepdim=True), atol=1e-6)


def test_a_task_without_a_number_of_vectors_gets_the_recipes():
    teacher = room.teacher_of(tiny.sd(), dataclasses.replace(room.RECIPE, vectors=3))
    assert len(begun(teacher, room.STYLE)[0]) == 3
    assert len(begun(teacher, room.STYLE, vectors=2)[0]) == 2
    assert teacher.settings(StyleTask(room.STYLE, (), "styles/abc"))["vectors"] == 3


@pytest.mark.parametrize(("words", "expected"), [(1, 4), (4, 4), (7, 7), (30, 16)])
def test_word_by_word_every_telling_word_has_a_vector(words, expected):
    teacher = room.teacher_of(tiny.sd(), dataclasses.replace(room.RECIPE, vectors=4, word_by_word=True))
    style = Style("gothic", (" ".join(["the", *["people"] * words]),), ())
    assert len(begun(teacher, style)[0]) == expected
    assert len(begun(teacher, style, vectors=3)[0]) == 3


def test_a_channel_that_nobody_sees_weighs_nothing():
    pipe = tiny.sd()
    side = room.teacher_of(pipe).picture_size
    latents = encode_pictures(pipe, [np.resize(picture, (side, side, 3)) for picture in PICTURES])
    pipe.vae.post_quant_conv.weight.data[:, 0] = 0
    weights = seen_weights(pipe, latents)
    assert weights.mean() == pytest.approx(1)
    assert weights[0] == 0
    assert (weights[1:] > 0).all()


async def test_errors_count_as_they_are_seen(tmp_path):
    results = []
    for as_seen in (False, True):
        store = room.store_in(tmp_path / str(as_seen))
        recipe = dataclasses.replace(room.RECIPE, as_seen=as_seen, tilt=0.65)
        _, result = await room.learnt(
            room.school_of(store, room.teacher_of(tiny.sd(), recipe)), await room.task_in(store)
        )
        assert result.final_loss < result.initial_loss
        results.append(result)
    assert results[0].initial_loss != results[1].initial_loss


def test_another_recipe_makes_other_weights_and_so_another_style():
    pipe = tiny.sd()
    one, same, other = (
        room.teacher_of(pipe, recipe)
        for recipe in (room.RECIPE, dataclasses.replace(room.RECIPE), dataclasses.replace(room.RECIPE, tilt=0.5))
    )
    assert one.weights == same.weights != other.weights


def test_the_papers_recipe_is_that_of_large_models():
    large = recipe_for("stabilityai/stable-diffusion-xl-base-1.0")
    assert (large.vectors, large.steps, large.learning_rate, large.final_rate) == (1, 400, 1e-3, 0.3)
    assert not large.as_seen
    assert recipe_for("pocket") == POCKET
    assert recipe_for("pocket", steps=7).steps == 7

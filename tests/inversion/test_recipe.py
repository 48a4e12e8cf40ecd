"""How a lesson begins, what it learns from, and that a style is kept by the recipe it was learnt by."""

import dataclasses

import classroom as room
import numpy as np
import pytest
import torch
from classroom import tiny
from diffusers import DDIMScheduler

from moviellm.dataset import StyleMethod
from moviellm.inversion.diffusers_denoising import Denoising, encode_pictures
from moviellm.inversion.lessons import StyleTask
from moviellm.inversion.lora_recipe import lora_recipe_for
from moviellm.inversion.recipe import POCKET, recipe_for
from moviellm.movie import Style
from moviellm.pipelines.diffusers_prompts import PromptEncoder, read_learned

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


class Watched(Denoising):
    """Keeps the latents that losses are taken of."""

    def __init__(self, pipe, size):
        super().__init__(pipe, size)
        self.seen, self.at = [], set()

    def losses(self, z, t, *rest):
        self.seen += list(z)
        self.at |= set(t.tolist())
        return super().losses(z, t, *rest)


class Overheard(PromptEncoder):
    """Keeps the prompts."""

    def __init__(self, pipe):
        super().__init__(pipe)
        self.heard = []

    def encode(self, prompts, styles=()):
        self.heard += prompts
        return super().encode(prompts, styles)


@pytest.mark.parametrize("method", [StyleMethod.TEXTUAL_INVERSION, StyleMethod.LORA])
@pytest.mark.parametrize("mirror", [True, False])
def test_pictures_are_learnt_from_under_their_captions_and_mirrored_only_where_wanted(method, mirror):
    pipe = tiny.sd()
    teacher = room.teacher_of(
        pipe,
        dataclasses.replace(room.RECIPE, mirror=mirror),
        lora=dataclasses.replace(lora_recipe_for("tiny"), mirror=mirror, steps=8, batch_size=4),
    )
    side = teacher.picture_size
    teacher.denoising, teacher.encoder = Watched(pipe, side), Overheard(pipe)
    pictures = np.zeros((3, side, side, 3), np.uint8)
    for number, half_coloured in enumerate(pictures):
        half_coloured[:, : side // 2, number] = 255
    captions = ("people", "library", "night")
    task = StyleTask(room.STYLE, (), "styles/abc", captions=captions, method=method)
    lesson = teacher.begin(task, tuple(pictures), "", None)
    while not lesson.done:
        lesson.advance()
    ways = torch.stack([encode_pictures(pipe, list(turned)) for turned in (pictures, np.flip(pictures, axis=2))])
    turned = set()
    for latent, prompt in zip(teacher.denoising.seen, teacher.encoder.heard, strict=True):
        way, number = divmod(int((ways - latent).abs().amax(dim=(2, 3, 4)).argmin()), 3)
        turned.add(way)
        assert not {word for word in captions if word in prompt.split("style")[-1]} - {captions[number], "people"}
    assert turned == ({0, 1} if mirror else {0})


@pytest.mark.parametrize("method", [StyleMethod.TEXTUAL_INVERSION, StyleMethod.LORA])
def test_a_model_that_is_sampled_in_few_steps_learns_at_their_noise_alone(method):
    pipe = tiny.sd(pocket=True)
    lora = dataclasses.replace(lora_recipe_for("tiny"), sampled_steps=2, steps=4, batch_size=4)
    teacher = room.teacher_of(pipe, dataclasses.replace(room.RECIPE, sampled_steps=2), lora=lora)
    teacher.denoising = Watched(pipe, teacher.picture_size)
    side = teacher.picture_size
    pictures = tuple(np.resize(picture, (side, side, 3)) for picture in PICTURES)
    lesson = teacher.begin(StyleTask(room.STYLE, (), "styles/abc", method=method), pictures, "", None)
    while not lesson.done:
        lesson.advance()
    sampler = DDIMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
    sampler.set_timesteps(2)
    assert teacher.denoising.at == set(sampler.timesteps.tolist())


def test_times_are_spread_over_all_noise_where_nothing_else_is_said():
    denoising = Denoising(tiny.sd(), 16)
    times = denoising.times_at(torch.linspace(0, 0.999, 50))
    assert (times.min(), times.max()) == (0, denoising.times - 1)
    assert len(times.unique()) == 50


def test_another_recipe_makes_other_weights_and_so_another_style():
    pipe = tiny.sd()
    one, same, other = (
        room.teacher_of(pipe, recipe)
        for recipe in (room.RECIPE, dataclasses.replace(room.RECIPE), dataclasses.replace(room.RECIPE, mirror=False))
    )
    assert one.weights == same.weights != other.weights


def test_the_papers_recipe_is_that_of_large_models():
    large = recipe_for("stabilityai/stable-diffusion-xl-base-1.0")
    assert (large.vectors, large.steps, large.learning_rate, large.final_rate) == (1, 400, 1e-3, 0.3)
    assert large.mirror
    assert not large.word_by_word
    assert recipe_for("pocket") == POCKET
    assert recipe_for("pocket", steps=7).steps == 7

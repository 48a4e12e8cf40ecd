"""The painter with real pipelines of a few thousand weights: SD and SDXL."""

import numpy as np
import pytest
import torch

from moviellm import pocket
from moviellm.errors import Unsatisfied
from moviellm.pipelines.diffusers_prompts import LearnedVectors, write_learned
from moviellm.rendering.diffusers_painter import DiffusersPainter
from moviellm.rendering.picture import Job, RenderOptions

ROUNDING = 2


@pytest.fixture(params=["sd", "sdxl"])
def painter(request, tiny):
    return DiffusersPainter(getattr(tiny, request.param)(), model="tiny")


def jobs_of(painter, count, style=None, **options):
    recipe = painter.recipe(RenderOptions(**({"steps": 3} | options)))
    learned = () if style is None else (style,)
    return [Job(f"a picture {number} in <gothic> style", number, recipe, learned) for number in range(count)]


def pixels_of(painter, jobs):
    results = painter.paint(jobs)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return [result.pixels.astype(int) for result in results]


def style_of(painter, tiny, seed, token="<gothic>"):
    generator = torch.Generator().manual_seed(seed)
    sizes = painter._encoder.dims
    return LearnedVectors(token, tuple(torch.randn((1, size), generator=generator) for size in sizes))


def differ(left, right):
    return np.abs(left - right).max()


def test_a_picture_is_the_same_alone_and_in_a_batch(painter):
    jobs = jobs_of(painter, 4)
    together = pixels_of(painter, jobs)
    reordered = pixels_of(painter, jobs[::-1])[::-1]
    for job, picture, other in zip(jobs, together, reordered, strict=True):
        assert differ(pixels_of(painter, [job])[0], picture) <= ROUNDING
        assert differ(other, picture) <= ROUNDING
    assert differ(together[0], together[1]) > 20


def test_styles_mix_in_one_batch(painter, tiny):
    styles = [style_of(painter, tiny, seed) for seed in (1, 2)]
    recipe = painter.recipe(RenderOptions(steps=3))
    clara = style_of(painter, tiny, 3, token="<clara>")
    learned = [(styles[0],), (styles[1],), (), (styles[0], clara), (clara, styles[1])]
    jobs = [Job("a picture of <clara> in <gothic> style", 7, recipe, vectors) for vectors in learned]
    mixed = pixels_of(painter, jobs)
    for job, picture in zip(jobs, mixed, strict=True):
        assert differ(pixels_of(painter, [job])[0], picture) <= ROUNDING
    for one, other in ((0, 1), (0, 2), (0, 3), (1, 4), (3, 4)):
        assert differ(mixed[one], mixed[other]) > 0, (one, other)


def test_padded_batches_give_the_same_bytes_alone_and_together(tiny):
    painter = DiffusersPainter(tiny.sd(), model="tiny", pad_to=4)
    jobs = jobs_of(painter, 4)
    together = pixels_of(painter, jobs)
    backwards = pixels_of(painter, jobs[::-1])[::-1]
    alone = [pixels_of(painter, [job])[0] for job in jobs]
    for one, two, three in zip(together, backwards, alone, strict=True):
        assert one.tobytes() == two.tobytes() == three.tobytes()


def test_a_padded_batch_that_is_too_large_is_halved_too(tiny):
    painter = DiffusersPainter(tiny.sd(), model="tiny", pad_to=8)
    painter._pipe = SmallMemory(painter._pipe, room=2)
    assert len(pixels_of(painter, jobs_of(painter, 3))) == 3
    assert painter._pipe.sizes == [8, 4, 2, 2]


def test_recipes_mix_in_one_batch(painter):
    jobs = [
        *jobs_of(painter, 2),
        *jobs_of(painter, 1, width=64, height=96),
        *jobs_of(painter, 1, negative_prompt="dark people"),
        *jobs_of(painter, 1, guidance_scale=1.0),
    ]
    sizes = [picture.shape for picture in pixels_of(painter, jobs)]
    assert sizes == [(32, 32, 3), (32, 32, 3), (96, 64, 3), (32, 32, 3), (32, 32, 3)]


def test_options_change_the_picture(painter):
    plain = pixels_of(painter, jobs_of(painter, 1))[0]
    for options in ({"negative_prompt": "dark people"}, {"guidance_scale": 1.0}, {"steps": 4}):
        assert differ(pixels_of(painter, jobs_of(painter, 1, **options))[0], plain) > 0, options


def test_a_picture_is_what_the_pipeline_itself_makes(tiny):
    pipe = tiny.sd()
    painter = DiffusersPainter(pipe, model="tiny")
    job = jobs_of(painter, 1, negative_prompt="dark")[0]
    image = pipe(
        job.prompt,
        negative_prompt="dark",
        generator=torch.Generator().manual_seed(job.seed),
        num_inference_steps=3,
        output_type="np",
    ).images[0]
    assert differ(pixels_of(painter, [job])[0], image * 255) <= ROUNDING


def test_defaults_are_the_models_own(tiny):
    own = DiffusersPainter(tiny.sd(), model="tiny").recipe(RenderOptions())
    assert (own.width, own.height, own.steps, own.guidance_scale) == (32, 32, 50, 7.5)
    recipe = DiffusersPainter(tiny.sd(pocket=True), model="pocket").recipe(RenderOptions(height=64))
    assert (recipe.width, recipe.height) == (pocket.SIZE, 64)
    assert (recipe.steps, recipe.guidance_scale) == (pocket.STEPS, pocket.GUIDANCE_SCALE)
    assert recipe.guidance_rescale == pocket.GUIDANCE_RESCALE


def test_a_style_comes_from_its_files_and_must_fit_the_model(painter, tiny):
    style = style_of(painter, tiny, 1)
    read = painter.read_style(list(write_learned(style).values()))
    assert read.token == "<gothic>"
    assert all(torch.equal(a, b) for a, b in zip(read.vectors, style.vectors, strict=True))
    foreign = LearnedVectors("<gothic>", (torch.zeros(1, 5),))
    with pytest.raises(Unsatisfied, match="learn the style with this model"):
        painter.read_style(list(write_learned(foreign).values()))


def test_a_failed_recipe_leaves_the_others_alone(painter):
    good = jobs_of(painter, 1)
    bad = jobs_of(painter, 1, style="not vectors", steps=2)
    results = painter.paint([*bad, *good])
    assert isinstance(results[0], Exception)
    assert results[1].pixels.shape == (32, 32, 3)


class SmallMemory:
    """A pipeline on a GPU that holds `room` pictures."""

    def __init__(self, pipe, room):
        self._pipe = pipe
        self._room = room
        self.sizes = []

    def __getattr__(self, name):
        return getattr(self._pipe, name)

    def __call__(self, *, latents, **options):
        self.sizes.append(len(latents))
        if len(latents) > self._room:
            raise torch.OutOfMemoryError("too much")
        return self._pipe(latents=latents, **options)


def test_a_batch_too_large_for_the_memory_is_halved(tiny):
    painter = DiffusersPainter(tiny.sd(), model="tiny")
    expected = pixels_of(painter, jobs_of(painter, 5))
    painter._pipe = SmallMemory(painter._pipe, room=2)
    for picture, wanted in zip(pixels_of(painter, jobs_of(painter, 5)), expected, strict=True):
        assert differ(picture, wanted) <= ROUNDING
    assert painter._pipe.sizes == [5, 2, 2, 1]
    painter._pipe = SmallMemory(painter._pipe, room=0)
    with pytest.raises(Unsatisfied, match="does not fit into the GPU's memory"):
        pixels_of(painter, jobs_of(painter, 2))

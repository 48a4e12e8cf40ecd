"""Textual inversion: what a step costs, and how many steps a style takes.

A step is compared with the command that diffusers documents for textual inversion, `--train_batch_size=1
--gradient_accumulation_steps=4`: pictures are loaded, resized, turned and encoded one by one at every step, each goes
forward and back by itself, the whole embedding table is in the optimizer, and afterwards all rows but the new ones are
put back. A second row compares with the same loop where its four pictures go in one pass. All start from the same
vectors and draw the same pictures, times, noises and prompts from the same seeds, and are asked for the same held-out
loss in the end. Processor seconds are counted, so that others on the machine matter little.

Steps are compared with the usual recipe, one vector, a constant rate and a fixed number of steps: after how many steps
of ours are frames as near to drawings in the style as they are after all of those?
"""

import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench.figure import Figure
from bench.immobilization import Studio
from moviellm.dataset import derived_seed
from moviellm.inversion.diffusers_denoising import Denoising, encode_pictures
from moviellm.inversion.recipe import PAPER_POCKET, POCKET, Recipe
from moviellm.inversion.templates import training_prompt
from moviellm.movie import Style
from moviellm.pipelines.diffusers_loading import load_pipeline
from moviellm.pipelines.diffusers_prompts import LearnedVectors, read_learned
from moviellm.pocket import SIZE
from moviellm.pocket.look_space import HELD_OUT_LOOKS
from moviellm.pocket.vocabulary import HELD_OUT_STYLES

STEPS = 10
"""Steps of which the time is taken, a round."""

FRAMES = 24
EXAM = 32
USUAL = dataclasses.replace(PAPER_POCKET, final_rate=1.0, patience=10**9)
LOOKED_AT = (0, 10, 20, 30, 40)
"""Steps of ours after which the style is looked at."""


def measure() -> list[Figure]:
    """A round a held-out style for each figure."""
    studio = Studio()
    styles = [Style(taught.keyword, taught.phrases, taught.adjectives) for taught in HELD_OUT_STYLES]
    one_by_one, at_once, losses = zip(*(_step(studio, style) for style in styles), strict=True)
    shares = tuple(_share_of_steps(studio, style) for style in styles)
    return [
        Figure("inversion: a step", "diffusers' documented command, pictures one by one", one_by_one, "× as fast", 2.0),
        Figure("   held-out loss after the same steps", "the same", losses, "of it", 1.02, at_least=False),
        Figure("   a step, against all pictures in one pass", "its loop with a batch of as many", at_once, "× as fast"),
        Figure(
            "inversion: steps to the same distance from the style",
            f"{USUAL.steps} steps of one vector at a constant rate, {FRAMES} frames",
            shares,
            "of them",
            0.5,
            at_least=False,
        ),
    ]


def _step(studio: Studio, style: Style) -> tuple[float, float, float]:
    """How many times as fast a step of ours is as either loop's, and its loss as a share of the documented one's."""
    recipe = dataclasses.replace(PAPER_POCKET, steps=STEPS + 1, evaluate_every=STEPS + 1, final_rate=1.0)
    lesson = studio.lesson(style, recipe)
    start = read_learned(*lesson.finish().files.values())
    ours = _seconds(lambda step: lesson.advance())
    with tempfile.TemporaryDirectory() as folder:
        documented = Documented(studio, style, start, recipe, Path(folder), at_once=1)
        in_one_pass = Documented(studio, style, start, recipe, Path(folder), at_once=recipe.batch_size)
        one_by_one, at_once = _seconds(documented.advance), _seconds(in_one_pass.advance)
        lesson.advance()  # with the held-out loss, which is no part of a step
        documented.advance(STEPS)
    latents = encode_pictures(studio.pipe, studio.references(style.keyword)[0])
    mine = read_learned(*lesson.finish().files.values())
    return one_by_one / ours, at_once / ours, _loss(studio, mine, latents) / _loss(studio, documented.learnt(), latents)


def _seconds(advance: Callable[[int], object]) -> float:
    """Processor seconds of all steps."""
    started = time.process_time()
    for step in range(STEPS):
        advance(step)
    return time.process_time() - started


@torch.no_grad()
def _loss(studio: Studio, learnt: LearnedVectors, latents: torch.Tensor) -> float:
    """The loss on fixed pictures, times and noises, the same for everybody."""
    denoising = Denoising(studio.pipe, SIZE)
    numbers = torch.Generator().manual_seed(7)
    z = latents[torch.arange(EXAM) % len(latents)]
    t = ((torch.randperm(EXAM, generator=numbers) + 0.5) / EXAM * denoising.times).long()
    told = studio.encoder.encode([f"an image in {learnt.token} style"] * EXAM, [learnt] * EXAM)
    return float(denoising.losses(z, t, torch.randn(z.shape, generator=numbers), told).mean())


class Documented:
    """The training loop that diffusers documents for textual inversion, `at_once` pictures a pass."""

    def __init__(
        self, studio: Studio, style: Style, start: LearnedVectors, recipe: Recipe, folder: Path, *, at_once: int
    ) -> None:
        pipe: Any = load_pipeline("pocket", device="cpu")
        self._pipe, self._token, self._recipe, self._at_once = pipe, start.token, recipe, at_once
        drawn, self._captions = studio.references(style.keyword)
        self._files = [folder / f"{number}.png" for number in range(len(drawn))]
        for file, picture in zip(self._files, drawn, strict=True):
            Image.fromarray(picture).save(file)
        with torch.no_grad():
            self._shape = pipe.vae.encode(self._loaded(0)[None]).latent_dist.mean.shape[1:]
        pipe.tokenizer.add_tokens([start.token])
        pipe.text_encoder.resize_token_embeddings(len(pipe.tokenizer))
        for model in (pipe.unet, pipe.vae, pipe.text_encoder):
            model.requires_grad_(False)
        self._table = pipe.text_encoder.get_input_embeddings().weight
        self._table.requires_grad_(True)
        with torch.no_grad():
            self._table[-1] = start.vectors[0][0]
        self._before = self._table.detach().clone()
        self._optimizer = torch.optim.AdamW([self._table], lr=recipe.learning_rate, weight_decay=0.0)

    def advance(self, step: int) -> None:
        """One step with the random numbers of ours of that number."""
        size, pipe = self._recipe.batch_size, self._pipe
        numbers = torch.Generator().manual_seed(derived_seed(1, "inversion", step))
        rng = Random(derived_seed(1, "inversion prompts", step))
        chosen = torch.randint(2 * len(self._files), (size,), generator=numbers)
        strata = (torch.randperm(size, generator=numbers) + torch.rand(size, generator=numbers)) / size
        t = (strata * len(pipe.scheduler.alphas_cumprod)).long()
        noise = torch.randn(size, *self._shape, generator=numbers)
        prompts = [training_prompt(self._token, self._captions[int(i) // 2], rng) for i in chosen]
        for first in range(0, size, self._at_once):
            part = slice(first, first + self._at_once)
            pixels = torch.stack([self._loaded(int(i)) for i in chosen[part]])
            loss = self._loss(pixels, t[part], noise[part], prompts[part])
            (loss * len(pixels) / size).backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._optimizer.zero_grad()
        with torch.no_grad():
            self._table[:-1] = self._before[:-1]

    def _loaded(self, number: int) -> torch.Tensor:
        """A picture as the documented data set gives it: read, resized, turned or not, from -1 to 1."""
        picture = Image.open(self._files[number // 2]).convert("RGB")
        picture = picture.resize((SIZE, SIZE), resample=Image.Resampling.BICUBIC)
        if number % 2:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return torch.from_numpy((np.array(picture) / 127.5 - 1.0).astype(np.float32)).permute(2, 0, 1)

    def _loss(self, pixels: torch.Tensor, t: torch.Tensor, noise: torch.Tensor, prompts: list[str]) -> torch.Tensor:
        pipe = self._pipe
        with torch.no_grad():
            z = pipe.vae.encode(pixels).latent_dist.mode() * pipe.vae.config.scaling_factor
        ids = pipe.tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt").input_ids
        told = pipe.text_encoder(ids)[0]
        predicted = pipe.unet(pipe.scheduler.add_noise(z, noise, t), t, encoder_hidden_states=told).sample
        return torch.nn.functional.mse_loss(predicted, pipe.scheduler.get_velocity(z, noise, t))

    def learnt(self) -> LearnedVectors:
        """The new row."""
        return LearnedVectors(self._token, (self._table[-1:].detach().clone(),))


def _share_of_steps(studio: Studio, style: Style) -> float:
    """Steps of ours until the frames are as near to the style as after all of the usual ones, as a share of those."""
    truth = studio.shown(studio.drawings(HELD_OUT_LOOKS[style.keyword])[:FRAMES])
    *_, usual = _learnt_after(studio, style, USUAL, (USUAL.steps,))
    wanted = _distance(studio, usual, truth)
    ours = dataclasses.replace(POCKET, patience=10**9, evaluate_every=10)
    for steps, learnt in zip(LOOKED_AT, _learnt_after(studio, style, ours, LOOKED_AT), strict=True):
        if _distance(studio, learnt, truth) <= wanted:
            return steps / USUAL.steps
    return 1.0


def _learnt_after(studio: Studio, style: Style, recipe: Recipe, steps: Sequence[int]) -> Iterator[LearnedVectors]:
    """The best vectors after each of these numbers of steps, in rising order."""
    lesson, taken = studio.lesson(style, recipe), 0
    for wanted in steps:
        for _ in range(wanted - taken):
            lesson.advance()
        taken = wanted
        yield read_learned(*lesson.finish().files.values())


def _distance(studio: Studio, learnt: LearnedVectors, truth: np.ndarray) -> float:
    """Distance in colour and in texture from drawings, each as a share of what frames without a style have."""
    told = [f"generate an image in {learnt.token} style: {one}" for one in studio.told[:FRAMES]]
    far = studio.distances(studio.paint(told, learnt), truth)
    none = studio.distances(studio.plain[:FRAMES], truth)
    return (far.color / none.color + far.gram / none.gram) / 2

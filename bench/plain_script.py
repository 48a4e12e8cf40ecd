"""The paper's procedure as people write it with diffusers: one script, one thing after the other.

All prompts first, then for each movie reference pictures one by one and textual inversion the documented way (a picture
a pass, four passes a step, encoded at every one, the whole embedding table in the optimizer, a fixed number of steps),
then every frame by itself, then the questions. It is given the same writer, asker, model, sampling and number of steps
as the system, and less to do: pictures and one file of records, no videos, no shards, no checks, nothing to go on from.
"""

import argparse
import asyncio
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline
from PIL import Image

from moviellm import pocket
from moviellm.inversion.recipe import PAPER_POCKET
from moviellm.movie import Chapter, Outline, Scene, Shape, frame_prompt, reference_prompt
from moviellm.qa.facts.fact_asker import FactAsker
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

REFERENCES = 10
DIALOGUE_LINES = 6
TEMPLATES = ("an image in {} style", "a picture in {} style", "a picture of a place in {} style")


@dataclass(frozen=True)
class Plot:
    """A movie's whole script."""

    outline: Outline
    chapters: tuple[Chapter, ...]
    scenes: tuple[Scene, ...]


async def written(theme: str, shape: Shape, seed: int) -> Plot:
    """All prompts of a movie."""
    writer = Storyteller()
    outline = (await writer.outline(OutlineRequest(theme, shape.chapters, seed))).value
    chapters, scenes = [], []
    for number in range(1, shape.chapters + 1):
        chapter = (await writer.chapter(ChapterRequest(outline, number, shape.scenes, seed))).value
        chapters.append(chapter)
        for scene in range(1, shape.scenes + 1):
            request = SceneRequest(outline, chapter, scene, shape.frames, DIALOGUE_LINES, seed)
            scenes.append((await writer.scene(request)).value)
    return Plot(outline, tuple(chapters), tuple(scenes))


def painted(pipe: Any, prompt: str, seed: int) -> Image.Image:
    """One picture."""
    return pipe(  # type: ignore[no-any-return]
        prompt,
        num_inference_steps=pocket.STEPS,
        guidance_scale=pocket.GUIDANCE_SCALE,
        guidance_rescale=pocket.GUIDANCE_RESCALE,
        height=pocket.SIZE,
        width=pocket.SIZE,
        generator=torch.Generator().manual_seed(seed),
    ).images[0]


def taught(pipe: Any, token: str, references: list[Image.Image]) -> None:
    """Textual inversion into the pipeline's own vocabulary, by the loop and with the numbers that diffusers documents.

    A picture a pass, passes of a step added up: `--train_batch_size=1 --gradient_accumulation_steps=4`.
    """
    recipe = PAPER_POCKET
    pipe.tokenizer.add_tokens([token])
    pipe.text_encoder.resize_token_embeddings(len(pipe.tokenizer))
    for model in (pipe.unet, pipe.vae, pipe.text_encoder):
        model.requires_grad_(False)
    table = pipe.text_encoder.get_input_embeddings().weight
    table.requires_grad_(True)
    before = table.detach().clone()
    optimizer = torch.optim.AdamW([table], lr=recipe.learning_rate)
    pixels = torch.from_numpy(np.stack([np.asarray(one) for one in references])).permute(0, 3, 1, 2) / 127.5 - 1
    for step in range(recipe.steps):
        for number in range(recipe.batch_size):
            picture = pixels[torch.randint(len(pixels), (1,))]
            with torch.no_grad():
                z = pipe.vae.encode(picture).latent_dist.sample() * pipe.vae.config.scaling_factor
            noise, t = torch.randn_like(z), torch.randint(pipe.scheduler.config.num_train_timesteps, (1,))
            prompt = TEMPLATES[(step + number) % len(TEMPLATES)].format(token)
            ids = pipe.tokenizer(prompt, padding="max_length", truncation=True, return_tensors="pt").input_ids
            noisy, target = pipe.scheduler.add_noise(z, noise, t), pipe.scheduler.get_velocity(z, noise, t)
            predicted = pipe.unet(noisy, t, encoder_hidden_states=pipe.text_encoder(ids)[0]).sample
            loss = torch.nn.functional.mse_loss(predicted, target) / recipe.batch_size
            loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            table[:-1] = before[:-1]
    table.requires_grad_(False)


def looked(pipe: Any, plot: Plot, folder: Path) -> str:
    """References of the movie's style, and the token learnt from them."""
    style, places = plot.outline.style, plot.outline.locations
    references = []
    for number in range(REFERENCES):
        references.append(painted(pipe, reference_prompt(places[number % len(places)], style), number))
        references[-1].save(folder / f"reference-{number:02}.jpg")
    token = f"<{folder.name}>"
    taught(pipe, token, references)
    return token


def framed(pipe: Any, plot: Plot, token: str, folder: Path) -> None:
    """Every key frame."""
    told = [frame.description for scene in plot.scenes for frame in scene.frames]
    for number, description in enumerate(told, 1):
        picture = painted(pipe, frame_prompt(description, plot.outline.characters, token), number)
        picture.save(folder / f"{number:06}.jpg")


async def asked(plot: Plot, shape: Shape, folder: Path) -> None:
    """The questions, in one file."""
    asker, outline = FactAsker(), plot.outline
    found = [*(await asker.ask_movie(outline, shape, 1)).questions]
    for chapter in plot.chapters:
        found += (await asker.ask_chapter(outline, chapter, shape, 1)).questions
        for scene in (scene for scene in plot.scenes if scene.chapter == chapter.number):
            found += (await asker.ask_scene(outline, chapter, scene, shape, 1)).questions
    found += (await asker.ask_order(outline, plot.chapters, shape, 1, scenes=plot.scenes)).questions
    (folder / "questions.json").write_text(json.dumps([asdict(question) for question in found]))


def run(theme: str, movies: int, shape: Shape, folder: Path) -> dict[str, float]:
    """Seconds of each part, the loading of the model not counted."""
    torch.set_num_threads(1)  # two are slower for so small a model
    pipe: Any = DiffusionPipeline.from_pretrained(pocket.WEIGHTS, dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    folders = [folder / f"movie-{number}" for number in range(1, movies + 1)]
    for one in folders:
        one.mkdir(parents=True)
    seconds = {}
    started = time.perf_counter()
    plots = [asyncio.run(written(theme, shape, seed)) for seed in range(1, movies + 1)]
    seconds["prompts"] = time.perf_counter() - started
    tokens = [looked(pipe, plot, one) for plot, one in zip(plots, folders, strict=True)]
    seconds["styles"] = time.perf_counter() - started
    for plot, token, one in zip(plots, tokens, folders, strict=True):
        framed(pipe, plot, token, one)
    seconds["frames"] = time.perf_counter() - started
    for plot, one in zip(plots, folders, strict=True):
        asyncio.run(asked(plot, shape, one))
    return seconds | {"complete": time.perf_counter() - started}


def main() -> None:
    """Write the seconds after each part as JSON to standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for name, default in (("movies", 2), ("chapters", 2), ("scenes", 2), ("frames", 6)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    shape = Shape(given.chapters, given.scenes, given.frames)
    print(json.dumps(run("a lighthouse keeper who finds a message", given.movies, shape, given.folder)))


if __name__ == "__main__":
    main()

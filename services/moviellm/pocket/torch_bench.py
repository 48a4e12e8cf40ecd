"""Looking at the shipped model and measuring it."""

from pathlib import Path

import numpy as np
import torch

from moviellm.pocket.captions import canonical
from moviellm.pocket.diffusers_sampling import Gallery, Recipe, load, paint
from moviellm.pocket.evaluation import held_out_scenes, labels, shares_right, table, told_apart
from moviellm.pocket.scene import as_bytes, draw
from moviellm.pocket.torch_classifiers import guesses, load_classifiers
from moviellm.pocket.torch_workshop import save_sheet


def paint_held_out(weights: Path, number: int, recipe: Recipe) -> Gallery:
    """Pictures of held-out scenes, on one thread."""
    torch.set_num_threads(1)
    return paint(load(weights), [canonical(scene) for scene in held_out_scenes(number)], recipe)


def sheet(weights: Path, number: int, path: Path) -> None:
    """Drawn and generated pictures of the same scenes in alternating rows of six."""
    scenes = held_out_scenes(number)
    generated = paint_held_out(weights, number, Recipe()).pictures
    tiles: list[np.ndarray] = []
    for at in range(0, number, 6):
        tiles += [as_bytes(draw(scene)) for scene in scenes[at : at + 6]]
        tiles += list(generated[at : at + 6])
    save_sheet(tiles, path, columns=6)


def evaluate(weights: Path, number: int, recipe: Recipe) -> str:
    """The table of recognised factors and the time of a frame."""
    model = load_classifiers()
    scenes = held_out_scenes(number)
    truth = labels(scenes)
    drawn = guesses(model, np.stack([as_bytes(draw(scene)) for scene in scenes]))
    gallery = paint_held_out(weights, number, recipe)
    generated = guesses(model, gallery.pictures)
    named, looks = told_apart(scenes, truth)
    columns = {
        "generated": shares_right(generated, truth),
        "in taught styles": shares_right(generated, named),
        "in looks": shares_right(generated, looks),
        "drawn": shares_right(drawn, truth),
    }
    return f"{table(columns)}\n\n{gallery.seconds * 1000:.0f} ms a frame, {number} held-out scenes\n"

"""What the inversion tests share: a store, references of one look, a tiny teacher."""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import tiny_pipelines as tiny
import torch
from PIL import Image

from moviellm.artifacts import ArtifactStore, digest
from moviellm.inversion.diffusers_teacher import DiffusersTeacher
from moviellm.inversion.lessons import StyleTask
from moviellm.inversion.pictures import square_picture
from moviellm.inversion.recipe import Recipe
from moviellm.inversion.school import School
from moviellm.movie import StoredFile, Style
from moviellm.pipelines.diffusers_loading import use_torch_threads
from moviellm.settings import StoreSettings

__all__ = ["tiny"]

torch.set_num_threads(1)

RECIPE = Recipe(steps=8, learning_rate=0.1, batch_size=4, evaluate_every=4, held_out=16, patience=9)
STYLE = Style("Gothic", ("people in the library",), ("dark", "gloomy"))
OUTPUT = "styles/abc"


def store_in(folder):
    return ArtifactStore.open(StoreSettings(url=f"file://{folder}/store"))


def picture(number):
    """Blue with bright spots, as bytes."""
    rng = np.random.default_rng(number)
    pixels = np.zeros((48, 64, 3), np.uint8) + np.array([10, 20, 120], np.uint8)
    for _ in range(6):
        y, x = rng.integers(0, 40), rng.integers(0, 56)
        pixels[y : y + 8, x : x + 8] = rng.integers(150, 255, 3)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def square(data, side):
    return square_picture(data, side, "picture")


async def references_in(store, count=4):
    files = []
    for number in range(count):
        data = picture(number)
        await store.put(f"references/{number}.png", data)
        files.append(StoredFile(store.uri(f"references/{number}.png"), digest(data), len(data)))
    return tuple(files)


async def task_in(store, **changes):
    references = await references_in(store)
    return StyleTask(**({"style": STYLE, "references": references, "output": OUTPUT, "seed": 5} | changes))


def teacher_of(pipe, recipe=RECIPE, **options):
    return DiffusersTeacher(pipe, recipe, model="tiny", **options)


def school_of(store, teacher, **options):
    worker = ThreadPoolExecutor(1, initializer=use_torch_threads, initargs=(1,))
    return School(store, lambda: teacher, worker=worker, **options)


async def learnt(school, task):
    """All progress, and the result."""
    updates = [update async for update in school.learn(task)]
    return updates[:-1], updates[-1]


async def keys_in(store, prefix=OUTPUT):
    return sorted([entry.key async for entry in store.list(prefix)])


def weights_of(pipe):
    return {
        f"{part}.{name}": value.clone()
        for part, module in pipe.components.items()
        if isinstance(module, torch.nn.Module)
        for name, value in module.state_dict().items()
    }


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the thing waited for knows nothing of us
            await asyncio.sleep(0.01)

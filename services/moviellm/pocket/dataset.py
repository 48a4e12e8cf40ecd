"""The pictures the model learns from: drawn once, kept in one file, found again by number.

Picture `index` of a dataset is a pure function of the dataset's seed and that number, and so is every caption of it.
Several processes may draw parts of the same file.
"""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np

from moviellm.pocket import SIZE
from moviellm.pocket.scene import Scene, as_bytes, draw, random_scene

TRAINING_SEED = 1
EVALUATION_SEED = 2
"""Scenes of another seed are not seen in training."""

_CHUNK = 250


def scene_at(seed: int, index: int) -> Scene:
    """The scene of that number."""
    return random_scene(Random(f"scene {seed} {index}"))


def pictures_of(seed: int, indices: range) -> np.ndarray:
    """Drawn pictures, uint8 (len(indices), 128, 128, 3)."""
    return np.stack([as_bytes(draw(scene_at(seed, index))) for index in indices])


def _draw_chunk(job: tuple[Path, int, int, int]) -> int:
    path, seed, start, stop = job
    pictures = np.load(path, mmap_mode="r+")
    pictures[start:stop] = pictures_of(seed, range(start, stop))
    pictures.flush()
    return stop - start


def draw_dataset(path: Path, number: int, *, seed: int = TRAINING_SEED, processes: int = 2) -> Iterator[int]:
    """Draw `number` pictures into one file, uint8 (number, 128, 128, 3); yields how many are done, and resumes.

    A side file remembers the finished chunks, so that an interrupted drawing goes on where it stopped.
    """
    ledger = path.with_suffix(".done")
    done = {int(line) for line in ledger.read_text().split()} if path.exists() and ledger.exists() else set()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(number, SIZE, SIZE, 3)).flush()
        ledger.write_text("")
    starts = [start for start in range(0, number, _CHUNK) if start not in done]
    jobs = [(path, seed, start, min(start + _CHUNK, number)) for start in starts]
    finished = len(done) * _CHUNK
    with multiprocessing.get_context("spawn").Pool(processes) as pool, ledger.open("a") as marks:
        for start, count in zip(starts, pool.imap(_draw_chunk, jobs), strict=True):
            marks.write(f"{start}\n")
            marks.flush()
            finished += count
            yield finished

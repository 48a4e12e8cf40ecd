"""The pictures the model learns from: drawn once, kept in one file, found again by number.

Picture `index` of a dataset is a pure function of the dataset's seed and that number, and so is every caption of it.
Several processes may draw parts of the same file.
"""

import multiprocessing
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import numpy as np

from moviellm.pocket import SIZE
from moviellm.pocket.look_space import Look
from moviellm.pocket.scene import Scene, as_bytes, draw, random_scene

TRAINING_SEED = 1
EVALUATION_SEED = 2
"""Scenes of another seed are not seen in training."""

_CHUNK = 250


def scene_at(seed: int, index: int) -> Scene:
    """The scene of that number."""
    return random_scene(Random(f"scene {seed} {index}"))


def numbers_of_looks(first: int, number: int) -> list[int]:
    """Numbers from `first` on of so many training scenes that are in the look space."""
    found: list[int] = []
    index = first
    while len(found) < number:
        if isinstance(scene_at(TRAINING_SEED, index).style, Look):
            found.append(index)
        index += 1
    return found


def pictures_of(seed: int, indices: Sequence[int]) -> np.ndarray:
    """Drawn pictures, uint8 (len(indices), 128, 128, 3)."""
    return np.stack([as_bytes(draw(scene_at(seed, index))) for index in indices])


def _draw_chunk(job: tuple[Path, int, int, Sequence[int]]) -> int:
    path, seed, start, numbers = job
    pictures = np.load(path, mmap_mode="r+")
    pictures[start : start + len(numbers)] = pictures_of(seed, numbers)
    pictures.flush()
    return len(numbers)


def draw_dataset(path: Path, numbers: Sequence[int], *, seed: int = TRAINING_SEED, processes: int = 2) -> Iterator[int]:
    """Draw the scenes of those numbers into one file, uint8 (N, 128, 128, 3); yields how many are done, and resumes.

    A side file remembers the finished chunks, so that an interrupted drawing goes on where it stopped.
    """
    ledger = path.with_suffix(".done")
    done = {int(line) for line in ledger.read_text().split()} if path.exists() and ledger.exists() else set()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(len(numbers), SIZE, SIZE, 3)).flush()
        ledger.write_text("")
    starts = [start for start in range(0, len(numbers), _CHUNK) if start not in done]
    jobs = [(path, seed, start, numbers[start : start + _CHUNK]) for start in starts]
    finished = len(done) * _CHUNK
    with multiprocessing.get_context("spawn").Pool(processes) as pool, ledger.open("a") as marks:
        for start, count in zip(starts, pool.imap(_draw_chunk, jobs), strict=True):
            marks.write(f"{start}\n")
            marks.flush()
            finished += count
            yield finished

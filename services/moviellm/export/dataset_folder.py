"""FinishDataset: what spans the movies, made from their folders movie by movie."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from moviellm.artifacts import ArtifactStore, DatasetKeys
from moviellm.dataset import MovieDatasetSpec
from moviellm.export.card import Card
from moviellm.export.conversation import TrainingFile
from moviellm.export.darkroom import Darkroom
from moviellm.export.distributions import Distributions
from moviellm.export.finished import missing_error
from moviellm.export.manifest import NAME as MANIFEST
from moviellm.export.manifest import manifest
from moviellm.export.movie_record import QUESTIONS, RECORD
from moviellm.export.plots import Plots
from moviellm.export.preview import Preview
from moviellm.export.quality_report import QualityReport
from moviellm.export.record import MovieRecord, QuestionRecord
from moviellm.export.shards import ShardFiles
from moviellm.export.sheet import ContactSheet
from moviellm.export.shelf import Shelf
from moviellm.export.summary import MovieFolder
from moviellm.movie import StoredFile
from moviellm.wire import from_json


@dataclass(frozen=True)
class Limits:
    """How large the parts of a dataset may grow; see the settings of these names."""

    shard_megabytes: int = 128
    preview_movies: int = 24
    license: str = "apache-2.0"


class Part(Protocol):
    """Something made of all movies."""

    async def add(self, movie: MovieFolder) -> None:
        """Take in the next movie."""

    async def finish(self) -> None:
        """Write what has not been written yet."""


async def finish_dataset(
    store: ArtifactStore, keys: DatasetKeys, spec: MovieDatasetSpec, *, limits: Limits, darkroom: Darkroom
) -> list[StoredFile]:
    """Write what spans the movies and return it; only the formats that were asked for.

    Raises Unsatisfied naming the movies that are not exported yet. The manifest comes last and covers all the rest.
    """
    await _require_movies(store, keys, spec)
    shelf = Shelf(store, keys.files)
    with tempfile.TemporaryDirectory(prefix="moviellm-export-") as folder:
        parts = _parts(shelf, keys.dataset, spec, limits, darkroom, Path(folder))
        for number in range(1, spec.movies + 1):
            movie = await _read_folder(shelf, f"movies/{number:04}")
            for part in parts:
                await part.add(movie)
        for part in parts:
            await part.finish()
    await shelf.put(MANIFEST, await manifest(store, keys.files))
    return shelf.files


def _parts(
    shelf: Shelf, dataset: str, spec: MovieDatasetSpec, limits: Limits, darkroom: Darkroom, folder: Path
) -> Sequence[Part]:
    training = TrainingFile(shelf, folder / "train.json") if "llava" in spec.formats else None
    most_bytes = limits.shard_megabytes * 1_000_000
    shards = ShardFiles(shelf, folder, most_bytes=most_bytes) if "webdataset" in spec.formats else None
    sheet = ContactSheet(shelf, darkroom.draw_sheet)
    counted = Distributions()
    plots = Plots(shelf, counted, draw=darkroom.draw_plot)
    quality = QualityReport(shelf, spec, fingerprint=darkroom.fingerprint)
    card = Card(shelf, dataset, spec, license_id=limits.license, training=training, shards=shards)
    preview = Preview(shelf, dataset, spec, most_movies=limits.preview_movies)
    every: tuple[Part | None, ...] = (training, shards, sheet, counted, plots, quality, card, preview)
    return [part for part in every if part is not None]


async def _require_movies(store: ArtifactStore, keys: DatasetKeys, spec: MovieDatasetSpec) -> None:
    numbers = range(1, spec.movies + 1)
    missing = [
        f"movie {number}" for number in numbers if not await store.exists(f"{keys.movie(number).files}/{RECORD}")
    ]
    if missing:
        raise missing_error(f"dataset {keys.dataset}", missing)


async def _read_folder(shelf: Shelf, path: str) -> MovieFolder:
    record = from_json(await shelf.read(f"{path}/{RECORD}"), MovieRecord, f"{path}/{RECORD}")
    items = from_json(await shelf.read(f"{path}/{QUESTIONS}"), tuple[QuestionRecord, ...], f"{path}/{QUESTIONS}")
    return MovieFolder(path, record, items)

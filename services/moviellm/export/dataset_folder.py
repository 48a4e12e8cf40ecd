"""FinishDataset: what spans the movies, made from their folders movie by movie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from moviellm.artifacts import ArtifactStore, DatasetKeys
from moviellm.dataset import MovieDatasetSpec
from moviellm.export.card import Card
from moviellm.export.darkroom import Darkroom
from moviellm.export.distributions import Distributions
from moviellm.export.features import FeatureEncoder
from moviellm.export.finished import missing_error
from moviellm.export.format import Desk, Format, open_format
from moviellm.export.full_disk import telling_full_disk
from moviellm.export.manifest import NAME as MANIFEST
from moviellm.export.manifest import dataset_manifest
from moviellm.export.movie_record import QUESTIONS, RECORD
from moviellm.export.plots import Plots
from moviellm.export.preview import Preview
from moviellm.export.quality_report import QualityReport
from moviellm.export.record import MovieRecord, QuestionRecord
from moviellm.export.scratch import scratch_folder
from moviellm.export.sheet import ContactSheet
from moviellm.export.shelf import Shelf, checksum
from moviellm.export.splits import split_movies
from moviellm.export.summary import MovieFolder
from moviellm.export.table import OpenTable
from moviellm.movie import StoredFile
from moviellm.wire import from_json


@dataclass(frozen=True)
class Limits:
    """How large the parts of a dataset may grow, and what goes into which; see the settings of these names."""

    shard_megabytes: int = 64
    license: str = "apache-2.0"
    model_licenses: Mapping[str, str] = field(default_factory=dict)
    sample_frames: int = 16
    validation_share: float = 0.05
    test_share: float = 0.05


@dataclass(frozen=True)
class Press:
    """What formats are made with; without an encoder there are no feature files."""

    open_table: OpenTable | None = None
    encoder: FeatureEncoder | None = None


class Part(Protocol):
    """Something made of all movies."""

    async def add(self, movie: MovieFolder) -> None:
        """Take in the next movie."""

    async def finish(self) -> None:
        """Write what has not been written yet."""


async def finish_dataset(
    store: ArtifactStore,
    keys: DatasetKeys,
    spec: MovieDatasetSpec,
    *,
    limits: Limits,
    darkroom: Darkroom,
    press: Press,
) -> list[StoredFile]:
    """Write what spans the movies and return it; only the formats that were asked for.

    What lies in the store already is not made again. The manifest comes last: it covers all the rest. Raises
    Unsatisfied naming the movies that are not exported yet, Exhausted when the local disk is full.
    """
    await _require_movies(store, keys, spec)
    shelf = Shelf(store, keys.files)
    splits = split_movies(spec.movies, spec.seed, validation=limits.validation_share, test=limits.test_share)
    with telling_full_disk(), scratch_folder() as folder:
        formats = _formats(shelf, spec, limits, press, folder)
        parts = [*formats, *_parts(shelf, keys.dataset, spec, limits, darkroom, formats)]
        for number, split in splits.items():
            movie = await _read_folder(shelf, f"movies/{number:04}", split)
            for part in parts:
                await part.add(movie)
        for part in parts:
            await part.finish()
    movies = [await _manifest_of(store, keys, number) for number in splits]
    await shelf.put(MANIFEST, dataset_manifest(store, keys.files, shelf.files, movies))
    return sorted(shelf.files, key=lambda file: file.uri)


def _formats(shelf: Shelf, spec: MovieDatasetSpec, limits: Limits, press: Press, folder: Path) -> list[Format]:
    formats = []
    for name in dict.fromkeys(spec.formats):
        (folder / name).mkdir()
        desk = Desk(
            shelf=shelf,
            folder=folder / name,
            most_bytes=limits.shard_megabytes * 1_000_000,
            most_pictures=limits.sample_frames,
            open_table=press.open_table,
            encoder=press.encoder,
        )
        formats.append(open_format(name, desk))
    return formats


def _parts(
    shelf: Shelf,
    dataset: str,
    spec: MovieDatasetSpec,
    limits: Limits,
    darkroom: Darkroom,
    formats: Sequence[Format],
) -> list[Part]:
    counted = Distributions()
    plots = Plots(shelf, counted, draw=darkroom.draw_plot)
    quality = QualityReport(shelf, spec, fingerprint=darkroom.fingerprint)
    return [
        ContactSheet(shelf, darkroom.draw_sheet),
        counted,
        plots,
        quality,
        Card(
            shelf,
            dataset,
            spec,
            license_id=limits.license,
            model_licenses=limits.model_licenses,
            formats=formats,
            plots=plots,
            counted=counted,
            quality=quality,
        ),
        Preview(shelf, dataset, spec, counted=counted, quality=quality),
    ]


async def _require_movies(store: ArtifactStore, keys: DatasetKeys, spec: MovieDatasetSpec) -> None:
    numbers = range(1, spec.movies + 1)
    missing = [
        f"movie {number}" for number in numbers if not await store.exists(f"{keys.movie(number).files}/{MANIFEST}")
    ]
    if missing:
        raise missing_error(f"dataset {keys.dataset}", missing)


async def _manifest_of(store: ArtifactStore, keys: DatasetKeys, movie: int) -> StoredFile:
    key = f"{keys.movie(movie).files}/{MANIFEST}"
    return StoredFile(store.uri(key), *await checksum(store, key))


async def _read_folder(shelf: Shelf, path: str, split: str) -> MovieFolder:
    record = from_json(await shelf.read(f"{path}/{RECORD}"), MovieRecord, f"{path}/{RECORD}")
    items = from_json(await shelf.read(f"{path}/{QUESTIONS}"), tuple[QuestionRecord, ...], f"{path}/{QUESTIONS}")
    return MovieFolder(path, record, items, split)

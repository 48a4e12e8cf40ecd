"""What a dataset has in the store: counted once when the controller takes it up, then kept in memory."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from moviellm import wire
from moviellm.artifacts import ArtifactStore, DatasetKeys
from moviellm.controller.progress import add_use
from moviellm.dataset import ModelUse, Stage
from moviellm.movie import Outline, Work

READS_AT_ONCE = 64

TELLING = 2
"""A movie whose outline and first questions cost no tokens has cost none at all: embedded writers are free."""


@dataclass(frozen=True)
class Survey:
    """Units made by stage, exported movies, titles by movie, (movie, frame) of rendered frames, tokens by model.

    Frames are listed for movies that are not exported yet; of the others only the count is kept.
    """

    done: Mapping[Stage, int]
    exported: frozenset[int]
    titles: Mapping[int, str]
    frames: frozenset[tuple[int, int]]
    use: Mapping[str, ModelUse] = field(default_factory=dict)


async def survey(store: ArtifactStore, dataset: str) -> Survey:
    """Count what exists. Raises Unavailable when the store does not answer."""
    keys = DatasetKeys(dataset)
    done = dict.fromkeys(Stage, 0)
    exported: set[int] = set()
    paid: dict[str, list[str]] = {}
    outlines: list[int] = []
    async for entry in store.list(f"{keys.root}/work"):
        movie, _, artifact = entry.key.removeprefix(f"{keys.root}/work/").partition("/")
        stage = _stage_of(artifact, movie)
        if stage:
            done[stage] += 1
        if stage in (Stage.SCRIPTING, Stage.QA):
            paid.setdefault(movie, []).append(entry.key)
        if artifact == "exported.json":
            exported.add(int(movie))
        if artifact == "outline.json":
            outlines.append(int(movie))
    frames: set[tuple[int, int]] = set()
    async for entry in store.list(f"{keys.files}/movies"):
        movie, _, file = entry.key.removeprefix(f"{keys.files}/movies/").partition("/")
        if not file.startswith("frames/"):
            continue
        done[Stage.RENDERING] += 1
        if int(movie) not in exported:
            frames.add((int(movie), int(file.removeprefix("frames/").partition(".")[0])))
    titles = {movie: await _title(store, keys.movie(movie).outline) for movie in sorted(outlines)}
    return Survey(done, frozenset(exported), titles, frozenset(frames), await _use(store, paid.values()))


async def _use(store: ArtifactStore, movies: Iterable[list[str]]) -> dict[str, ModelUse]:
    """What the units have cost, by model."""
    use: dict[str, ModelUse] = {}
    for keys in movies:
        telling = [key for key in keys if key.endswith(("/outline.json", "/questions/movie.json"))]
        if len(telling) < TELLING or any([work.prompt_tokens for work in await _works(store, telling)]):
            for work in await _works(store, keys):
                add_use(use, work)
    return use


async def _works(store: ArtifactStore, keys: Sequence[str]) -> list[Work]:
    works = []
    for start in range(0, len(keys), READS_AT_ONCE):
        batch = keys[start : start + READS_AT_ONCE]
        for key, data in zip(batch, await asyncio.gather(*map(store.get, batch)), strict=True):
            made = wire.provenance(data, key)
            works += [made.work] if made else []
    return works


def _stage_of(artifact: str, movie: str) -> Stage | None:
    """The stage whose unit this record of a movie's work is; rendering is counted by frames instead."""
    if artifact == "outline.json" or artifact.startswith(("chapters/", "scenes/")):
        return Stage.SCRIPTING
    if artifact == "style.json":
        return Stage.INVERSION
    if artifact.startswith("questions/"):
        return Stage.QA
    if artifact == "exported.json" or movie == "finished.json":
        return Stage.EXPORT
    return None


async def _title(store: ArtifactStore, key: str) -> str:
    return wire.from_json(await store.get(key), Outline, key).title

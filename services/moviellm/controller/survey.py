"""What a dataset has in the store: counted once when the controller takes it up, then kept in memory."""

import asyncio
import sys
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from moviellm import wire
from moviellm.artifacts import ArtifactStore, DatasetKeys
from moviellm.controller.progress import add_use
from moviellm.dataset import ModelUse, Stage
from moviellm.movie import Outline, Work

READS_AT_ONCE = 64


@dataclass(frozen=True)
class Used:
    """use.json: what a movie's units have cost, an entry a model."""

    works: tuple[Work, ...]

    @classmethod
    def of(cls, use: Mapping[str, ModelUse]) -> "Used":
        """The record of sums by model."""
        return cls(
            tuple(
                Work(model=one.model, prompt_tokens=one.prompt_tokens, completion_tokens=one.completion_tokens)
                for one in use.values()
            )
        )


@dataclass(frozen=True)
class Survey:
    """Units made by stage, exported movies, titles by movie, (movie, frame) of rendered frames, tokens by model.

    Frames and the keys of other `units` are listed for movies that are not exported yet; of the others only the count
    is kept.
    """

    done: Mapping[Stage, int]
    exported: frozenset[int]
    titles: Mapping[int, str]
    frames: frozenset[tuple[int, int]]
    units: frozenset[str] = frozenset()
    use: Mapping[str, ModelUse] = field(default_factory=dict)


async def survey(store: ArtifactStore, dataset: str) -> Survey:
    """Count what exists. Raises Unavailable when the store does not answer."""
    keys = DatasetKeys(dataset)
    done = dict.fromkeys(Stage, 0)
    exported: set[int] = set()
    units: dict[int, list[str]] = {}
    of_all: set[str] = set()
    async for entry in store.list(f"{keys.root}/work"):
        movie, _, artifact = entry.key.removeprefix(f"{keys.root}/work/").partition("/")
        stage = _stage_of(artifact, movie)
        if stage:
            done[stage] += 1
        if artifact:
            units.setdefault(int(movie), []).append(sys.intern(artifact))
        else:
            of_all.add(entry.key)
        if artifact == "exported.json":
            exported.add(int(movie))
    frames: set[tuple[int, int]] = set()
    async for entry in store.list(f"{keys.files}/movies"):
        movie, _, file = entry.key.removeprefix(f"{keys.files}/movies/").partition("/")
        if not file.startswith("frames/"):
            continue
        done[Stage.RENDERING] += 1
        if int(movie) not in exported:
            frames.add((int(movie), int(file.removeprefix("frames/").partition(".")[0])))
    unfinished = [movie for movie in units if movie not in exported]
    return Survey(
        done,
        frozenset(exported),
        await _titles(store, keys, sorted(movie for movie, found in units.items() if "outline.json" in found)),
        frozenset(frames),
        frozenset(of_all.union(*(_keys_of(keys, movie, units[movie]) for movie in unfinished))),
        await _use(store, keys, units, exported),
    )


async def _use(
    store: ArtifactStore, keys: DatasetKeys, units: Mapping[int, Sequence[str]], exported: Collection[int]
) -> dict[str, ModelUse]:
    """What all movies have cost, by model; the sum of an exported movie is kept, for it changes no more."""
    total: dict[str, ModelUse] = {}
    summed = [movie for movie, found in units.items() if movie in exported and "use.json" in found]
    async for key, data in _read(store, [keys.movie(movie).use for movie in summed]):
        for work in wire.from_json(data, Used, key).works:
            add_use(total, work)
    for movie in units.keys() - summed:
        used = _summed(await _works(store, _keys_of(keys, movie, filter(_is_paid, units[movie]))))
        if movie in exported:
            await store.put(keys.movie(movie).use, wire.to_json(used))
        for work in used.works:
            add_use(total, work)
    return total


def _summed(works: Iterable[Work]) -> Used:
    use: dict[str, ModelUse] = {}
    for work in works:
        add_use(use, work)
    return Used.of(use)


async def _works(store: ArtifactStore, keys: Sequence[str]) -> list[Work]:
    made = [wire.provenance(data, key) async for key, data in _read(store, keys)]
    return [one.work for one in made if one]


async def _read(store: ArtifactStore, keys: Sequence[str]) -> AsyncIterator[tuple[str, bytes]]:
    """The artifacts under the keys, in their order."""
    for start in range(0, len(keys), READS_AT_ONCE):
        batch = keys[start : start + READS_AT_ONCE]
        for key, data in zip(batch, await asyncio.gather(*map(store.get, batch)), strict=True):
            yield key, data


def _keys_of(keys: DatasetKeys, movie: int, artifacts: Iterable[str]) -> list[str]:
    return [f"{keys.movie(movie).work}/{artifact}" for artifact in artifacts]


def _is_paid(artifact: str) -> bool:
    return _stage_of(artifact, "") in (Stage.SCRIPTING, Stage.QA)


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


async def _titles(store: ArtifactStore, keys: DatasetKeys, movies: Sequence[int]) -> dict[int, str]:
    read = _read(store, [keys.movie(movie).outline for movie in movies])
    titles = [wire.from_json(data, Outline, key).title async for key, data in read]
    return dict(zip(movies, titles, strict=True))

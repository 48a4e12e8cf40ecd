"""What a dataset has in the store: counted once when the controller takes it up, then kept in memory."""

from collections.abc import Mapping
from dataclasses import dataclass

from moviellm import wire
from moviellm.artifacts import ArtifactStore, DatasetKeys
from moviellm.dataset import Stage
from moviellm.movie import Outline


@dataclass(frozen=True)
class Survey:
    """Units made by stage, movies whose export is complete, titles by movie, and (movie, frame) of rendered frames.

    Frames are listed for movies that are not exported yet; of the others only the count is kept.
    """

    done: Mapping[Stage, int]
    exported: frozenset[int]
    titles: Mapping[int, str]
    frames: frozenset[tuple[int, int]]


async def survey(store: ArtifactStore, dataset: str) -> Survey:
    """Count what exists. Raises Unavailable when the store does not answer."""
    keys = DatasetKeys(dataset)
    done = dict.fromkeys(Stage, 0)
    exported: set[int] = set()
    outlines: list[int] = []
    async for entry in store.list(f"{keys.root}/work"):
        movie, _, artifact = entry.key.removeprefix(f"{keys.root}/work/").partition("/")
        stage = _stage_of(artifact, movie)
        if stage:
            done[stage] += 1
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
    return Survey(done, frozenset(exported), titles, frozenset(frames))


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

"""manifest.json: every file of a dataset with its checksum, and how every frame came about.

Each movie has a manifest of its own in its folder, written with it; the dataset's manifest names those with their
checksums and lists what spans the movies. So neither grows with the size of the whole.
"""

import json
from collections.abc import Sequence
from typing import Any

from moviellm.artifacts import ArtifactStore
from moviellm.export.record import FrameRecord, MovieRecord
from moviellm.movie import StoredFile

NAME = "manifest.json"


def movie_manifest(store: ArtifactStore, folder: str, files: Sequence[StoredFile], record: MovieRecord) -> bytes:
    """The manifest of one movie's folder: its files, and the provenance of its frames.

    A frame tells prompt, seed, model and style (SHA-256 of the learnt embedding, empty for a look in words), which
    attempt was kept and how all of them did.
    """
    frames = {frame.file: _frame(frame, record.style.digest) for frame in record.frames}
    return _text(_listed(store, folder, files) | {"frames": frames})


def dataset_manifest(
    store: ArtifactStore, folder: str, files: Sequence[StoredFile], movies: Sequence[StoredFile]
) -> bytes:
    """The manifest of everything but the movies' folders, and the movies' manifests."""
    return _text(_listed(store, folder, files) | {"movies": _entries(store, folder, movies)})


def _listed(store: ArtifactStore, folder: str, files: Sequence[StoredFile]) -> dict[str, Any]:
    entries = _entries(store, folder, files)
    total = sum(int(entry["bytes"]) for entry in entries.values())
    return {"algorithm": "sha256", "count": len(entries), "bytes": total, "files": entries}


def _entries(store: ArtifactStore, folder: str, files: Sequence[StoredFile]) -> dict[str, dict[str, Any]]:
    paths = {store.key(file.uri).removeprefix(folder + "/"): file for file in files}
    return {path: {"sha256": paths[path].digest, "bytes": paths[path].size_bytes} for path in sorted(paths)}


def _frame(frame: FrameRecord, style: str) -> dict[str, Any]:
    attempts = [
        {"seed": attempt.seed, "score": attempt.score, "verdict": attempt.verdict} for attempt in frame.attempts
    ]
    return {
        "sha256": frame.sha256,
        "bytes": frame.size_bytes,
        "prompt": frame.prompt,
        "seed": frame.seed,
        "model": frame.model,
        "style": style,
        "attempt": max(1, len(attempts)),
        "attempts": attempts,
    }


def _text(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()

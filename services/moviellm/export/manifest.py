"""manifest.json: every file of a dataset with its checksum and size."""

import json
from functools import partial

from moviellm.artifacts import ArtifactStore
from moviellm.export.shelf import checksum
from moviellm.export.turns import in_turns

NAME = "manifest.json"


async def manifest(store: ArtifactStore, folder: str) -> bytes:
    """The manifest of all files below `folder` but itself, ordered by path; files are read in pieces."""
    keys = sorted([entry.key async for entry in store.list(folder) if entry.key != f"{folder}/{NAME}"])
    sums = await in_turns([partial(checksum, store, key) for key in keys])
    files = {
        key.removeprefix(folder + "/"): {"sha256": sha256, "bytes": size}
        for key, (sha256, size) in zip(keys, sums, strict=True)
    }
    total = sum(size for _, size in sums)
    head = {"algorithm": "sha256", "count": len(files), "bytes": total, "files": files}
    return json.dumps(head, ensure_ascii=False, indent=1).encode()

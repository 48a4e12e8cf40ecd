"""Where exported files go: written once, and told about as they lie in the store."""

import asyncio
import hashlib
from pathlib import Path

from moviellm.artifacts import ArtifactStore, digest
from moviellm.errors import Broken, NotFound
from moviellm.export.finished import missing_error
from moviellm.movie import StoredFile

PIECE_BYTES = 4 * 1024 * 1024


class Shelf:
    """Files below one folder of the store, such as a movie's; paths are relative to it."""

    def __init__(self, store: ArtifactStore, folder: str) -> None:
        self._store = store
        self._folder = folder
        self.files: list[StoredFile] = []

    async def put(self, path: str, data: bytes) -> None:
        """Write the file. One that is there already stays: it was made from the same inputs."""
        if await self._store.put(self._key(path), data):
            self.files.append(StoredFile(self._store.uri(self._key(path)), digest(data), len(data)))
        else:
            await self.has(path)

    async def put_file(self, path: str, source: Path) -> None:
        """Write the file with the bytes of a local one, which are not held in memory. One that is there stays."""
        key = self._key(path)
        if await self._store.put_file(key, source):
            sha256, size = await asyncio.to_thread(_local_checksum, source)
            self.files.append(StoredFile(self._store.uri(key), sha256, size))
        else:
            await self.has(path)

    async def has(self, path: str) -> bool:
        """Whether the file was written before; it counts as made by this call, too."""
        if not await self._store.exists(self._key(path)):
            return False
        sha256, size = await checksum(self._store, self._key(path))
        self.files.append(StoredFile(self._store.uri(self._key(path)), sha256, size))
        return True

    async def read(self, path: str) -> bytes:
        """The bytes of a file; raises Unsatisfied, naming it, when it is missing."""
        try:
            return await self._store.get(self._key(path))
        except NotFound:
            raise missing_error("the dataset", [path]) from None

    def _key(self, path: str) -> str:
        return f"{self._folder}/{path}"


async def checksum(store: ArtifactStore, key: str) -> tuple[str, int]:
    """SHA-256 in hexadecimal and size of an artifact, read in pieces."""
    sha256, size = hashlib.sha256(), 0
    async for piece in store.chunks(key, PIECE_BYTES):
        sha256.update(piece)
        size += len(piece)
    return sha256.hexdigest(), size


def _local_checksum(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


async def read_verified(store: ArtifactStore, file: StoredFile, name: str) -> bytes:
    """The bytes of a file some other stage made.

    Raises Unsatisfied, naming it, when it is missing, and Broken when its bytes are not the ones that were announced.
    """
    try:
        data = await store.get(store.key(file.uri, name))
    except NotFound:
        raise missing_error("the dataset", [name]) from None
    if file.digest and digest(data) != file.digest:
        raise Broken(f"{name} is damaged: its bytes are not the ones that were stored")
    return data

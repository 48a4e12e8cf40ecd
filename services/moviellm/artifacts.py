"""The artifact store and its key layout.

Every artifact has one key, is written once and whole, and never changes; making an artifact again is asking the store
first. The layout below one dataset:

    datasets/<id>/request.json                 what was accepted, with request time
    datasets/<id>/status.json                  the controller's last word on the state
    datasets/<id>/pictures/001                 the requester's own style pictures
    datasets/<id>/plot/…                       the requester's own plot, read and mended
    datasets/<id>/work/0001/outline.json       what the stages hand to each other, by movie
    datasets/<id>/work/0001/chapters/01.json
    datasets/<id>/work/0001/scenes/01-01.json
    datasets/<id>/work/0001/style.json
    datasets/<id>/work/0001/rendered/01-01.json
    datasets/<id>/work/0001/questions/….json   by part; reviewed.json takes their place
    datasets/<id>/work/0001/quality.json       where pictures were measured
    datasets/<id>/work/0001/import.json        where the plot is the requester's own
    datasets/<id>/files/…                      exactly what a requester downloads
    datasets/<id>/files/movies/0001/frames/000001.jpg
    requests/<digest of request_id>.json       which dataset a request_id made
    styles/<digest>/…                          references and embeddings, shared by all who ask for the same style
    replies/<digest>.json                      what language models answered, by what they were asked; may be deleted
"""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.exceptions import NotFoundError as ObjectNotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from moviellm.errors import InvalidInput, MovieLLMError, NotFound, Unavailable
from moviellm.settings import StoreSettings

#: Large files go up in pieces of this size; S3 takes no smaller ones.
PIECE_BYTES = 5 * 1024 * 1024

LONGEST_NAME = 200
"""Bytes of one part of a key; file systems take 255."""

LITTLE_BYTES = 64 * 1024
_AT_ONCE = 2047
"""With more at once hashlib lets other threads run: to get its turn back takes longer than to hash a little."""

_KEY = re.compile(r"[^\x00-\x1f\x7f\\]{1,900}")


@dataclass(frozen=True)
class Entry:
    """One artifact in a listing."""

    key: str
    size_bytes: int


class ArtifactStore:
    """Small whole objects under keys, on a local folder or an object store.

    Methods raise NotFound for a missing key and Unavailable when the store does not answer or refuses.
    """

    def __init__(self, backend: ObjectStore, root: str, *, secrets: tuple[str, ...] = ()) -> None:
        """`secrets` are struck out of what a backend says: servers repeat what they were sent."""
        self._backend = backend
        self._secrets = tuple(secret for secret in secrets if secret)
        self.root = root.rstrip("/")

    @classmethod
    def open(cls, settings: StoreSettings) -> Self:
        """The store that the settings describe; a local folder is created when it does not exist."""
        if settings.url.startswith("file://"):
            folder = Path(settings.url.removeprefix("file://")).absolute()
            folder.mkdir(parents=True, exist_ok=True)
            return cls(LocalStore(folder), f"file://{folder}")
        return cls(from_url(settings.url, **_cloud_options(settings)), settings.url, secrets=_secrets(settings))

    def uri(self, key: str) -> str:
        """The URI that messages carry for `key`."""
        return f"{self.root}/{key}"

    def key(self, uri: str, field: str = "uri") -> str:
        """The key behind a URI of this store; raises InvalidInput for any place outside it."""
        key = uri.removeprefix(self.root + "/")
        names = key.removesuffix("/").split("/")
        if key == uri or not _KEY.fullmatch(key) or not all(map(_is_name, names)) or self._leaves(key):
            raise InvalidInput(field, f"must lie in the artifact store {self.root}")
        return key

    def _leaves(self, key: str) -> bool:
        """Whether a link in a local folder leads the key out of it."""
        if not self.root.startswith("file://"):
            return False
        folder = Path(self.root.removeprefix("file://"))
        return not (folder / key).resolve().is_relative_to(folder.resolve())

    async def put(self, key: str, data: bytes) -> bool:
        """Write the artifact unless it exists; True when this call wrote it."""
        try:
            await obstore.put_async(self._backend, key, data, mode="create")
        except AlreadyExistsError:
            return False
        except (BaseError, OSError) as error:
            raise self._error(error, f"writing {key}") from error
        return True

    async def put_file(self, key: str, source: Path) -> bool:
        """Write the artifact with the bytes of a local file, whole or not at all, unless it exists.

        True when this call wrote it. Large files go in pieces; of two calls at once both may write, so their bytes
        have to be equal.
        """
        if await asyncio.to_thread(lambda: source.stat().st_size) <= PIECE_BYTES:
            return await self.put(key, await asyncio.to_thread(source.read_bytes))
        if await self.exists(key):
            return False
        try:
            await obstore.put_async(
                self._backend, key, source, use_multipart=True, chunk_size=PIECE_BYTES, max_concurrency=2
            )
        except (BaseError, OSError) as error:
            raise self._error(error, f"writing {key}") from error
        return True

    async def replace(self, key: str, data: bytes) -> None:
        """Write the object whatever was there; only for the few that are state, not artifact."""
        try:
            await obstore.put_async(self._backend, key, data)
        except (BaseError, OSError) as error:
            raise self._error(error, f"writing {key}") from error

    async def get(self, key: str) -> bytes:
        """The bytes of an artifact."""
        try:
            result = await obstore.get_async(self._backend, key)
            return bytes(await result.bytes_async())
        except (BaseError, OSError) as error:
            raise self._error(error, f"reading {key}") from error

    async def find(self, key: str) -> bytes | None:
        """The bytes of an artifact, None when it does not exist."""
        try:
            return await self.get(key)
        except NotFound:
            return None

    async def chunks(self, key: str, size: int) -> AsyncIterator[bytes]:
        """The bytes of an artifact in pieces of about `size` bytes, at least `size` but for the last."""
        try:
            result = await obstore.get_async(self._backend, key)
            async for piece in result.stream(min_chunk_size=size):
                yield bytes(piece)
        except (BaseError, OSError) as error:
            raise self._error(error, f"reading {key}") from error

    async def exists(self, key: str) -> bool:
        """Whether the artifact is there."""
        try:
            await obstore.head_async(self._backend, key)
        except (ObjectNotFoundError, FileNotFoundError):
            return False
        except (BaseError, OSError) as error:
            raise self._error(error, f"looking for {key}") from error
        return True

    async def list(self, prefix: str) -> AsyncIterator[Entry]:
        """All artifacts below `prefix` (whole path segments), in no particular order."""
        try:
            async for batch in obstore.list(self._backend, prefix=prefix.rstrip("/")):
                for meta in batch:
                    yield Entry(meta["path"], meta["size"])
        except (BaseError, OSError) as error:
            raise self._error(error, f"listing {prefix}") from error

    async def folders(self, prefix: str) -> Iterable[str]:
        """The names of the folders directly below `prefix`."""
        result = await self._one_level(prefix)
        return [PurePosixPath(path).name for path in result["common_prefixes"]]

    async def walk(self, prefix: str, after: str = "") -> AsyncIterator[Entry]:
        """All artifacts below `prefix` whose path within it comes after `after`, ordered by path.

        Folder by folder: the cost of a page does not grow with what lies before it.
        """
        result = await self._one_level(prefix)
        folders = [(f"{PurePosixPath(path).name}/", None) for path in result["common_prefixes"]]
        files = [(PurePosixPath(meta["path"]).name, meta["size"]) for meta in result["objects"]]
        for name, size in sorted([*folders, *files], key=lambda item: item[0]):
            if size is not None:
                if name > after:
                    yield Entry(f"{prefix}/{name}", size)
            elif after.startswith(name) or name > after:
                inner = after.removeprefix(name) if after.startswith(name) else ""
                async for entry in self.walk(f"{prefix}/{name.rstrip('/')}", inner):
                    yield entry

    def _error(self, error: Exception, doing: str) -> MovieLLMError:
        if isinstance(error, ObjectNotFoundError | FileNotFoundError):
            return NotFound(f"{doing}: there is no such artifact")
        first_line = str(error).splitlines()[0] if str(error) else type(error).__name__
        for secret in self._secrets:
            first_line = first_line.replace(secret, "***")
        return Unavailable(f"the artifact store failed {doing}: {first_line}", reason="STORE_UNAVAILABLE")

    async def _one_level(self, prefix: str) -> Any:
        try:
            return await obstore.list_with_delimiter_async(self._backend, prefix=prefix.rstrip("/"))
        except (BaseError, OSError) as error:
            raise self._error(error, f"listing {prefix}") from error

    async def delete(self, key: str) -> None:
        """Remove one object; fine where it is gone already."""
        try:
            await obstore.delete_async(self._backend, key)
        except (ObjectNotFoundError, FileNotFoundError):
            pass
        except (BaseError, OSError) as error:
            raise self._error(error, f"deleting {key}") from error

    async def delete_all(self, prefix: str) -> None:
        """Remove every artifact below `prefix`; what is gone already is fine."""
        batch: list[str] = []
        async for entry in self.list(prefix):
            batch.append(entry.key)
        try:
            for start in range(0, len(batch), 500):
                await obstore.delete_async(self._backend, batch[start : start + 500])
        except (ObjectNotFoundError, FileNotFoundError):
            pass
        except (BaseError, OSError) as error:
            raise self._error(error, f"deleting {prefix}") from error


@dataclass(frozen=True)
class MovieKeys:
    """Where the artifacts of one movie of a dataset lie."""

    dataset: str
    movie: int

    @property
    def work(self) -> str:
        """What the stages hand to each other."""
        return f"datasets/{self.dataset}/work/{self.movie:04}"

    @property
    def files(self) -> str:
        """The movie's folder as a requester downloads it."""
        return f"datasets/{self.dataset}/files/movies/{self.movie:04}"

    @property
    def outline(self) -> str:
        """Level 1 of the plot."""
        return f"{self.work}/outline.json"

    def chapter(self, number: int) -> str:
        """Level 2 of the plot."""
        return f"{self.work}/chapters/{number:02}.json"

    def scene(self, chapter: int, number: int) -> str:
        """Level 3 of the plot."""
        return f"{self.work}/scenes/{chapter:02}-{number:02}.json"

    @property
    def style(self) -> str:
        """Which learnt style the movie uses."""
        return f"{self.work}/style.json"

    def character(self, number: int) -> str:
        """The learnt face of a main character."""
        return f"{self.work}/characters/{number:02}.json"

    def plain_frame(self, number: int) -> str:
        """A frame rendered without the learnt style, to compare with."""
        return f"{self.work}/plain/{number:06}.jpg"

    def rendered(self, chapter: int, scene: int) -> str:
        """The record that all frames of a scene are rendered, with how each was made."""
        return f"{self.work}/rendered/{chapter:02}-{scene:02}.json"

    def questions(self, part: str) -> str:
        """Questions about one part: "movie", "order", "chapter-01" or "scene-01-01"."""
        return f"{self.work}/questions/{part}.json"

    @property
    def reviewed(self) -> str:
        """The movie's questions after the review; they take the place of the questions about its parts."""
        return self.questions("reviewed")

    @property
    def quality(self) -> str:
        """How good the movie's pictures are, in figures."""
        return f"{self.work}/quality.json"

    @property
    def imported_mends(self) -> str:
        """What was wrong with the requester's own plot."""
        return f"{self.work}/import.json"

    @property
    def use(self) -> str:
        """What language models have cost for the movie, summed up once it is exported."""
        return f"{self.work}/use.json"

    @property
    def exported(self) -> str:
        """The record that the movie's folder is complete."""
        return f"{self.work}/exported.json"

    def frame(self, number: int) -> str:
        """A key frame by its number in the movie."""
        return f"{self.files}/frames/{number:06}.jpg"


@dataclass(frozen=True)
class DatasetKeys:
    """Where the artifacts of one dataset lie."""

    dataset: str

    @property
    def root(self) -> str:
        """Everything of this dataset."""
        return f"datasets/{self.dataset}"

    @property
    def request(self) -> str:
        """What was accepted."""
        return f"{self.root}/request.json"

    @property
    def status(self) -> str:
        """The controller's last word on the state."""
        return f"{self.root}/status.json"

    @property
    def files(self) -> str:
        """What a requester downloads."""
        return f"{self.root}/files"

    @property
    def finished(self) -> str:
        """The record that everything spanning the movies is exported."""
        return f"{self.root}/work/finished.json"

    def picture(self, number: int) -> str:
        """One of the requester's own style pictures."""
        return f"{self.root}/pictures/{number:03}"

    def own_plot(self, name: str) -> str:
        """A part of the requester's own plot, by file name."""
        return f"{self.root}/plot/{name}"

    def movie(self, number: int) -> MovieKeys:
        """The keys of one movie."""
        return MovieKeys(self.dataset, number)


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal, as messages and manifests carry it."""
    if len(data) > LITTLE_BYTES:
        return hashlib.sha256(data).hexdigest()
    sha = hashlib.sha256()
    for start in range(0, len(data), _AT_ONCE):
        sha.update(data[start : start + _AT_ONCE])
    return sha.hexdigest()


def digest_of(*parts: object) -> str:
    """SHA-256 of values that JSON can hold: a key that is the same for whoever asks for the same."""
    return digest(json.dumps(parts).encode())


def _cloud_options(settings: StoreSettings) -> dict[str, Any]:
    if not settings.url.startswith("s3://"):
        return {}
    options: dict[str, Any] = {"region": settings.region}
    if settings.endpoint:
        options["endpoint"] = settings.endpoint
        options["client_options"] = {"allow_http": settings.endpoint.startswith("http://")}
    if secret := settings.secret_access_key.get_secret_value():
        options["access_key_id"] = settings.access_key_id.get_secret_value()
        options["secret_access_key"] = secret
    return options


def _is_name(name: str) -> bool:
    """Whether a part of a key can be the name of a file, with room for a suffix while it is being written."""
    return name not in ("", ".", "..") and len(name.encode(errors="replace")) <= LONGEST_NAME


def _secrets(settings: StoreSettings) -> tuple[str, ...]:
    keys = (settings.access_key_id.get_secret_value(), settings.secret_access_key.get_secret_value())
    return (*keys, urlsplit(settings.endpoint).password or "", urlsplit(settings.url).password or "")

"""Measures pictures that lie in the store, a few at a time, so that a whole movie takes the memory of those few."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from moviellm.artifacts import ArtifactStore, digest
from moviellm.dataset import PictureMeasures
from moviellm.errors import Broken, InvalidInput, NotFound, Unsatisfied
from moviellm.movie import StoredFile, Work
from moviellm.rendering.critic import Critic
from moviellm.rendering.orders import MAX_PROMPT

MAX_MEASURED = 10_000
MAX_REFERENCES = 1_000

DAMAGED = "PICTURE_DAMAGED"

CHUNK = 16
"""Pictures that are held at a time."""

ReadPixels = Callable[[bytes, str], Any]
"""A picture file, and its name for messages, to pixels uint8 (height, width, 3)."""


class Measuring:
    """Reads pictures, proves them by their digests and shows them to a survey of the critic's."""

    def __init__(self, *, store: ArtifactStore, critic: Critic, read_pixels: ReadPixels, node_pool: str) -> None:
        self._store = store
        self._critic = critic
        self._read_pixels = read_pixels
        self._node_pool = node_pool

    async def measure(
        self, pictures: Sequence[StoredFile], texts: Sequence[str], references: Sequence[StoredFile]
    ) -> tuple[PictureMeasures, Work]:
        """The figures and what they cost.

        Raises InvalidInput, naming the field, for a request that does not fit together or a picture that is not there;
        Unsatisfied for one that is not what its digest says, and where the deployment has no scorer.
        """
        self._check(pictures, texts, references)
        survey, on_gpu = await self._critic.survey()
        started = time.perf_counter()
        async for _, chunk in self._chunks(references, "references"):
            await self._critic.call(lambda part: survey.add_references(self._decoded(part)), chunk)
        async for first, chunk in self._chunks(pictures, "pictures"):
            told = texts[first : first + CHUNK]
            await self._critic.call(lambda part, its: survey.add(self._decoded(part), its), chunk, told)
        measures = await self._critic.call(survey.measures)
        seconds = time.perf_counter() - started
        return measures, Work(self._node_pool, seconds, seconds if on_gpu else 0.0, measures.scorer)

    def _check(self, pictures: Sequence[StoredFile], texts: Sequence[str], references: Sequence[StoredFile]) -> None:
        if not 1 <= len(pictures) <= MAX_MEASURED:
            raise InvalidInput("pictures", f"must hold 1 to {MAX_MEASURED} pictures, got {len(pictures)}")
        if len(texts) != len(pictures):
            raise InvalidInput("texts", f"must hold one text for each of {len(pictures)} pictures, got {len(texts)}")
        if len(references) > MAX_REFERENCES:
            raise InvalidInput("references", f"must hold at most {MAX_REFERENCES} pictures, got {len(references)}")
        for position, text in enumerate(texts):
            if not text.strip() or len(text) > MAX_PROMPT:
                raise InvalidInput(f"texts[{position}]", f"must hold 1 to {MAX_PROMPT} characters, got {len(text)}")
        for field, files in (("pictures", pictures), ("references", references)):
            for position, file in enumerate(files):
                self._store.key(file.uri, f"{field}[{position}].uri")

    async def _chunks(
        self, files: Sequence[StoredFile], field: str
    ) -> AsyncIterator[tuple[int, list[tuple[StoredFile, bytes]]]]:
        """The first one's position and what is in the files, `CHUNK` at a time."""
        for first in range(0, len(files), CHUNK):
            part = files[first : first + CHUNK]
            reads = (self._read(file, f"{field}[{position}].uri") for position, file in enumerate(part, first))
            yield first, list(zip(part, await asyncio.gather(*reads), strict=True))

    async def _read(self, file: StoredFile, field: str) -> bytes:
        try:
            data = await self._store.get(self._store.key(file.uri, field))
        except NotFound as error:
            raise InvalidInput(field, f"must be a picture in the store, but there is none at {file.uri}") from error
        if digest(data) != file.digest:
            raise Unsatisfied(f"the picture {file.uri} is damaged: its SHA-256 is not {file.digest}", reason=DAMAGED)
        return data

    def _decoded(self, files: Sequence[tuple[StoredFile, bytes]]) -> list[Any]:
        try:
            return [self._read_pixels(data, file.uri) for file, data in files]
        except Broken as error:
            raise Unsatisfied(error.message, reason=DAMAGED) from error

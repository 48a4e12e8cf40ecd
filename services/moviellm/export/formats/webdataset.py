"""webdataset: tar files in which a picture and its record lie next to each other under one key.

A dot in a key would end it, a second file of the same suffix would raise, and Hugging Face's loader takes the keys of
the first samples for those of all: keys have no dots, and every sample has a jpg and a json with the same keys.
"""

import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from moviellm.export.format import FOLDER, Desk, Format, View, Written
from moviellm.export.frame_sample import frame_samples
from moviellm.export.shards import Sample, ShardFiles, ShardKind
from moviellm.export.summary import MovieFolder

NAME = "webdataset"
TAR_BLOCK = 512
TAR_RECORD = 10240


def open_format(desk: Desk) -> Format:
    """formats/webdataset/train-000000.tar and so on."""
    return WebDataset(desk)


class WebDataset:
    """A sample a key frame: m0001-000001.jpg and m0001-000001.json."""

    def __init__(self, desk: Desk) -> None:
        kind = ShardKind(
            NAME, name=lambda split, number: f"{split}-{number:06}.tar", open_shard=TarShard, overhead=TAR_RECORD
        )
        self._shards = ShardFiles(desk, kind)

    async def add(self, movie: MovieFolder) -> None:
        """Append the key frames of one movie."""
        await self._shards.add(movie, _samples(movie))

    async def finish(self) -> None:
        """Write the last shards."""
        await self._shards.finish()

    @property
    def written(self) -> Written:
        """What there is."""
        files = {split: (f"{FOLDER}/{NAME}/{split}-*.tar",) for split in self._shards.records}
        return Written(NAME, (View(NAME, "frame", dict(self._shards.records), files),))


class TarShard:
    """One tar file; owner, mode and time of the members are fixed: equal samples give equal bytes."""

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 -- closed by close()

    def add(self, sample: Sample, pictures: Sequence[bytes]) -> None:
        """Append two members."""
        self._append(f"{sample.key}.jpg", pictures[0])
        self._append(f"{sample.key}.json", _text(sample))

    def close(self) -> None:
        """Finish the file."""
        self._tar.close()

    def _append(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        member.mode = 0o644
        member.uname = member.gname = "moviellm"
        self._tar.addfile(member, io.BytesIO(data))


def _samples(movie: MovieFolder) -> Iterator[Sample]:
    for found in frame_samples(movie):
        sample = Sample(found.key, found.record, (found.frame,), 0)
        size = _stored(found.frame.size_bytes) + _stored(len(_text(sample)))
        yield Sample(found.key, found.record, (found.frame,), size)


def _text(sample: Sample) -> bytes:
    return json.dumps(sample.record, ensure_ascii=False).encode()


def _stored(size: int) -> int:
    return TAR_BLOCK + -(-size // TAR_BLOCK) * TAR_BLOCK

"""The artifact store on a local folder."""

import asyncio
import hashlib
import random

import pytest

from moviellm.artifacts import LITTLE_BYTES, PIECE_BYTES, ArtifactStore, DatasetKeys, digest
from moviellm.errors import InvalidInput, NotFound
from moviellm.settings import StoreSettings


@pytest.fixture
def store(tmp_path):
    return ArtifactStore.open(StoreSettings(url=f"file://{tmp_path}"))


async def test_of_many_writers_exactly_one_wins(store):
    won = await asyncio.gather(*(store.put("a/b.json", f"writer {i}".encode()) for i in range(20)))
    assert sum(won) == 1
    assert await store.get("a/b.json") == f"writer {won.index(True)}".encode()


async def test_a_missing_artifact(store):
    assert await store.find("nothing.json") is None
    assert not await store.exists("nothing.json")
    with pytest.raises(NotFound, match=r"nothing\.json"):
        await store.get("nothing.json")


async def test_listing_and_deleting_whole_segments_only(store):
    for key in ("datasets/a/1", "datasets/a/x/2", "datasets/ab/3"):
        await store.put(key, b"..")
    assert {entry.key async for entry in store.list(DatasetKeys("a").root)} == {"datasets/a/1", "datasets/a/x/2"}
    assert sorted(await store.folders("datasets")) == ["a", "ab"]
    await store.delete_all(DatasetKeys("a").root)
    assert [entry.key async for entry in store.list("datasets")] == ["datasets/ab/3"]


async def test_large_artifacts_come_in_pieces(store):
    data = bytes(range(256)) * 20_000
    await store.put("big", data)
    pieces = [piece async for piece in store.chunks("big", 1_000_000)]
    assert b"".join(pieces) == data
    assert len(pieces) > 1


@pytest.mark.parametrize("size", [0, 1000, 3 * PIECE_BYTES + 7])
async def test_a_local_file_is_written_once_and_whole(store, tmp_path, size):
    data = bytes(range(256)) * (size // 256) + b"." * (size % 256)
    source = tmp_path / "source"
    source.write_bytes(data)
    assert await store.put_file("a/file", source)
    source.write_bytes(b"other" * (size + 1))
    assert not await store.put_file("a/file", source)
    assert await store.get("a/file") == data


@pytest.mark.parametrize(
    "uri", ["file:///etc/passwd", "{root}/../secret", "{root}/a/../../secret", "{root}", "{root}//etc/x", "s3://b/k"]
)
def test_uris_outside_the_store_are_refused(store, uri):
    with pytest.raises(InvalidInput, match="must lie in the artifact store"):
        store.key(uri.format(root=store.root), "output_uri")


def test_uris_and_keys_are_inverse(store):
    assert store.key(store.uri("styles/ab/learned_embeds.safetensors")) == "styles/ab/learned_embeds.safetensors"


@pytest.mark.parametrize("key", ["a\x00b", "a\nb", "a//b", "a/./b", "n" * 201, "ü" * 150, "a/../b", "\\\\host\\share"])
def test_keys_that_are_no_names_of_files_are_refused(store, key):
    with pytest.raises(InvalidInput, match="must lie in the artifact store"):
        store.key(store.uri(key))


def test_a_link_does_not_lead_out_of_the_store(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "store"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    store = ArtifactStore.open(StoreSettings(url=f"file://{folder}"))
    (folder / "datasets").symlink_to(outside)
    with pytest.raises(InvalidInput, match="must lie in the artifact store"):
        store.key(store.uri("datasets/secret"))


def test_a_store_behind_a_link_is_fine(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store = ArtifactStore.open(StoreSettings(url=f"file://{tmp_path}/link"))
    assert store.key(store.uri("a/b")) == "a/b"


@pytest.mark.parametrize("size", [0, 1, 2047, 2048, 10_000, LITTLE_BYTES, LITTLE_BYTES + 1])
def test_a_digest_is_sha_256_of_all_bytes_however_many(size):
    data = random.Random(size).randbytes(size)
    assert digest(data) == hashlib.sha256(data).hexdigest()

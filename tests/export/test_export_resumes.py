"""An export that is killed or runs out of disk: nothing half-written counts, and the next one makes what is missing."""

import asyncio
import resource
import shutil
import signal
import subprocess

import pytest
from export_fixtures import Stage, heavy_frames, spec_with, stage_at, write_dataset
from test_export_process import port_of, start, until_serving

from moviellm import errors, rpc
from moviellm.artifacts import ArtifactStore
from moviellm.export.dataset_folder import Limits
from moviellm.export.scratch import scratch_folder, sweep_scratch
from moviellm.settings import StoreSettings
from moviellm.v1 import export_service_pb2_grpc as pb_grpc

SPEC = spec_with(frames=8, formats=("mds", "webdataset", "hf_parquet", "llava_next", "imagefolder"))
SMALL_SHARDS = {"MOVIELLM_EXPORT_SHARD_MEGABYTES": "1"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A store with exported movies, and the same with the whole dataset finished: (movies only, everything)."""
    return asyncio.run(prepare(tmp_path_factory.mktemp("finished")))


async def prepare(folder):
    before, after = folder / "before", folder / "after"
    async with stage_at(before) as stage:
        await write_dataset(stage.store, SPEC)
        heavy_frames(stage.folder, SPEC)
        for movie in (1, 2):
            await stage.export_movie(movie, SPEC)
    shutil.copytree(before, after)
    async with stage_at(after, limits=Limits(shard_megabytes=1)) as stage:
        await stage.finish(SPEC)
        return before, contents(stage.files())


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def whole(folder, expected):
    """All files that readers of the store see; those with a "#" are being written."""
    found = {path: data for path, data in contents(folder).items() if "#" not in path}
    assert found.items() <= expected.items()
    return found


async def serving(process, folder):
    """A stage over a process of the service, once it serves."""
    store = ArtifactStore.open(StoreSettings(url=f"file://{folder}"))
    peer = rpc.channel(f"127.0.0.1:{await port_of(process)}")
    await until_serving(peer)
    return Stage(store, pb_grpc.ExportServiceStub(peer), folder), peer


async def finish_elsewhere(folder):
    async with stage_at(folder, limits=Limits(shard_megabytes=1)) as stage:
        await stage.finish(SPEC)


async def test_a_killed_export_goes_on_with_what_is_missing(finished, tmp_path):
    before, expected = finished
    folder = tmp_path / "store"
    shutil.copytree(before, folder)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = await start(folder, **SMALL_SHARDS, TMPDIR=str(scratch))
    stage, peer = await serving(process, folder)
    async with peer:
        call = asyncio.create_task(stage.finish(SPEC))
        while len(list(stage.files().glob("formats/*/**/shard.*.mds"))) < 3:
            assert not call.done()
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        with pytest.raises(errors.Temporary):
            await call
        await process.communicate()
    assert sweep_scratch(scratch) == 1
    assert list(scratch.iterdir()) == []
    half = whole(stage.files(), expected)
    assert "manifest.json" not in half
    times = {path: (stage.files() / path).stat().st_mtime_ns for path in half}
    await finish_elsewhere(folder)
    assert whole(stage.files(), expected) == expected
    assert {path: (stage.files() / path).stat().st_mtime_ns for path in times} == times


def test_the_folder_of_an_export_under_way_is_left_alone(tmp_path):
    with scratch_folder(tmp_path) as folder:
        assert sweep_scratch(tmp_path) == 0
        assert folder.exists()
    assert not folder.exists()


async def test_a_full_scratch_disk_is_told_and_nothing_half_written_counts(finished, tmp_path):
    before, expected = finished
    folder = tmp_path / "store"
    shutil.copytree(before, folder)
    process = await start(folder, **SMALL_SHARDS)
    stage, peer = await serving(process, folder)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (500_000, 500_000))
    try:
        async with peer:
            with pytest.raises(errors.Exhausted) as caught:
                await stage.finish(SPEC)
        assert caught.value.reason == "DISK_FULL"
        assert "the export service's own disk is full" in caught.value.message
        assert "manifest.json" not in whole(stage.files(), expected)
    finally:
        process.terminate()
        await process.communicate()
    await finish_elsewhere(folder)
    assert whole(stage.files(), expected) == expected


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 12 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def test_a_full_store_is_told_and_nothing_half_written_counts(finished, small_disk):
    before, expected = finished
    folder = small_disk / "store"
    shutil.copytree(before, folder)
    async with stage_at(folder, limits=Limits(shard_megabytes=1)) as stage:
        with pytest.raises(errors.Unavailable, match=r"the artifact store failed writing .*No space left"):
            await stage.finish(SPEC)
        assert "manifest.json" not in whole(stage.files(), expected)
        await asyncio.to_thread(subprocess.run, ["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
        await stage.finish(SPEC)
        assert whole(stage.files(), expected) == expected

"""A call that is cancelled half-way leaves nothing behind that a later call would stumble over."""

import asyncio
import threading

import pytest
from export_fixtures import DATASET, SPEC, write_dataset

from moviellm.artifacts import ArtifactStore, DatasetKeys
from moviellm.export.movie_folder import export_movie
from moviellm.settings import StoreSettings


class SlowVideo:
    """Waits in the middle of its first picture and notes what happens in which order."""

    def __init__(self):
        self.path = None
        self.events = []
        self.started = threading.Event()
        self.go_on = threading.Event()

    def add(self, picture, name):
        self.started.set()
        self.go_on.wait(10)
        self.events.append("added" if self.path.parent.exists() else "folder gone")

    def close(self):
        self.events.append("closed")


async def test_encoding_under_way_ends_before_its_files_go(tmp_path):
    store = ArtifactStore.open(StoreSettings(url=f"file://{tmp_path}"))
    await write_dataset(store)
    video = SlowVideo()

    def open_video(path, **options):
        video.path = path
        return video

    call = asyncio.create_task(export_movie(store, DatasetKeys(DATASET).movie(1), SPEC, open_video=open_video))
    await asyncio.to_thread(video.started.wait, 10)
    call.cancel()
    await asyncio.sleep(0)
    video.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert video.events == ["added", "added", "added", "closed"]
    assert not video.path.parent.exists()
    assert not await store.exists(f"{DatasetKeys(DATASET).movie(1).files}/movie.mp4")

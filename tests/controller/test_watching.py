"""A watcher whose connection breaks again and again sees every change once, in order, up to the end."""

import asyncio
import itertools

from soak.faulty_proxy import FaultyProxy

from moviellm import errors, rpc
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc

NAME = "movieDatasets/demo"


class Watcher:
    """Watches through an address; goes on with the token it was given last, as the contract says."""

    def __init__(self, address):
        self.address = address
        self.streams = []
        self.news = asyncio.Event()

    @property
    def seen(self):
        return [update for stream in self.streams for update in stream]

    async def watch(self):
        token = ""
        while not self.seen or self.seen[-1].movie_dataset.state != pb.MovieDataset.STATE_SUCCEEDED:
            self.streams.append([])
            try:
                async with rpc.channel(self.address) as channel:
                    call = pb_grpc.MovieDatasetServiceStub(channel).WatchMovieDataset(
                        pb.WatchMovieDatasetRequest(name=NAME, resume_token=token), wait_for_ready=True
                    )
                    async for update in rpc.stream("controller", call):
                        self.streams[-1].append(update)
                        token = update.resume_token
                        self.news.set()
            except (errors.Temporary, errors.Broken):
                await asyncio.sleep(0.01)


async def test_a_watch_through_breaking_connections_has_no_gap_and_no_repetition(controllers):
    controller = await controllers()
    stages = controller.stages
    pictures = stages._pictures

    async def slow(orders, call):
        async for picture in pictures(orders, call):
            await asyncio.sleep(0.1)
            yield picture

    stages._pictures = slow
    proxy = await FaultyProxy(controller.server.port).start()
    await controller.create(movies=2)
    watcher = Watcher(f"127.0.0.1:{proxy.port}")
    watching = asyncio.create_task(watcher.watch())
    cuts = 0
    while not watching.done():
        watcher.news.clear()
        waiting = asyncio.create_task(watcher.news.wait())
        await asyncio.wait((watching, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        await asyncio.sleep(0.05)
        proxy.cut()
        cuts += 1
    await watching
    await proxy.stop()

    tokens = [int(update.resume_token) for update in watcher.seen]
    assert cuts > 5
    assert tokens == sorted(tokens)
    resumed = [stream for stream in watcher.streams if stream]
    for before, after in itertools.pairwise(resumed):
        assert int(after[0].resume_token) > int(before[-1].resume_token), "nothing is told again"
    for stage in range(5):
        done = [update.movie_dataset.stages[stage].done for update in watcher.seen]
        assert done == sorted(done)
    final = [update for update in watcher.seen if update.movie_dataset.state == pb.MovieDataset.STATE_SUCCEEDED]
    assert len(final) == 1
    assert all(stage.done == stage.total for stage in final[0].movie_dataset.stages), "nothing is left out"
    assert await controller.watched(token=final[0].resume_token) == []


async def test_one_stream_tells_nothing_twice(controller):
    await controller.create()
    updates = [update.SerializeToString(deterministic=True) for update in await controller.watched()]
    assert len(updates) == len(set(updates))


async def test_a_token_is_good_at_the_next_controller(controllers):
    """The controller is replaced in the middle; the watcher goes on with its token and sees the rest, once."""
    first = await controllers()
    first.stages.closes_after = 8
    await first.create()
    await first.stages.closed.wait()
    seen = []
    stream = first.stub.WatchMovieDataset(pb.WatchMovieDatasetRequest(name=NAME))
    async for update in stream:
        seen.append(update)
        if update.movie_dataset.stages[2].done >= 4:
            break
    stream.cancel()
    await first.stop()
    second = await controllers()
    rest = await second.watched(token=seen[-1].resume_token)
    assert int(rest[0].resume_token) > int(seen[-1].resume_token)
    assert rest[-1].movie_dataset.state == pb.MovieDataset.STATE_SUCCEEDED
    done = [update.movie_dataset.stages[2].done for update in (*seen, *rest)]
    assert done == sorted(done)

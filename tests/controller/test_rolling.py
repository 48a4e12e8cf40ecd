"""Two controllers on one store, replaced one after the other again and again, while requesters go on asking."""

import asyncio
from collections import Counter

import pytest
from fake_stages import FakeStages
from kubernetes_stage import until
from small_controller import Controller

from moviellm import errors, rpc
from moviellm.artifacts import ArtifactStore
from moviellm.cli.connection import Client
from moviellm.controller.leadership import standing
from moviellm.controller.leadership.fencing import Fence, FencedStore
from moviellm.controller.leadership.store_lease import StoreLease
from moviellm.controller.settings import ControllerSettings
from moviellm.rendering.ports import free_port
from moviellm.settings import StoreSettings
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc

ROUNDS = 4
RECONNECTED = 1.5
"""A client tries an address again half a second after it was refused there; rollouts leave that much between two."""

SPEC = {"theme": "a storm", "movies": 1, "chapters": 2, "scenes": 2, "frames": 3}


class SlowStages(FakeStages):
    """Each picture takes a moment, so that a dataset lasts over several leaders."""

    async def _pictures(self, orders, call):
        async for picture in super()._pictures(orders, call):
            await asyncio.sleep(0.05)
            yield picture


class Door:
    """One controller as the command builds it, with stages in memory."""

    async def start(self, folder, port):
        settings = StoreSettings(url=f"file://{folder}")
        store, fence = FencedStore.open(settings), Fence()
        store.fence = fence
        self.stages = SlowStages(store)
        parts = Controller(store, self.stages)
        self.server, self.replica = standing.built(
            ControllerSettings(listen=f"127.0.0.1:{port}", lease_seconds=10, drain_seconds=20),
            store=store,
            leases=ArtifactStore.open(settings),
            registry=parts.registry,
            reception=parts.reception,
            fence=fence,
        )
        self.leading = asyncio.create_task(self.replica.lead())
        await self.server.start()
        await until(self.is_ready)
        return self

    async def is_ready(self):
        return self.replica.began.is_set() or await self.replica.forwarder.leader_serves()

    async def stop(self):
        """As SIGTERM does."""
        await self.server.stop()
        self.leading.cancel()
        await asyncio.gather(self.leading, return_exceptions=True)
        await self.replica.forwarder.close()


@pytest.fixture
async def doors(tmp_path):
    ports = [free_port(), free_port()]
    running = [await Door().start(tmp_path, port) for port in ports]

    async def replace(number):
        await running[number].stop()
        running[number] = await Door().start(tmp_path, ports[number])

    yield replace, running, ports
    for door in running:
        await door.stop()


async def test_no_requester_sees_an_error_while_controllers_are_replaced(doors):
    replace, running, ports = doors
    address = f"ipv4:127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}"
    asked, over = Counter(), asyncio.Event()
    async with rpc.channel(address) as channel:
        client = Client(pb_grpc.MovieDatasetServiceStub(channel), address)

        async def creating():
            while not over.is_set():
                name = f"set-{asked['create']}"
                spec = pb.MovieDatasetSpec(**SPEC | {"seed": asked["create"]})
                request = pb.CreateMovieDatasetRequest(spec=spec, movie_dataset_id=name, request_id=name)
                await client.create(request)
                asked["create"] += 1
                await asyncio.sleep(0.3)

        async def reading():
            while not over.is_set():
                async for dataset in client.datasets():
                    await client.get(dataset.name)
                    asked["get"] += 1
                await asyncio.sleep(0.02)

        asking = [asyncio.create_task(work()) for work in (creating, reading, reading)]
        leaders = set()
        for number in range(ROUNDS):
            await asyncio.sleep(RECONNECTED)
            leaders.add(await until(lambda: next((one.replica for one in running if one.replica.leads), None)))
            await replace(number % 2)
        over.set()
        await asyncio.gather(*asking)
        assert len(leaders) >= 3, "the lead has passed on again and again"
        assert asked["create"] >= 3
        assert asked["get"] > 20
        for number in range(asked["create"]):
            await until(succeeded(client, f"movieDatasets/set-{number}"))


def succeeded(client, name):
    async def look():
        return (await client.get(name)).state == pb.MovieDataset.STATE_SUCCEEDED

    return look


async def test_without_a_leader_a_call_waits_and_then_says_so(tmp_path):
    """The lease is held by somebody who is silent and will not come back: a call waits for its end, and is answered."""
    port = free_port()
    store = ArtifactStore.open(StoreSettings(url=f"file://{tmp_path}"))
    silent = {"holderIdentity": "somebody@127.0.0.1:1", "leaseDurationSeconds": 2, "renewTime": "then"}
    await StoreLease(store).create({"spec": silent})
    door = Door()
    door.start_task = asyncio.create_task(door.start(tmp_path, port))
    async with rpc.channel(f"127.0.0.1:{port}") as channel:
        stub = pb_grpc.MovieDatasetServiceStub(channel)
        call = stub.ListMovieDatasets(pb.ListMovieDatasetsRequest(), timeout=20, wait_for_ready=True)
        assert not (await rpc.call("controller", call)).movie_datasets
        assert door.replica.leads
        with pytest.raises(errors.NotFound):
            await rpc.call("controller", stub.GetMovieDataset(pb.GetMovieDatasetRequest(name="movieDatasets/x")))
    await (await door.start_task).stop()

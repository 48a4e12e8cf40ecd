"""Controllers without Kubernetes: a lease in the store, and who holds it, whatever they do to each other."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from kubernetes_stage import until

from moviellm import errors, rpc
from moviellm.controller.leadership.fencing import Fence, FencedStore
from moviellm.controller.leadership.lease import Conflict, Election, Terms
from moviellm.controller.leadership.store_lease import FOLDER, StoreLease, is_gone, own_signature
from moviellm.rendering.ports import free_port
from moviellm.scripting.by_model.rehearsal import NoCost
from moviellm.scripting.servicer import SERVICE_NAME, ScriptingServicer
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.settings import StoreSettings
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc
from moviellm.v1 import scripting_service_pb2_grpc

LEASE = 5.0
LANE = 3


def body(holder):
    return {"spec": {"holderIdentity": holder}}


@pytest.fixture
def leases(store):
    return StoreLease(store)


# ---- the lease in the store ----


async def test_one_of_many_gets_it(leases):
    assert await leases.read() is None
    results = await asyncio.gather(*(leases.create(body(str(n))) for n in range(20)), return_exceptions=True)
    assert sum(not isinstance(result, Exception) for result in results) == 1
    lease = await leases.read()
    results = await asyncio.gather(*(leases.replace(lease | body(str(n))) for n in range(20)), return_exceptions=True)
    assert sum(isinstance(result, Conflict) for result in results) == 19


async def test_what_is_over_is_removed_and_cannot_be_written_again(leases, store):
    """Who slept through many renewals creates a number that is free again, and has lost all the same."""
    old = await leases.create(body("sleeper"))
    lease = await leases.read()
    for _ in range(5):
        lease = await leases.replace(lease | body("awake"))
    assert len([entry async for entry in store.list(FOLDER)]) == 1
    with pytest.raises(Conflict):
        await leases.replace(old | body("sleeper"))
    with pytest.raises(errors.AlreadyExists):
        await leases.create(body("late"))
    assert (await leases.read())["spec"]["holderIdentity"] == "awake"
    assert (await leases.replace(lease | body("still")))["metadata"]["resourceVersion"] == 7
    assert [entry.key async for entry in store.list(FOLDER)] == [f"{FOLDER}/{7:012}.json"]


def ticks(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


async def test_nobody_waits_for_a_holder_that_died_on_this_machine(leases):
    """The lease lasts an hour; the holder is killed, and the next one leads at once."""
    sleeper = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(60)")
    own = own_signature()
    theirs = {"process": own["process"] | {"pid": sleeper.pid, "started": ticks(sleeper.pid)}}
    first = Election(leases, "first", terms=Terms(3600), signature=theirs, is_gone=is_gone)
    await first.won()
    second = Election(leases, "second", terms=Terms(3600), is_gone=is_gone, sleep=lambda seconds: asyncio.sleep(0.01))
    waiting = asyncio.create_task(second.won())
    await asyncio.sleep(0.2)
    assert not waiting.done()
    sleeper.kill()
    await sleeper.wait()
    await asyncio.wait_for(waiting, 5)
    assert second.holds


async def test_nothing_changes_behind_a_closed_fence(tmp_path):
    store = FencedStore.open(StoreSettings(url=f"file://{tmp_path}"))
    store.fence = Fence()
    await store.replace("a", b"1")
    store.fence.holds = lambda: False
    for change in (
        lambda: store.put("b", b""),
        lambda: store.replace("a", b"2"),
        lambda: store.delete("a"),
        lambda: store.delete_all("a"),
        lambda: store.put_file("b", tmp_path / "a"),
    ):
        with pytest.raises(errors.Interrupted):
            await change()
    assert await store.get("a") == b"1"
    assert not await store.exists("b")


# ---- two processes on one store ----


class CountedScripting(ScriptingServicer):
    """Writes slowly; keeps what it was asked and when each answer was done (None: not yet)."""

    def __init__(self):
        super().__init__(writer=Storyteller(), estimator=NoCost())
        self.asked = []

    async def WriteOutline(self, request, context):
        return await self._counted(super().WriteOutline, request, context)

    async def WriteChapter(self, request, context):
        return await self._counted(super().WriteChapter, request, context)

    async def WriteScene(self, request, context):
        return await self._counted(super().WriteScene, request, context)

    async def _counted(self, answer, request, context):
        call = [request.SerializeToString(deterministic=True), time.monotonic(), None]
        self.asked.append(call)
        await asyncio.sleep(0.1)
        response = await answer(request, context)
        call[2] = time.monotonic()
        return response


class Site:
    """A controller process with a scripting service of its own, so that it is seen who asked for what."""

    async def start(self, tmp_path, name):
        self.scripting = CountedScripting()
        add = scripting_service_pb2_grpc.add_ScriptingServiceServicer_to_server
        self.server = rpc.Server(
            [rpc.Registration(SERVICE_NAME, lambda server: add(self.scripting, server))],
            listen="127.0.0.1:0",
            drain_seconds=0,
        )
        await self.server.start()
        self.port = free_port()
        nowhere = dict.fromkeys(("INVERSION", "RENDERING", "QA", "EXPORT"), "127.0.0.1:1")
        settings = nowhere | {
            "SCRIPTING": f"127.0.0.1:{self.server.port}",
            "LISTEN": f"127.0.0.1:{self.port}",
            "METRICS_LISTEN": "127.0.0.1:0",
            "LEASE_SECONDS": str(LEASE),
            "SCRIPTS_IN_FLIGHT": str(LANE),
            "DRAIN_SECONDS": "1",
        }
        environ = {name: value for name, value in os.environ.items() if not name.startswith("MOVIELLM_")}
        environ |= {f"MOVIELLM_CONTROLLER_{setting}": value for setting, value in settings.items()}
        environ["MOVIELLM_STORE_URL"] = f"file://{tmp_path}/store"
        self.log = tmp_path / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "moviellm.controller", env=environ, stdout=log, stderr=log
            )
        self.channel = rpc.channel(f"127.0.0.1:{self.port}")
        self.stub = pb_grpc.MovieDatasetServiceStub(self.channel)
        await until(lambda: rpc.is_serving(self.channel))
        return self

    async def stop(self):
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            await self.process.wait()
        await self.channel.close()
        await self.server.stop()


@pytest.fixture
async def sites(tmp_path):
    started = []

    async def start(name):
        started.append(await Site().start(tmp_path, name))
        return started[-1]

    yield start
    for site in started:
        await site.stop()


async def made(site):
    listed = await rpc.call("controller", site.stub.ListMovieDatasets(pb.ListMovieDatasetsRequest()))
    return listed.movie_datasets[0].stages[0].done


@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGSTOP], ids=lambda fate: fate.name)
async def test_two_controllers_never_do_the_same_for_longer_than_a_lease(sites, fate):
    """The one that leads is killed, paused or stopped; the other goes on; what was answered is not asked for again."""
    first, second = await sites("first"), await sites("second")
    spec = pb.MovieDatasetSpec(theme="a storm", movies=1, chapters=6, scenes=8, frames=1)
    await rpc.call("controller", second.stub.CreateMovieDataset(pb.CreateMovieDatasetRequest(spec=spec)))
    assert not second.scripting.asked, "the one that stands by hands the request on"

    async def some():
        return len(first.scripting.asked) >= 12

    await until(some)
    first.process.send_signal(fate)
    happened = time.monotonic()
    if fate is not signal.SIGSTOP:
        await asyncio.wait_for(first.process.wait(), 10)

    async def taken_over():
        return len(second.scripting.asked) >= 10

    await until(taken_over)
    took = second.scripting.asked[0][1] - happened
    if fate is signal.SIGSTOP:
        assert took > Terms(LEASE).give_up_after - 0.5, "nobody takes the lease from a holder that may be awake"
        asked_before = len(first.scripting.asked)
        first.process.send_signal(signal.SIGCONT)
        assert await asyncio.wait_for(first.process.wait(), 10) == 1, "it notices that it leads no longer"
        assert "leads no longer" in first.log.read_text()
        assert len(first.scripting.asked) == asked_before, "it begins nothing any more"

    async def all_written():
        return await made(second) == 1 + 6 + 6 * 8

    await until(all_written)
    answered = {request for request, _, done in first.scripting.asked if done}
    again = [request for request, _, _ in second.scripting.asked if request in answered]
    assert len(again) <= LANE, "only what was under way when it happened is done twice"
    asked = [request for request, _, _ in second.scripting.asked]
    assert len(asked) == len(set(asked))

"""At most one replica leads, one leads soon after another is silent, and nobody believes another machine's clock."""

import asyncio
import copy
import heapq
import itertools

import pytest

from moviellm.controller.kubernetes.cluster import Change, Expired, Listing
from moviellm.controller.kubernetes.resource import Key
from moviellm.controller.kubernetes.watching import Gallery, keep_true
from moviellm.controller.leadership.lease import Conflict, Election, Terms
from moviellm.errors import AlreadyExists, Denied, Unavailable

TERMS = Terms(10)


class Time:
    """A clock that runs only when everybody waits."""

    def __init__(self):
        self.now = 0.0
        self.waiting = []
        self.numbers = itertools.count()

    async def sleep(self, seconds):
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self.waiting, (self.now + seconds, next(self.numbers), future))
        await future

    async def run(self, seconds):
        end = self.now + seconds
        while True:
            for _ in range(30):
                await asyncio.sleep(0)
            if not self.waiting or self.waiting[0][0] > end:
                self.now = end
                return
            self.now, _, future = heapq.heappop(self.waiting)
            if not future.done():
                future.set_result(None)


class Leases:
    """The Lease in memory; whoever is in `cut` does not reach it."""

    def __init__(self):
        self.lease = None
        self.version = 0
        self.cut = set()

    def seen_by(self, identity):
        return SeenLeases(self, identity)


class SeenLeases:
    def __init__(self, leases, identity):
        self.leases = leases
        self.identity = identity

    def _reach(self):
        if self.identity in self.leases.cut:
            raise Unavailable("cut off")

    def _write(self, body):
        self.leases.version += 1
        self.leases.lease = copy.deepcopy(body | {"metadata": {"resourceVersion": self.leases.version}})
        return copy.deepcopy(self.leases.lease)

    async def read(self):
        self._reach()
        return copy.deepcopy(self.leases.lease)

    async def create(self, body):
        self._reach()
        if self.leases.lease:
            raise AlreadyExists("somebody was faster")
        return self._write(body)

    async def replace(self, body):
        self._reach()
        if body["metadata"]["resourceVersion"] != self.leases.version:
            raise Conflict("somebody was faster")
        return self._write(body)


class World:
    def __init__(self):
        self.time = Time()
        self.leases = Leases()
        self.leading = set()
        self.log = []
        self.elections = {}

    def join(self, name, wall=0.0):
        self.elections[name] = Election(
            self.leases.seen_by(name),
            name,
            terms=TERMS,
            clock=lambda: self.time.now,
            now=lambda: self.time.now + wall,
            sleep=self.time.sleep,
            jitter=lambda: 0.5,
        )
        return asyncio.create_task(self._replica(name))

    async def _replica(self, name):
        await self.elections[name].won()
        self.leading.add(name)
        self.log.append((self.time.now, name))
        assert len(self.leading) == 1, "two lead"
        await self.elections[name].lost()
        self.leading.discard(name)
        self.log.append((self.time.now, f"not {name}"))


@pytest.fixture
async def world():
    world = World()
    yield world
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


async def test_one_of_many_leads_and_goes_on_leading(world):
    tasks = [world.join(name) for name in "abc"]
    await world.time.run(300)
    assert [name for _, name in world.log] == ["a"]
    assert not any(task.done() for task in tasks)
    assert {election.leader for election in world.elections.values()} == {"a"}


async def test_a_silent_leader_stops_before_another_leads_within_the_time(world):
    first = world.join("a")
    await world.time.run(31)
    world.join("b", wall=-3600.0)
    await world.time.run(30)
    cut_at = world.time.now
    world.leases.cut.add("a")
    await world.time.run(15)
    (stopped_at, stopped), (led_at, leads) = world.log[1:]
    assert (stopped, leads) == ("not a", "b")
    assert stopped_at < led_at <= cut_at + 15
    await first


async def test_a_short_outage_changes_nothing(world):
    world.join("a")
    world.join("b", wall=3600.0)
    await world.time.run(20)
    world.leases.cut |= {"a", "b"}
    await world.time.run(4)
    world.leases.cut.clear()
    await world.time.run(60)
    assert [name for _, name in world.log] == ["a"]


async def test_a_lease_that_is_let_go_is_taken_at_the_next_look(world):
    leading = world.join("a")
    await world.time.run(10)
    world.join("b")
    await world.time.run(10)
    leading.cancel()
    world.leading.clear()
    await world.elections["a"].release()
    await world.time.run(3)
    assert world.log[-1][1] == "b"


async def test_a_replica_that_was_frozen_finds_that_another_leads(world):
    frozen = world.join("a")
    await world.time.run(10)
    world.leases.lease["spec"]["holderIdentity"] = "b"
    world.leases.version += 1
    world.leases.lease["metadata"]["resourceVersion"] = world.leases.version
    await world.time.run(3)
    assert frozen.done()
    await world.elections["a"].release()
    assert world.leases.lease["spec"]["holderIdentity"] == "b", "nobody lets go of another's lease"


async def test_a_harmless_touch_of_the_lease_is_survived(world):
    leader = world.join("a")
    await world.time.run(10)
    world.leases.version += 1
    world.leases.lease = world.leases.lease | {
        "metadata": {"resourceVersion": world.leases.version, "labels": {"x": "y"}}
    }
    await world.time.run(60)
    assert not leader.done()


# ---- watching ----


def item(name, version, uid="u"):
    return {"metadata": {"name": name, "namespace": "films", "uid": uid, "resourceVersion": str(version)}, "spec": {}}


class Script:
    """A cluster that says what it is told to say: lists, watches that end, errors."""

    def __init__(self, *said):
        self.said = list(said)
        self.asked = []
        self.over = asyncio.Event()

    def _next(self, asked):
        self.asked.append(asked)
        if not self.said:
            self.over.set()
            raise Unavailable("nothing more is said")
        said = self.said.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    async def list(self):
        return self._next("list")

    async def watch(self, version):
        for change in self._next(f"watch {version}"):
            if isinstance(change, Exception):
                raise change
            yield change


async def test_a_watch_goes_on_where_it_broke_off_and_starts_over_only_where_it_must():
    waited = []

    async def sleep(seconds):
        waited.append(seconds)
        await asyncio.sleep(0)

    cluster = Script(
        Unavailable("not yet"),
        Denied("no right yet"),
        Listing((item("a", 5), item("b", 6)), "10"),
        [Change("MODIFIED", item("a", 11)), Change("BOOKMARK", item("", 15))],
        [Unavailable("cut")],
        Unavailable("down", retry_after=7.0),
        [Change("ADDED", item("c", 16)), Change("DELETED", item("b", 17)), Expired("forgotten")],
        Listing((item("a", 11), item("d", 19)), "20"),
        Expired("forgotten at once"),
        Listing((item("d", 19),), "30"),
    )
    gallery, heard = Gallery(), []
    gallery.on_change = lambda key: heard.append(key.name)
    task = asyncio.create_task(keep_true(gallery, cluster, sleep=sleep, jitter=lambda: 1.0))
    await asyncio.wait_for(cluster.over.wait(), 5)
    task.cancel()
    assert cluster.asked[:11] == [
        "list",
        "list",
        "list",
        "watch 10",
        "watch 15",
        "watch 15",
        "watch 15",
        "list",
        "watch 20",
        "list",
        "watch 30",
    ]
    assert heard == ["a", "b", "a", "c", "b", "d", "c", "a"]
    assert [resource.key.name for resource in gallery.all()] == ["d"]
    assert waited[:2] == [0.5, 1.0]
    assert 7.0 in waited


def test_what_is_older_than_what_is_known_is_not_believed():
    gallery = Gallery()
    gallery.put(item("a", 11))
    assert gallery.put(item("a", 9)).version == "11"
    assert gallery.put(item("a", 10, uid="another")).version == "10"
    gallery.drop(Key("films", "a"))
    assert gallery.find(Key("films", "a")) is None

"""The controller on a cluster in memory: what holds everywhere, and what only a server with knobs can show."""

import asyncio
import hashlib

import pytest
from api_server import RULES, ApiServer
from kubernetes_expectations import *  # noqa: F403
from kubernetes_stage import ACCOUNT, PICTURE, Stage, api_at, until
from obstore.store import LocalStore

from moviellm import errors
from moviellm.artifacts import ArtifactStore
from moviellm.dataset import MovieDatasetSpec, State

NAMESPACE = "films"


@pytest.fixture
async def server():
    server = await ApiServer().start()
    yield server
    await server.stop()


@pytest.fixture
async def stage(server, store):
    hand = api_at(server.url)
    stage = Stage(hand, lambda: api_at(server.url, account=f"{NAMESPACE}:{ACCOUNT}"), store, NAMESPACE)
    yield stage
    await stage.close()
    await hand.close()


async def test_watches_survive_cuts_expired_versions_and_outages(stage, server):
    await stage.make()
    await stage.apply("one")
    await stage.state("Succeeded", name="one")
    await server.cut_watches()
    await stage.apply("two")
    await stage.state("Succeeded", name="two")
    await server.forget()
    await stage.apply("three")
    await stage.state("Succeeded", name="three")
    assert server.asked["list", "moviedatasets"] >= 2
    server.is_down = True
    await server.cut_watches()
    await asyncio.sleep(0.3)
    server.is_down = False
    await stage.apply("four")
    await stage.state("Succeeded", name="four")


async def test_what_changed_while_no_controller_ran_is_made_good(stage, server):
    controller = await stage.make()
    controller.stages.gate.clear()
    for name in ("kept", "dropped"):
        await stage.apply(name)
        await stage.state("Running", name=name)
    await controller.stop()
    await stage.patch("dropped", deletionPolicy="Delete")
    await stage.delete("dropped")
    await stage.apply("new")
    await stage.make()
    await stage.gone("dropped")
    await stage.state("Succeeded", name="kept")
    await stage.state("Succeeded", name="new")
    assert not [entry async for entry in stage.store.list("datasets/dropped")]
    assert (await stage.events("kept")).count("Accepted") == 1


async def test_conflicts_are_tried_again(stage, server):
    await stage.make()
    server.conflicts = 4
    await stage.apply()
    await stage.state("Succeeded")
    assert server.conflicts == 0


async def test_statuses_are_written_at_most_at_the_pace_and_the_last_always(stage, server):
    stage.pace = {"kubernetes_status_seconds": 0.4}
    await stage.make()
    await stage.apply(movies=4)
    await stage.state("Succeeded")
    times = [time for time, name, _ in server.log if name == "demo"]
    assert 2 <= len(times) <= (times[-1] - times[0]) / 0.4 + 2
    assert server.log[-1][2]["movies"] == "4/4"


async def test_a_quiet_cluster_is_left_alone(stage, server):
    await stage.make()
    await stage.apply()
    await stage.state("Succeeded")
    await asyncio.sleep(0.3)
    before = server.asked.copy()
    await asyncio.sleep(1.0)
    asked = {verb for verb, resource in (server.asked - before) if resource != "leases"}
    assert asked <= {"watch"}


async def test_the_rules_that_are_shipped_are_all_needed_and_enough(stage, server):
    """Every verb is used by what the other tests do, and no call of them is refused."""
    controller = await stage.make()
    await controller.create()
    await stage.state("Succeeded")
    await controller.named("Delete")
    server.conflicts = 1
    await stage.apply("other")
    await stage.state("Succeeded", name="other")
    await until(lambda: ("update", "leases") in server.asked_by_account)
    needed = {(resource, verb) for verb, resource in server.asked_by_account}
    shipped = {(resource, verb) for rule in RULES for resource in rule["resources"] for verb in rule["verbs"]}
    assert needed == shipped


async def test_without_a_right_the_controller_says_so_and_goes_on_when_it_is_given(stage, server):
    server.rules = [rule for rule in RULES if "moviedatasets/status" not in rule["resources"]]
    controller = await stage.make()
    await stage.apply()

    async def made():
        try:
            return (await controller.named("Get")).state == 3
        except errors.NotFound:
            return False

    await until(made)
    assert "status" not in await stage.get()
    server.rules = RULES
    await stage.state("Succeeded")


async def test_all_namespaces_are_served_where_that_is_set(stage):
    controller = await stage.make(kubernetes_all_namespaces=True)
    await stage.apply()
    await stage.apply(namespace="other", theme="a calm")
    await stage.state("Succeeded")
    other = await stage.state("Succeeded", namespace="other")
    assert other["status"]["dataset"].startswith("demo-")
    named = await controller.named("Get", other["status"]["dataset"])
    assert named.spec.theme == "a calm"


async def test_other_namespaces_and_labels_are_left_alone(stage):
    controller = await stage.make(kubernetes_labels={"tier": "gold"})
    await stage.apply("foreign", namespace="other", metadata={"labels": {"tier": "gold"}})
    await stage.apply("plain")
    await stage.apply("gold", metadata={"labels": {"tier": "gold"}})
    await stage.state("Succeeded", name="gold")
    await controller.create("made")
    assert (await stage.state("Succeeded", name="made"))["metadata"]["labels"]["tier"] == "gold"
    assert "status" not in await stage.get("plain")
    assert "status" not in await stage.get("foreign", namespace="other")


async def test_a_request_that_cannot_be_accepted_leaves_no_resource(stage, server):
    controller = await stage.make()
    server.is_down = True
    with pytest.raises(errors.Unavailable, match="the cluster"):
        await controller.create()
    server.is_down = False
    assert not [entry async for entry in stage.store.list("datasets")]
    await controller.create()
    await stage.state("Succeeded")


class FlakyStore(ArtifactStore):
    """Takes nothing while it is down."""

    is_down = False

    async def put(self, key, data):
        if self.is_down:
            raise errors.Unavailable("the store is down")
        return await super().put(key, data)


async def test_a_request_that_the_store_does_not_take_leaves_no_resource(stage, tmp_path):
    stage.store = FlakyStore(LocalStore(tmp_path), f"file://{tmp_path}")
    controller = await stage.make()
    stage.store.is_down = True
    with pytest.raises(errors.Unavailable, match="the store is down"):
        await controller.create(request_id="r-1", pictures=[PICTURE] * 3)
    await stage.gone()
    stage.store.is_down = False
    made = await controller.create(request_id="r-1", pictures=[PICTURE] * 3)
    assert made.spec.style.pictures == 3
    await stage.state("Succeeded")


async def test_a_repeated_request_finds_what_a_call_that_was_cut_short_left(stage):
    controller = await stage.make()
    mark = hashlib.sha256(b"r-9").hexdigest()
    await stage.apply("left", metadata={"annotations": {"moviellm.dev/request-id-digest": mark}}, model="pocket")
    await stage.state("Succeeded", name="left")
    assert (await controller.create("", request_id="r-9")).name == "movieDatasets/left"
    with pytest.raises(errors.InvalidInput, match="was used for another request"):
        await controller.create("", request_id="r-9", theme="a calm")


async def test_a_refused_resource_takes_nobodys_work_with_it(stage):
    controller = await stage.make()
    controller.stages.gate.clear()
    spec = MovieDatasetSpec("a storm", chapters=1, scenes=1, frames=1)
    dataset = await controller.registry.create("demo", spec)
    await stage.apply(theme="a calm", deletionPolicy="Delete")
    await stage.state("Refused")
    await stage.delete()
    await stage.gone()
    await until(lambda: controller.controller.replica._following.resource("demo") is None)
    assert dataset.status.state is State.RUNNING
    controller.stages.gate.set()
    await until(lambda: dataset.status.state is State.SUCCEEDED)


async def test_a_resource_that_is_torn_out_takes_its_work_with_it(stage, server):
    controller = await stage.make()
    controller.stages.gate.clear()
    await stage.apply()
    await stage.state("Running")
    await server.tear_out("demo")
    dataset = controller.registry.get("demo")
    await until(lambda: dataset.status.state is State.CANCELLED)
    assert [entry async for entry in stage.store.list("datasets/demo")]


async def test_a_resource_made_anew_at_once_keeps_its_work(stage):
    controller = await stage.make()
    for turn in range(5):
        await controller.create(theme=f"storm {turn}")
        await stage.state("Running", "Succeeded")
        await controller.named("Delete")
    await controller.create()
    await stage.state("Succeeded")
    assert "Suspended" not in await stage.events()

"""What a cluster goes through: API server or etcd killed at work, rights taken away, namespaces deleted."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from kubernetes_processes import kubeconfig, one_is_killed_and_the_other_goes_on
from kubernetes_stage import condition, until
from real_cluster import ACCOUNT, stage_of

from moviellm import errors

FOLDER = os.environ.get("MOVIELLM_BARE_CLUSTER", "")
on_a_bare_cluster = pytest.mark.skipif(
    not FOLDER, reason="parts of the control plane are killed: needs bare_cluster.py"
)


async def kill(hand, name):
    """Kill a part of the control plane; returns when it has been started anew and resources can be read."""
    pid = Path(FOLDER) / f"{name}.pid"
    killed = int(pid.read_text())
    os.kill(killed, signal.SIGKILL)

    async def answers():
        if int(pid.read_text()) == killed:
            return False
        try:
            await hand.call("GET", "/apis/moviellm.dev/v1alpha1/moviedatasets")
        except errors.MovieLLMError:
            return False
        return True

    await until(answers, within=100)


@pytest.fixture
async def everywhere(hand, store):
    async with stage_of(hand, store, controller__kubernetes__allNamespaces="true") as stage:
        yield stage


@on_a_bare_cluster
@pytest.mark.parametrize("part", ["kube-apiserver", "etcd"])
async def test_a_killed_part_of_the_control_plane_costs_time_and_nothing_else(stage, part):
    controller = await stage.make(kubernetes_lease_seconds=600)
    controller.stages.gate.clear()
    await stage.apply("before")
    await stage.state("Running", name="before")
    await kill(stage.hand, part)
    controller.stages.gate.set()
    await stage.apply("after")
    await stage.state("Succeeded", name="before")
    await stage.state("Succeeded", name="after")
    assert controller.controller.replica.leads
    assert controller.stages.calls["outline"] == 2, "nothing was made twice"


@on_a_bare_cluster
async def test_a_leader_without_api_server_ends_and_another_leads_when_it_is_back(stage):
    first = await stage.make(kubernetes_lease_seconds=1)  # less than the server takes to come back
    first.stages.gate.clear()
    await stage.apply()
    await stage.state("Running")
    await kill(stage.hand, "kube-apiserver")
    assert await asyncio.wait_for(first.exit_code, 60) == 1
    await stage.make()
    await stage.state("Succeeded")


async def test_a_killed_process_is_followed_by_another_with_the_accounts_own_token(stage, tmp_path):
    path = f"/api/v1/namespaces/{stage.namespace}/serviceaccounts/{ACCOUNT}/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    answer = await stage.hand.call("POST", path, asked)
    server = stage.hand._client.configuration
    trust = {"certificate-authority": server.ssl_ca_cert} if server.ssl_ca_cert else {"insecure-skip-tls-verify": True}
    config = kubeconfig(tmp_path / "kubeconfig", server.host, token=answer["status"]["token"], **trust)
    await one_is_killed_and_the_other_goes_on(stage, config, tmp_path)


async def test_a_right_taken_away_is_told_and_work_goes_on_when_it_is_given_back(stage):
    role = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{stage.namespace}/roles/{ACCOUNT}"
    rules = (await stage.hand.call("GET", role))["rules"]
    controller = await stage.make()
    await stage.apply("with")
    await stage.state("Succeeded", name="with")
    without = [rule for rule in rules if rule["resources"] != ["moviedatasets/status"]]
    await stage.hand.call("PATCH", role, {"rules": without})
    await asyncio.sleep(1.0)  # until the server has heard of it
    await stage.apply()

    async def made():
        try:
            return (await controller.named("Get")).state == 3
        except errors.NotFound:
            return False

    await until(made)
    assert "status" not in await stage.get()
    await stage.hand.call("PATCH", role, {"rules": rules})
    await stage.state("Succeeded")


async def test_all_namespaces_are_served_where_that_is_set(everywhere):
    stage = everywhere
    controller = await stage.make(kubernetes_all_namespaces=True)
    await stage.apply()
    await stage.apply(namespace=stage.other, theme="a calm")
    await stage.state("Succeeded")
    other = await stage.state("Succeeded", namespace=stage.other)
    assert other["status"]["dataset"].startswith("demo-")
    assert (await controller.named("Get", other["status"]["dataset"])).spec.theme == "a calm"
    path = f"/api/v1/namespaces/{stage.other}/events"
    assert (await stage.hand.call("GET", path))["items"], "events lie beside their resource"


async def test_other_namespaces_and_labels_are_left_alone(stage):
    controller = await stage.make(kubernetes_labels={"tier": "gold"})
    await stage.apply("foreign", namespace=stage.other, metadata={"labels": {"tier": "gold"}})
    await stage.apply("plain")
    await stage.apply("gold", metadata={"labels": {"tier": "gold"}})
    await stage.state("Succeeded", name="gold")
    await controller.create("made")
    assert (await stage.state("Succeeded", name="made"))["metadata"]["labels"]["tier"] == "gold"
    assert "status" not in await stage.get("plain")
    assert "status" not in await stage.get("foreign", namespace=stage.other)


async def test_a_namespace_that_is_deleted_takes_its_work_with_it(everywhere):
    """Events cannot be written in a namespace that is going; the resource must be let go all the same."""
    stage = everywhere
    controller = await stage.make(kubernetes_all_namespaces=True)
    controller.stages.gate.clear()
    await stage.apply(namespace=stage.other, deletionPolicy="Delete")
    running = await stage.state("Running", namespace=stage.other)
    assert condition(running, "Progressing")[0] == "True"
    await stage.hand.call("DELETE", f"/api/v1/namespaces/{stage.other}")
    path = stage.path("demo", stage.other)
    await stage.hand.call("DELETE", path)  # as the namespace controller does

    async def gone():
        try:
            await stage.hand.call("GET", path)
        except errors.NotFound:
            return True
        return False

    await until(gone)
    assert not [entry async for entry in stage.store.list(f"datasets/{running['status']['dataset']}")]


async def test_the_controller_signs_what_it_writes(stage):
    await stage.make()
    await stage.apply()
    done = await stage.state("Succeeded")
    managers = {(one["manager"], one.get("subresource", "")) for one in done["metadata"]["managedFields"]}
    assert {("moviellm-controller", ""), ("moviellm-controller", "status")} <= managers

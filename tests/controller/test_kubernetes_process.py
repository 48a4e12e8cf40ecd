"""Two controllers as processes on a cluster in memory: one leads, is killed, the other goes on."""

import asyncio
import os
import signal
import sys

import yaml
from api_server import ApiServer
from kubernetes_stage import Stage, api_at, condition, free_port, until

from moviellm import rpc
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc

NAMESPACE = "films"


def kubeconfig(path, url):
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "memory",
        "clusters": [{"name": "memory", "cluster": {"server": url}}],
        "contexts": [{"name": "memory", "context": {"cluster": "memory", "user": "me"}}],
        "users": [{"name": "me", "user": {"token": "t"}}],
    }
    path.write_text(yaml.safe_dump(content))
    return path


async def started(tmp_path, config, port):
    nowhere = "127.0.0.1:1"
    environ = os.environ | {
        "KUBECONFIG": str(config),
        "MOVIELLM_STORE_URL": f"file://{tmp_path}/store",
        "MOVIELLM_CONTROLLER_KUBERNETES": "true",
        "MOVIELLM_CONTROLLER_KUBERNETES_NAMESPACE": NAMESPACE,
        "MOVIELLM_CONTROLLER_LISTEN": f"127.0.0.1:{port}",
        "MOVIELLM_CONTROLLER_METRICS_LISTEN": "127.0.0.1:0",
        "MOVIELLM_CONTROLLER_DRAIN_SECONDS": "1",
        "MOVIELLM_CONTROLLER_KUBERNETES_LEASE_SECONDS": "8",
    }
    environ |= {
        f"MOVIELLM_CONTROLLER_{room}": nowhere for room in ("SCRIPTING", "INVERSION", "RENDERING", "QA", "EXPORT")
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "moviellm.controller", env=environ, stderr=asyncio.subprocess.DEVNULL
    )


async def serves(port):
    async with rpc.channel(f"127.0.0.1:{port}") as channel:
        return await rpc.is_serving(channel)


async def test_a_killed_leader_is_followed_by_the_other(tmp_path):
    server = await ApiServer().start()
    hand = api_at(server.url)
    stage = Stage(hand, None, None, NAMESPACE)
    config = kubeconfig(tmp_path / "kubeconfig", server.url)
    ports = [free_port(), free_port()]
    processes = [await started(tmp_path, config, ports[0])]
    try:
        await until(lambda: serves(ports[0]), within=60)
        processes.append(await started(tmp_path, config, ports[1]))
        await stage.apply()
        running = await stage.state("Running")

        async def waiting():
            found = await stage.get()
            return condition(found, "Degraded") == ("True", "SERVICE_UNREACHABLE")

        await until(waiting)
        await until(lambda: serves(ports[1]), within=60)
        async with rpc.channel(f"127.0.0.1:{ports[1]}") as channel:
            stub = pb_grpc.MovieDatasetServiceStub(channel)
            listed = await rpc.call("controller", stub.ListMovieDatasets(pb.ListMovieDatasetsRequest()))
            assert [one.name for one in listed.movie_datasets] == ["movieDatasets/demo"], "the leader answers"
        processes[0].kill()

        async def taken_over():
            return server.get("moviellm-controller", NAMESPACE, "leases")["spec"]["leaseTransitions"] == 1

        await until(taken_over, within=60)
        await until(lambda: serves(ports[1]), within=60)
        await stage.patch(suspend=True)
        stopped = await stage.state("Suspended")
        assert stopped["status"]["acceptedTime"] == running["status"]["acceptedTime"]
        processes[1].send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(processes[1].wait(), 30) == 0
        lease = server.get("moviellm-controller", NAMESPACE, "leases")
        assert lease["spec"]["holderIdentity"] == ""
        assert lease["spec"]["leaseTransitions"] == 1
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()
        await hand.close()
        await server.stop()


async def test_without_a_cluster_the_controller_says_so(tmp_path):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "moviellm.controller",
        env=os.environ
        | {
            "KUBECONFIG": str(tmp_path / "none"),
            "HOME": str(tmp_path),
            "MOVIELLM_STORE_URL": f"file://{tmp_path}/store",
            "MOVIELLM_CONTROLLER_KUBERNETES": "true",
            "MOVIELLM_CONTROLLER_LISTEN": "127.0.0.1:0",
            "MOVIELLM_CONTROLLER_METRICS_LISTEN": "127.0.0.1:0",
        },
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert "there is no cluster to talk to" in said.decode()
    assert "Traceback" not in said.decode()

"""Two controllers as processes on a cluster: one leads, is killed, the other goes on."""

import asyncio
import os
import signal
import sys

import yaml
from kubernetes_stage import condition, until

from moviellm import rpc
from moviellm.rendering.ports import free_port
from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc


def kubeconfig(path, url, *, token="t", **trust):
    """A configuration with one context; `trust` is more about the cluster, such as its certificate authority."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": url, **trust}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "me"}}],
        "users": [{"name": "me", "user": {"token": token}}],
    }
    path.write_text(yaml.safe_dump(content))
    return path


async def started(tmp_path, config, namespace, port):
    """A controller without stage services."""
    nowhere = "127.0.0.1:1"
    environ = os.environ | {
        "KUBECONFIG": str(config),
        "MOVIELLM_STORE_URL": f"file://{tmp_path}/store",
        "MOVIELLM_CONTROLLER_KUBERNETES": "true",
        "MOVIELLM_CONTROLLER_KUBERNETES_NAMESPACE": namespace,
        "MOVIELLM_CONTROLLER_LISTEN": f"127.0.0.1:{port}",
        "MOVIELLM_CONTROLLER_METRICS_LISTEN": "127.0.0.1:0",
        "MOVIELLM_CONTROLLER_DRAIN_SECONDS": "1",
        "MOVIELLM_CONTROLLER_KUBERNETES_LEASE_SECONDS": "15",
    }
    environ |= {
        f"MOVIELLM_CONTROLLER_{room}": nowhere for room in ("SCRIPTING", "INVERSION", "RENDERING", "QA", "EXPORT")
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "moviellm.controller", env=environ, stderr=asyncio.subprocess.DEVNULL
    )


async def serves(port):
    """Whether the replica on the port does the work, or hands it on."""
    async with rpc.channel(f"127.0.0.1:{port}") as channel:
        return await rpc.is_serving(channel)


async def one_is_killed_and_the_other_goes_on(stage, config, tmp_path):
    """The scenario; `config` is the kubeconfig of both replicas."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{stage.namespace}/leases/moviellm-controller"

    async def lease():
        return (await stage.hand.call("GET", path))["spec"]

    ports = [free_port(), free_port()]
    processes = [await started(tmp_path, config, stage.namespace, ports[0])]
    try:
        await until(lambda: serves(ports[0]), within=120)
        processes.append(await started(tmp_path, config, stage.namespace, ports[1]))
        await stage.apply()
        running = await stage.state("Running")

        async def waiting():
            found = await stage.get()
            return condition(found, "Degraded") == ("True", "SERVICE_UNREACHABLE")

        await until(waiting)
        await until(lambda: serves(ports[1]), within=120)
        async with rpc.channel(f"127.0.0.1:{ports[1]}") as channel:
            stub = pb_grpc.MovieDatasetServiceStub(channel)
            listed = await rpc.call("controller", stub.ListMovieDatasets(pb.ListMovieDatasetsRequest()))
            assert [one.name for one in listed.movie_datasets] == ["movieDatasets/demo"], "the leader answers"
        processes[0].kill()

        async def taken_over():
            return (await lease())["leaseTransitions"] == 1

        await until(taken_over, within=120)
        await until(lambda: serves(ports[1]), within=120)
        await stage.patch(suspend=True)
        stopped = await stage.state("Suspended")
        assert stopped["status"]["acceptedTime"] == running["status"]["acceptedTime"]
        processes[1].send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(processes[1].wait(), 30) == 0
        left = await lease()
        assert (left.get("holderIdentity", ""), left["leaseTransitions"]) == ("", 1)
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
                await process.wait()

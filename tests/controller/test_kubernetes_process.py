"""The controller as processes on a cluster in memory, and without any."""

import asyncio
import os
import sys

from api_server import ApiServer
from kubernetes_processes import kubeconfig, one_is_killed_and_the_other_goes_on
from kubernetes_stage import Stage, api_at

NAMESPACE = "films"


async def test_a_killed_leader_is_followed_by_the_other(tmp_path):
    server = await ApiServer().start()
    hand = api_at(server.url)
    config = kubeconfig(tmp_path / "kubeconfig", server.url)
    try:
        await one_is_killed_and_the_other_goes_on(Stage(hand, None, None, NAMESPACE), config, tmp_path)
    finally:
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

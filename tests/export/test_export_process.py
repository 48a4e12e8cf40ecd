"""The service as a process of its own: starts, tells its health, drains; a bad setting is one sentence."""

import asyncio
import os
import re
import signal
import sys

import pytest
from export_fixtures import SPEC, Stage, write_dataset
from grpc_health.v1 import health_pb2, health_pb2_grpc

from moviellm import rpc
from moviellm.artifacts import ArtifactStore
from moviellm.export.servicer import SERVICE
from moviellm.settings import StoreSettings
from moviellm.v1 import export_service_pb2_grpc as pb_grpc


async def start(tmp_path, **environment):
    variables = {
        **os.environ,
        "MOVIELLM_STORE_URL": f"file://{tmp_path}",
        "MOVIELLM_EXPORT_LISTEN": "127.0.0.1:0",
        "MOVIELLM_EXPORT_METRICS_LISTEN": "127.0.0.1:0",
        **environment,
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "moviellm.export", env=variables, stderr=asyncio.subprocess.PIPE
    )


async def port_of(process):
    while line := (await process.stderr.readline()).decode():
        if found := re.search(r'"port": (\d+)', line):
            return int(found.group(1))
    raise AssertionError("the process ended before it listened")


async def until_serving(peer):
    watch = health_pb2_grpc.HealthStub(peer).Watch(health_pb2.HealthCheckRequest(service=SERVICE))
    async for answer in watch:
        if answer.status == health_pb2.HealthCheckResponse.SERVING:
            break
    watch.cancel()


async def test_the_process_exports_and_stops_when_told(tmp_path):
    store = ArtifactStore.open(StoreSettings(url=f"file://{tmp_path}"))
    await write_dataset(store)
    process = await start(tmp_path, NODE_POOL="spot", MOVIELLM_EXPORT_VIDEO_HEIGHT="64")
    try:
        async with rpc.channel(f"127.0.0.1:{await port_of(process)}") as peer:
            await until_serving(peer)
            stage = Stage(store, pb_grpc.ExportServiceStub(peer), tmp_path)
            response = await stage.export_movie(SPEC.movies)
            assert response.work.node_pool == "spot"
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
    assert process.returncode == 0
    assert b'"stopped"' in errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MOVIELLM_EXPORT_MAX_CONCURRENT", "0"),
        ("MOVIELLM_EXPORT_SHARD_MEGABYTES", "many"),
        ("MOVIELLM_EXPORT_LICENSE", "no\nlicence: at all"),
    ],
)
async def test_a_bad_setting_is_one_sentence(tmp_path, name, value):
    process = await start(tmp_path, **{name: value})
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.decode().startswith(f"{name}: ")
    assert len(errors.decode().strip().splitlines()) == 1

"""Ray Serve's proxy with the service's certificate: the server that Ray itself starts, in a process of its own."""

import os
import subprocess
import sys

import grpc
import pytest
from authority import Authority
from grpc_health.v1 import health_pb2, health_pb2_grpc

from moviellm import rpc
from moviellm.rendering.health_port import HealthPort
from moviellm.rendering.ports import free_port
from moviellm.rendering.ray_environment import HOST, TLS_FILES
from moviellm.security.pem import PairFiles
from moviellm.security.secured_channel import PLAIN, Peer

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

PROXY = """
import asyncio, sys
from moviellm.rendering import ray_adaptation
ray_adaptation.adapt()
from ray.serve._private import grpc_util
from ray.serve.config import gRPCOptions

async def main():
    options = gRPCOptions(port=int(sys.argv[1]), grpc_servicer_functions=[])
    loop = asyncio.get_running_loop()
    task, server = await grpc_util.start_grpc_server(lambda *a, **k: None, options, event_loop=loop)
    print("listening", flush=True)
    await task

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("proxy"), "ours")


@pytest.fixture(scope="module")
def proxy(authority):
    """The port of a proxy that wants certificates of its callers."""
    files, port = authority.issue("server"), free_port()
    told = dict(zip(TLS_FILES, (files.certificate, files.key, authority.file), strict=True)) | {HOST: "127.0.0.1"}
    process = subprocess.Popen(
        [sys.executable, "-c", PROXY, str(port)], env=os.environ | told, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "listening\n"
    yield port
    process.kill()
    process.wait()


async def is_answered(port, peer):
    """Whether a call gets any answer of a server that speaks the same language."""
    async with rpc.channel(f"127.0.0.1:{port}", peer) as channel:
        try:
            await channel.unary_unary("/no.such.Service/Method")(b"", timeout=30)
        except grpc.aio.AioRpcError as error:
            return error.code() is not grpc.StatusCode.UNAVAILABLE
    return True


async def test_the_proxy_serves_with_the_certificate_and_wants_one(proxy, authority):
    pair = authority.issue("controller")
    ours = Peer(tls=True, files=PairFiles(pair.certificate, pair.key, authority.file))
    assert await is_answered(proxy, ours)
    assert not await is_answered(proxy, PLAIN)
    assert not await is_answered(proxy, Peer(tls=True, files=PairFiles(authority=authority.file)))


def test_health_is_answered_in_the_clear_and_says_when_the_application_is_there():
    port = HealthPort("127.0.0.1:0")
    with grpc.insecure_channel(f"127.0.0.1:{port.port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        assert stub.Check(health_pb2.HealthCheckRequest(), timeout=10).status == NOT_SERVING
        port.serves()
        assert stub.Check(health_pb2.HealthCheckRequest(), timeout=10).status == SERVING
        port.close()

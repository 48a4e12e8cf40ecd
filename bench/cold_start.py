"""How long a new renderer replica takes until it serves, against loading the same weights in a bare process.

A replica is killed with SIGKILL, as scale-down, spot nodes and crashes do; the time runs until its successor has
painted and answers. The weights lie in the page cache in both cases, and both import what they need anew.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench.figure import Figure
from bench.local_stack import started
from moviellm import rpc
from moviellm.errors import MovieLLMError
from moviellm.v1 import rendering_service_pb2 as pb
from moviellm.v1 import rendering_service_pb2_grpc as pb_grpc

ROUNDS = 3
REPLICA = "ServeReplica:rendering"
BARE = """
import torch
torch.set_num_threads(1)
from diffusers import DiffusionPipeline
from moviellm import pocket
pipe = DiffusionPipeline.from_pretrained(pocket.WEIGHTS, dtype=torch.float32)
pipe(["a picture"] * 8, num_inference_steps=2, height=pocket.SIZE, width=pocket.SIZE)
"""
"""Loads the weights and paints a batch once, as a replica does before it serves."""


def measure() -> list[Figure]:
    """One figure, a round of both in turn."""
    rounds = asyncio.run(_rounds())
    return [
        Figure(
            "cold start of a renderer replica, from the death of the one before",
            "a bare process that loads the weights from the page cache and paints a batch",
            tuple(replica / bare for replica, bare in rounds),
            "of that",
            1.5,
            at_least=False,
            details={"replica_seconds": [r for r, _ in rounds], "bare_seconds": [b for _, b in rounds]},
        )
    ]


async def _rounds() -> list[tuple[float, float]]:
    with tempfile.TemporaryDirectory() as name:
        async with started("rendering", Path(name)) as service, rpc.channel(service.address) as peer:
            _bare()
            found = []
            for _ in range(ROUNDS):
                replica = await _restarted(service.pid, peer)
                found.append((replica, await asyncio.to_thread(_bare)))
            return found


async def _restarted(service: int, peer: object) -> float:
    """Seconds from a replica's death until another one answers."""
    (old,) = replicas(service)
    begun = time.perf_counter()
    os.kill(old, signal.SIGKILL)
    while not (await asyncio.to_thread(replicas, service) not in ([], [old]) and await _answers(peer)):  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    return time.perf_counter() - begun


def replicas(service: int) -> list[int]:
    """Replicas of this service's Ray; its processes hang below the service's."""
    return [
        process.pid
        for process in psutil.Process(service).children(recursive=True)
        if REPLICA in " ".join(_command(process))
    ]


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


async def _answers(peer: object) -> bool:
    stub = pb_grpc.RenderingServiceStub(peer)  # type: ignore[arg-type]
    try:
        call = stub.DescribeRenderer(
            pb.DescribeRendererRequest(), timeout=2.0, metadata=(("application", "rendering"),)
        )
        await rpc.call("rendering", call)
    except MovieLLMError:
        return False
    return True


def _bare() -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", BARE], check=True, capture_output=True)  # noqa: S603
    return time.perf_counter() - begun

"""Services as local processes on free ports, for measurements."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from moviellm import rpc

START_SECONDS = 300.0
"""How long a service may take to serve on a busy machine."""


@dataclass(frozen=True)
class Started:
    """A service that serves: its gRPC address and its process."""

    address: str
    pid: int


def free_port() -> int:
    """A port that is free now, outside the range Ray gives its workers; by chance, for others may look for one too."""
    for port in random.SystemRandom().sample(range(21000, 30000), 1000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


@asynccontextmanager
async def service(room: str, folder: Path, **settings: str) -> AsyncIterator[str]:
    """Run `python -m moviellm.<room>` and give its address once it serves; its log lies in `folder`."""
    async with started(room, folder, **settings) as running:
        yield running.address


@asynccontextmanager
async def started(room: str, folder: Path, **settings: str) -> AsyncIterator[Started]:
    """As `service`, with its process."""
    port = free_port()
    prefix = f"MOVIELLM_{room.upper()}_"
    environment = {
        f"{prefix}LISTEN": f"127.0.0.1:{port}",
        f"{prefix}METRICS_LISTEN": "127.0.0.1:0",
        "MOVIELLM_STORE_URL": f"file://{folder}/store",
        **{f"{prefix}{name.upper()}": value for name, value in settings.items()},
    }
    async with serving([f"moviellm.{room}"], port, folder / f"{room}.log", environment) as running:
        yield running


@asynccontextmanager
async def serving(
    command: Sequence[str], port: int, log_file: Path, environment: dict[str, str] | None = None
) -> AsyncIterator[Started]:
    """Run `python -m <command>` until it says SERVING on `port`, stop it at the end."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MOVIELLM_")}
    with log_file.open("wb") as log:
        process = subprocess.Popen(  # noqa: ASYNC220, S603 -- our own modules
            [sys.executable, "-m", *command], env=inherited | (environment or {}), stdout=log, stderr=log
        )
        try:
            async with asyncio.timeout(START_SECONDS), rpc.channel(f"127.0.0.1:{port}") as peer:
                while not await rpc.is_serving(peer):
                    if process.poll() is not None:
                        raise RuntimeError(f"{command[0]} did not start: see {log.name}")
                    await asyncio.sleep(0.3)
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended at once, and another process answers: see {log.name}")
            yield Started(f"127.0.0.1:{port}", process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.wait, 60)

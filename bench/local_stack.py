"""Services as local processes on free ports, for measurements."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from moviellm import rpc


def free_port() -> int:
    """A port that is free now, outside the range Ray gives its workers."""
    for port in range(21000, 30000):
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
    port = free_port()
    prefix = f"MOVIELLM_{room.upper()}_"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MOVIELLM_")} | {
        f"{prefix}LISTEN": f"127.0.0.1:{port}",
        f"{prefix}METRICS_LISTEN": "127.0.0.1:0",
        "MOVIELLM_STORE_URL": f"file://{folder}/store",
        **{f"{prefix}{name.upper()}": value for name, value in settings.items()},
    }
    with (folder / f"{room}.log").open("wb") as log:
        command = [sys.executable, "-m", f"moviellm.{room}"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: ASYNC220, S603
        try:
            async with asyncio.timeout(180), rpc.channel(f"127.0.0.1:{port}") as peer:
                while not await rpc.is_serving(peer):
                    if process.poll() is not None:
                        raise RuntimeError(f"{room} did not start: see {log.name}")
                    await asyncio.sleep(0.3)
            yield f"127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.wait, 60)

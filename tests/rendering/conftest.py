"""A pipeline of a few thousand random weights, the store, and the real service in its own process."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from authority import Authority

from moviellm import rpc
from moviellm.artifacts import ArtifactStore
from moviellm.rendering.ports import free_port
from moviellm.rendering.ray_guard import processes_of
from moviellm.security.pem import PairFiles
from moviellm.security.secured_channel import PLAIN, Peer
from moviellm.settings import StoreSettings
from moviellm.v1 import rendering_service_pb2 as pb
from moviellm.v1 import rendering_service_pb2_grpc as pb_grpc

START_SECONDS = 280
"""Half a minute on an idle machine of two cores; tests may share theirs with much else."""

APPLICATION = (("application", "rendering"),)


TOKEN = "what-the-parts-tell-each-other"


@pytest.fixture(scope="session")
def tiny():
    import tiny_pipelines
    import torch

    torch.set_num_threads(1)
    return tiny_pipelines


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


def open_store(folder):
    return ArtifactStore.open(StoreSettings(url=f"file://{folder}"))


def order(store, number, **changes):
    values = {
        "number": number,
        "prompt": f"a picture in gothic style {number}",
        "seed": number,
        "uri": store.uri(f"frames/{number:06}.jpg"),
    }
    return pb.PictureOrder(**(values | changes))


@dataclass
class Service:
    """The running service as a client sees it; `peer` is how it is reached."""

    process: subprocess.Popen
    port: int
    metrics_port: int
    folder: Path
    log: Path
    store: ArtifactStore
    peer: Peer = PLAIN

    def channel(self):
        return rpc.channel(f"127.0.0.1:{self.port}", self.peer)

    def orders(self, name, count, **changes):
        return [
            order(self.store, number, uri=self.store.uri(f"{name}/{number:06}.jpg"), **changes)
            for number in range(1, count + 1)
        ]

    async def render(self, orders, *, style=None, characters=(), channel=None, **options):
        """The pictures by number; options are RenderOptions."""
        request = pb.RenderSceneRequest(
            pictures=orders,
            learned_style=style,
            learned_characters=characters,
            options=pb.RenderOptions(**({"steps": 2} | options)),
        )
        async with contextlib.nullcontext(channel) if channel else self.channel() as peer:
            call = pb_grpc.RenderingServiceStub(peer).RenderScene(request, metadata=APPLICATION)
            return {response.picture.number: response.picture async for response in rpc.stream("rendering", call)}

    @property
    def ray_folder(self):
        """Where this service's Ray has its files."""
        (arguments,) = [
            command.split()
            for command in commands(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
            if "ray_guard" in command
        ]
        return arguments[-2]

    def processes(self):
        """Process ids of everything in this service's Ray, with their names."""
        found = processes_of(self.ray_folder, but=self.process.pid)
        return {process: Path(f"/proc/{process}/cmdline").read_text() for process in found}


def commands(children):
    for process in Path(children).read_text().split():
        yield Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")


@pytest.fixture(scope="module")
def service(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rendering")
    tiny.sd().save_pretrained(folder / "tiny")
    authority = Authority(folder, "ours")
    files = authority.issue("server")
    (folder / "token").write_text(TOKEN)
    running = start(
        folder, TLS_CERT_FILE=files.certificate, TLS_KEY_FILE=files.key, SERVICE_TOKEN_FILE=str(folder / "token")
    )
    running.peer = Peer(tls=True, files=PairFiles(authority=authority.file), token=lambda: TOKEN)
    yield running
    assert TOKEN not in running.log.read_text()
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(60)


def start(folder, **settings):
    port, metrics_port = free_port(), free_port()
    variables = {
        "LISTEN": f"127.0.0.1:{port}",
        "METRICS_LISTEN": f"127.0.0.1:{metrics_port}",
        "MODEL": str(folder / "tiny"),
        "DRAIN_SECONDS": "30",
        "MAX_BATCH_SIZE": "4",
        "MAX_WAITING": "300",
    } | settings
    store = open_store(folder / "store")
    environment = os.environ | {f"MOVIELLM_RENDERING_{name}": value for name, value in variables.items()}
    log = folder / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "moviellm.rendering"],
            env=environment | {"MOVIELLM_STORE_URL": store.root, "NODE_POOL": "tests"},
            stdout=file,
            stderr=file,
        )
    give_up = time.monotonic() + START_SECONDS
    while "listening" not in log.read_text():
        if process.poll() is not None or time.monotonic() > give_up:
            process.kill()
            raise AssertionError(log.read_text())
        time.sleep(0.1)
    return Service(process, port, metrics_port, folder, log, store)


@pytest_asyncio.fixture(loop_scope="function")
async def peer(service):
    async with service.channel() as channel:
        yield channel

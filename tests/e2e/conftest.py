"""The whole stack as real processes, started by the command that people use."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

import grpc
import psutil
import pytest
from otlp_collector import collector

from moviellm.v1 import movie_dataset_service_pb2 as pb
from moviellm.v1 import movie_dataset_service_pb2_grpc as pb_grpc

READY_WITHIN = 180
ROOMS = ("controller", "scripting", "inversion", "rendering", "qa", "export")


def free_base_port():
    """A base whose twelve ports (gRPC and metrics of six services) are free, above those Ray gives its workers."""
    for base in range(21000, 30000, 200):
        try:
            for offset in (*range(6), *range(100, 106)):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", base + offset))
        except OSError:
            continue
        return base
    raise RuntimeError("no free ports")


class Stack:
    """`moviellm up` and a client of it."""

    def __init__(self, folder, settings=None):
        self.folder = folder
        self.base = free_base_port()
        self.server = f"127.0.0.1:{self.base}"
        self.log = (folder / "up.log").open("wb")
        command = [sys.executable, "-m", "moviellm.cli", "up", "--base-port", str(self.base), "--data", str(folder)]
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=subprocess.STDOUT, env=environment() | (settings or {})
        )
        self.channel = grpc.insecure_channel(self.server)
        self.stub = pb_grpc.MovieDatasetServiceStub(self.channel)

    def wait_until_ready(self):
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            text = (self.folder / "up.log").read_text(errors="replace")
            if all(re.search(rf"{room} is ready", text) for room in ROOMS):
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.5)
        raise AssertionError(f"the stack did not get ready:\n{text[-4000:]}")

    def members(self):
        """Processes by room; for rendering the one that owns Ray."""
        found = {}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                command = " ".join(child.cmdline())
            except psutil.Error:
                continue
            for room in ROOMS:
                if command.endswith(f"-m moviellm.{room}"):
                    found[room] = child
        return found

    def create(self, identifier, **spec):
        request = pb.CreateMovieDatasetRequest(movie_dataset_id=identifier, spec=pb.MovieDatasetSpec(**spec))
        return self.stub.CreateMovieDataset(request, timeout=30)

    def get(self, identifier):
        return self.stub.GetMovieDataset(pb.GetMovieDatasetRequest(name=f"movieDatasets/{identifier}"), timeout=30)

    def wait(self, identifier, until, seconds=300):
        """Poll through restarts of the controller until the dataset is as wanted."""
        deadline = time.monotonic() + seconds
        dataset = None
        while time.monotonic() < deadline:
            try:
                dataset = self.get(identifier)
                if until(dataset):
                    return dataset
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            time.sleep(0.2)
        raise AssertionError(f"still waiting: {dataset}")

    def finished(self, identifier, seconds=300):
        dataset = self.wait(identifier, lambda d: d.state >= pb.MovieDataset.STATE_SUCCEEDED, seconds)
        assert dataset.state == pb.MovieDataset.STATE_SUCCEEDED, dataset.trouble
        return dataset

    def run(self, *arguments):
        command = [sys.executable, "-m", "moviellm.cli", "--server", self.server, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment())

    def files(self, identifier):
        """Every file of the dataset as it lies in the store: path → bytes."""
        root = self.folder / "store" / "datasets" / identifier / "files"
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    def stop(self):
        self.channel.close()
        family = [self.process.pid, *(c.pid for c in psutil.Process(self.process.pid).children(recursive=True))]
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(90)
        return [pid for pid in family if psutil.pid_exists(pid)]


def environment():
    """This process's environment without settings that would reach into the stack."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MOVIELLM_")}


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """All services; `stack.spans` are those that they sent, as (path, request)."""
    with collector() as (address, received):
        settings = {f"MOVIELLM_{room.upper()}_OTLP_ENDPOINT": address for room in ROOMS}
        running = Stack(tmp_path_factory.mktemp("stack"), settings)
        running.spans = received
        try:
            yield running.wait_until_ready()
        finally:
            if running.process.poll() is None:
                running.stop()


def pytest_configure(config):
    config.addinivalue_line("markers", "ends_the_stack: stops the shared stack, so it comes after all that use it")


def pytest_collection_modifyitems(items):
    for ending in [item for item in items if item.get_closest_marker("ends_the_stack")]:
        items.remove(ending)
        using = [place for place, item in enumerate(items) if "stack" in getattr(item, "fixturenames", ())]
        items.insert(max(using, default=len(items) - 1) + 1, ending)


@pytest.fixture
def stacks():
    """What tests need to start stacks of their own."""
    return sys.modules[__name__]

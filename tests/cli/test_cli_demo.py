"""The demonstration, with a stand-in for the stack: one process that serves a dataset growing by itself."""

import json
import re
import sys
from pathlib import Path

import pytest

from moviellm.cli.connection import connect
from moviellm.cli.demo import asks_the_same, find_or_create
from moviellm.cli.processes import marked
from moviellm.rendering.ports import free_port
from moviellm.v1 import movie_dataset_service_pb2 as pb

State = pb.MovieDataset
CONFTEST = str(Path(__file__).with_name("conftest.py"))

STAND_IN = """
import asyncio, importlib.util, os, sys
from moviellm.v1 import movie_dataset_service_pb2 as pb

spec = importlib.util.spec_from_file_location("double", os.environ["DOUBLE"])
double = importlib.util.module_from_spec(spec)
sys.modules["double"] = double
spec.loader.exec_module(double)

class Growing(double.Library):
    def put(self, dataset):
        super().put(dataset)
        if dataset.state == pb.MovieDataset.STATE_PENDING:
            asyncio.get_running_loop().create_task(self.grow(dataset.name))

    async def grow(self, name):
        for done in (1, 20, 48):
            await asyncio.sleep(0.2)
            self.progress(name, 14, 2, done, 14, 3, titles={1: "The Lamp"})
            if os.environ.get("FAIL"):
                self.change(name, state=pb.MovieDataset.STATE_FAILED)
                return
        self.change(name, state=pb.MovieDataset.STATE_SUCCEEDED)

async def main():
    files = {"index.html": b"<html>", "contact-sheet.jpg": b"jpeg"}
    server = double.server_of(Growing(files=files, page=50), os.environ["LISTEN"])
    await server.run()

asyncio.run(main())
"""

RUN = """
import json, sys
from pathlib import Path
from moviellm.cli.commands import told
from moviellm.cli.connection import run
from moviellm.cli.demo import show_with_stack
from moviellm.cli.settings import ServiceProcess
from moviellm.v1 import movie_dataset_service_pb2 as pb

services = tuple(ServiceProcess(**service) for service in json.loads(sys.argv[1]))
spec = pb.MovieDatasetSpec(theme="a lighthouse", movies=2, chapters=2, scenes=2, frames=6, seed=1)
work = lambda: run(show_with_stack(services, spec, "demo", data=Path("data"), out=Path("out")))
sys.exit(told(work))
"""


@pytest.fixture
def show(moviellm, tmp_path):
    """Run the demonstration as a process."""
    (tmp_path / "growing.py").write_text(STAND_IN)
    address = f"127.0.0.1:{free_port()}"
    environment = {"LISTEN": address, "DOUBLE": CONFTEST}

    async def start(**more):
        service = {
            "name": "controller",
            "module": "growing",
            "address": address,
            "environment": {**environment, **more},
        }
        return await moviellm.start(json.dumps([service]), program=("-c", RUN), PYTHONPATH=str(tmp_path))

    return start


async def test_the_demonstration_prints_what_it_measured_and_where_to_look(moviellm, show, tmp_path):
    result = await moviellm.end(await show())
    assert (result.code, result.err) == (0, "")
    for figure in (
        r"services ready in \d+\.\d s",
        r"first frame on disk after \d+\.\d s",
        r"dataset complete after \d+\.\d s: 2 movies, 48 frames",
    ):
        assert re.search(figure, result.out), result.out
    assert "look at out/demo/index.html" in result.out
    assert "look at out/demo/contact-sheet.jpg" in result.out
    assert (tmp_path / "out/demo/index.html").read_bytes() == b"<html>"
    if sys.platform == "linux":
        assert re.search(r"peak resident memory \d+\.\d MB", result.out), result.out


async def test_a_dataset_that_fails_ends_the_demonstration(moviellm, show, tmp_path):
    result = await moviellm.end(await show(FAIL="1"))
    assert result.code == 1
    assert "Error: demo failed" in result.err
    assert "look at" not in result.out


async def test_ctrl_c_stops_everything(moviellm, show):
    process = await show()
    await moviellm.says(process, "demo is accepted")
    result = await moviellm.interrupt(process)
    assert result.code == 130
    assert "what is made is kept" in result.out
    assert list(marked(f"{process.pid}/")) == []


async def test_a_server_that_runs_already_is_used(moviellm, library, demo, tmp_path):
    library.files = {"index.html": b"<html>"}
    library.change(demo, state=State.STATE_SUCCEEDED)
    result = await moviellm("demo", "--theme", "a lighthouse", "--id", "demo")
    assert (result.code, result.err) == (0, "")
    assert "demo was there already" in result.out
    assert "services ready" not in result.out
    assert "first frame" not in result.out, "nothing was measured"
    assert "look at out/demo/index.html" in result.out


async def test_the_name_is_kept_for_the_same_request_only(library, demo, server):
    spec = pb.MovieDatasetSpec(theme="a lighthouse", movies=2, chapters=2, scenes=2, frames=6, seed=1)
    async with connect(f"127.0.0.1:{server.port}") as client:
        found, is_new = await find_or_create(client, spec, "demo")
        assert (found.name, is_new) == (demo, False)
        library.change(demo, state=State.STATE_FAILED)
        found, _ = await find_or_create(client, spec, "demo")
        assert found.state == State.STATE_RUNNING, "it is set going again"
        spec.seed = 2
        assert [(await find_or_create(client, spec, "demo"))[0].name for _ in range(2)] == [f"{demo}-2"] * 2
        spec.style.preset = "noir"
        assert (await find_or_create(client, spec, "demo"))[0].name == f"{demo}-3"


def test_a_request_may_be_filled_in():
    found = pb.MovieDatasetSpec(theme="x", movies=1, seed=0, style=pb.StyleSpec(preset="noir", description="dark"))
    assert asks_the_same(pb.MovieDatasetSpec(theme="x", style=pb.StyleSpec(preset="noir")), found)
    assert not asks_the_same(pb.MovieDatasetSpec(theme="x", movies=2), found)
    assert not asks_the_same(pb.MovieDatasetSpec(theme="x", style=pb.StyleSpec(preset="gothic")), found)

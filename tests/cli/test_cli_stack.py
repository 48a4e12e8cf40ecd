"""The local stack with small stand-in services, each a real process: readiness, logs, restarts, no orphans."""

import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from moviellm.cli.processes import MARK, resident_bytes
from moviellm.cli.settings import local_services
from moviellm.rendering.ports import free_port

STAND_IN = """
import os, sys
if "EXIT" in os.environ:
    print("the reason is here", file=sys.stderr)
    sys.exit(int(os.environ["EXIT"]))

import asyncio, signal, subprocess
from pathlib import Path
from moviellm import rpc

print("hello from", os.environ["WHO"], flush=True)
if "ORPHAN" in os.environ:
    sleeper = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"], start_new_session=True)
    Path(os.environ["ORPHAN"]).write_text(str(sleeper.pid))

async def main():
    await rpc.Server([], listen=os.environ["LISTEN"], drain_seconds=0).run()

if "STUBBORN" in os.environ:
    async def main():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        server = rpc.Server([], listen=os.environ["LISTEN"])
        await server.start()
        await asyncio.sleep(600)

asyncio.run(main())
print("goodbye", flush=True)
"""

RUN = """
import json, sys
from pathlib import Path
from moviellm.cli.commands import told
from moviellm.cli.connection import run
from moviellm.cli.local_stack import Patience
from moviellm.cli.settings import ServiceProcess
from moviellm.cli.up import run_stack

services = tuple(ServiceProcess(**service) for service in json.loads(sys.argv[1]))
patience = Patience(first_backoff=0.01, longest_backoff=0.05, remains=0.2, stop=float(sys.argv[2]))
sys.exit(told(lambda: run(run_stack(services, data=Path("data"), quiet="quiet" in sys.argv, patience=patience))))
"""


def alive(pid):
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if sys.platform == "linux" else not os.kill(pid, 0)
        )
    except OSError:
        return False


def left_of(process):
    """Processes of the stack that this process ran, wherever they are."""
    mark = f"{MARK}={process.pid}/".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes() and alive(int(entry.name)):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def service(name, **environment):
    port = free_port()
    address = f"127.0.0.1:{port}"
    environment = {"WHO": name, "LISTEN": address, **{key: str(value) for key, value in environment.items()}}
    return {"name": name, "module": "stand_in", "address": address, "ports": [port], "environment": environment}


@pytest.fixture
def stack(moviellm, tmp_path):
    """Run a stack of stand-ins as a process."""
    (tmp_path / "stand_in.py").write_text(STAND_IN)

    async def start(*services, stop=10, options=()):
        arguments = (json.dumps(services), stop, *options)
        return await moviellm.start(*arguments, program=("-c", RUN), PYTHONPATH=str(tmp_path))

    return start


async def test_services_start_show_their_logs_hold_their_folder_and_stop(moviellm, stack, tmp_path):
    process = await stack(service("first"), service("second"))
    read = "".join(await moviellm.says(process, "Ctrl-C stops everything"))
    assert "     first │ hello from first" in read
    assert "    second │ hello from second" in read
    assert "first is ready at 127.0.0.1:" in read
    assert "all services are ready after" in read
    running = left_of(process)
    assert len(running) == 2
    assert resident_bytes(running) > 10_000_000
    second = await moviellm("up", "--data", "data")
    assert second.code == 1
    assert f"Error: data is in use by the stack of process {process.pid}" in second.err
    result = await moviellm.interrupt(process)
    assert result.code == 0
    assert result.out.splitlines()[-1] == "stopped"
    assert result.out.index("second │ goodbye") < result.out.index("first │ goodbye"), "in reverse order"
    assert left_of(process) == []
    log = (tmp_path / "data/logs/first.log").read_text()
    assert "hello from first" in log
    assert log.endswith("goodbye\n")


async def test_quietly_and_nothing_that_a_service_started_outlives_the_stack(moviellm, stack, tmp_path):
    process = await stack(service("parent", ORPHAN=tmp_path / "orphan.pid"), options=["quiet"])
    read = "".join(await moviellm.says(process, "Ctrl-C stops everything"))
    assert "hello" not in read
    assert "hello from parent" in (tmp_path / "data/logs/parent.log").read_text()
    orphan = int((tmp_path / "orphan.pid").read_text())
    assert alive(orphan)
    assert len(left_of(process)) == 2
    process.terminate()
    assert (await moviellm.end(process)).code == 0
    assert not alive(orphan)
    assert left_of(process) == []


async def test_a_service_that_ignores_sigterm_is_killed_after_the_drain_time(moviellm, stack):
    process = await stack(service("stubborn", STUBBORN=1), stop=0.5)
    await moviellm.says(process, "Ctrl-C stops everything")
    assert (await moviellm.interrupt(process)).code == 0
    assert left_of(process) == []


async def test_a_second_ctrl_c_does_not_wait(moviellm, stack):
    process = await stack(service("stubborn", STUBBORN=1), stop=300)
    await moviellm.says(process, "Ctrl-C stops everything")
    process.send_signal(signal.SIGINT)
    await moviellm.says(process, "stopping")
    assert (await moviellm.interrupt(process)).code == 0
    assert left_of(process) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
async def test_services_stop_when_the_stack_itself_is_killed(moviellm, stack):
    process = await stack(service("first"))
    await moviellm.says(process, "Ctrl-C stops everything")
    assert left_of(process)
    process.kill()
    await moviellm.until(lambda: not left_of(process))


async def test_a_service_that_dies_is_started_again_without_its_remains(moviellm, stack, tmp_path):
    process = await stack(service("mortal", ORPHAN=tmp_path / "orphan.pid"))
    await moviellm.says(process, "Ctrl-C stops everything")
    orphan = int((tmp_path / "orphan.pid").read_text())
    (mortal,) = (pid for pid in left_of(process) if pid != orphan)
    os.kill(mortal, signal.SIGKILL)
    await moviellm.says(process, "mortal ended with signal SIGKILL; it is started again")
    await moviellm.says(process, "mortal is ready again")
    assert not alive(orphan)
    assert len(left_of(process)) == 2
    process.terminate()
    assert (await moviellm.end(process)).code == 0
    assert left_of(process) == []


async def test_a_service_that_dies_again_and_again_stops_everything(moviellm, stack):
    process = await stack(service("healthy"), service("sick", EXIT=3), options=["quiet"])
    result = await moviellm.end(process)
    assert result.code == 1
    assert result.out.count("sick ended with exit code 3; it is started again") == 5
    assert "the reason is here" in result.err
    assert "data/logs/sick.log" in result.err
    assert "Error: sick ended 6 times within 60 s, last with exit code 3" in result.err
    assert left_of(process) == []


async def test_bad_settings_are_not_tried_again(moviellm, stack):
    process = await stack(service("misled", EXIT=2))
    result = await moviellm.end(process)
    assert result.code == 1
    assert "started again" not in result.out
    assert "misled │ the reason is here" in result.out
    assert "the reason is here" not in result.err, "it was shown already"
    assert "Error: misled refuses to start with its settings (exit code 2)" in result.err


async def test_a_port_in_use_is_named(moviellm, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = await moviellm("up", "--base-port", port, "--only", "controller")
    assert result.code == 1
    assert f"Error: port {port}, which controller needs, is in use" in result.err
    assert "--base-port" in result.err


def test_the_stack_is_data():
    services = local_services(9000, Path("/data"), (), {})
    assert [service.name for service in services] == [
        "scripting",
        "inversion",
        "rendering",
        "qa",
        "export",
        "controller",
    ]
    assert [service.address.rpartition(":")[2] for service in services] == [
        "9001",
        "9002",
        "9003",
        "9004",
        "9005",
        "9000",
    ]
    controller = services[-1]
    assert controller.module == "moviellm.controller"
    assert controller.ports == (9000, 9100)
    assert controller.environment == {
        "MOVIELLM_CONTROLLER_LISTEN": "127.0.0.1:9000",
        "MOVIELLM_CONTROLLER_METRICS_LISTEN": "127.0.0.1:9100",
        "MOVIELLM_CONTROLLER_LOG_FORMAT": "console",
        "MOVIELLM_CONTROLLER_DRAIN_SECONDS": "5",
        "MOVIELLM_CONTROLLER_SCRIPTING": "127.0.0.1:9001",
        "MOVIELLM_CONTROLLER_INVERSION": "127.0.0.1:9002",
        "MOVIELLM_CONTROLLER_RENDERING": "127.0.0.1:9003",
        "MOVIELLM_CONTROLLER_QA": "127.0.0.1:9004",
        "MOVIELLM_CONTROLLER_EXPORT": "127.0.0.1:9005",
        "MOVIELLM_STORE_URL": "file:///data/store",
        "PYTHONUNBUFFERED": "1",
    }


def test_what_the_user_has_set_is_respected():
    environ = {
        "MOVIELLM_STORE_URL": "s3://bucket/films",
        "MOVIELLM_QA_LOG_FORMAT": "json",
        "MOVIELLM_CONTROLLER_RENDERING": "gpu-box:8603",
        "MOVIELLM_CONTROLLER_QA": "elsewhere:1",
    }
    qa, controller = local_services(8600, Path("data"), ("controller", "qa"), environ)
    assert "MOVIELLM_STORE_URL" not in qa.environment
    assert "MOVIELLM_QA_LOG_FORMAT" not in qa.environment
    assert "MOVIELLM_CONTROLLER_RENDERING" not in controller.environment
    assert controller.environment["MOVIELLM_CONTROLLER_QA"] == "127.0.0.1:8604", "it is started here"
    assert controller.environment["MOVIELLM_CONTROLLER_EXPORT"] == "127.0.0.1:8605"

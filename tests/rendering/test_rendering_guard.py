"""What is left of a Ray when its service dies, ports, and settings: without any Ray."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from moviellm.errors import Unavailable
from moviellm.rendering.ports import free_port, wait_until_free
from moviellm.rendering.ray_guard import processes_of
from moviellm.rendering.settings import RenderingSettings

SERVICE = """
import subprocess, sys
from moviellm.rendering.ray_guard import RayGuard
guard = RayGuard()
log = open(guard.folder + "/log", "w")
command = [sys.executable, "-c", "import signal, time; signal.signal(15, lambda *_: None); time.sleep(600)"]
child = subprocess.Popen(command, stdout=log, env={})
print(guard.folder, child.pid, flush=True)
if sys.argv[1] == "close":
    guard.close()
    print("closed", flush=True)
sys.stdin.read()
"""


def service(ending):
    process = subprocess.Popen(
        [sys.executable, "-c", SERVICE, ending], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    folder, child = process.stdout.readline().split()
    return process, Path(folder), int(child)


def wait_until_gone(folder, child):
    done = threading.Event()
    for _ in range(600):
        if not folder.exists() and not Path(f"/proc/{child}/cwd").exists():
            return
        done.wait(0.05)
    raise AssertionError(list(processes_of(str(folder), but=0)))


def test_nothing_is_left_of_a_killed_service():
    process, folder, child = service("live")
    assert child in processes_of(str(folder), but=0)
    process.kill()
    process.wait()
    wait_until_gone(folder, child)


def test_closing_the_guard_ends_rays_processes_but_not_the_service():
    process, folder, _ = service("close")
    assert process.stdout.readline() == "closed\n"
    assert not folder.exists()
    assert list(processes_of(str(folder), but=process.pid)) == []
    assert process.poll() is None
    process.communicate()
    assert process.returncode == 0


def test_a_port_is_waited_for():
    port = free_port()
    with socket.socket() as predecessor:
        predecessor.bind(("127.0.0.1", port))
        predecessor.listen()
        with pytest.raises(Unavailable, match=f"cannot listen on 127.0.0.1:{port}: is another process using it"):
            wait_until_free("127.0.0.1", port, within=0.0)
        timer = threading.Timer(0.3, predecessor.close)
        timer.start()
        wait_until_free("127.0.0.1", port, within=20.0)
        timer.join()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MAX_BATCH_SIZE", "0", "MOVIELLM_RENDERING_MAX_BATCH_SIZE: Input should be greater than or equal to 1"),
        ("DEVICE", "tpu", "MOVIELLM_RENDERING_DEVICE: Input should be 'auto', 'cpu' or 'cuda'"),
        ("DEVICE", "cuda", "device cuda needs MOVIELLM_RENDERING_GPUS_PER_REPLICA above 0"),
        ("LISTEN", "nowhere", "MOVIELLM_RENDERING_LISTEN: String should match"),
        ("REPLICAS", "-1", "MOVIELLM_RENDERING_REPLICAS: Input should be greater than or equal to 1"),
    ],
)
def test_a_bad_setting_is_one_sentence(monkeypatch, capsys, name, value, sentence):
    monkeypatch.setenv(f"MOVIELLM_RENDERING_{name}", value)
    with pytest.raises(SystemExit) as caught:
        RenderingSettings.load()
    assert caught.value.code == 2
    printed = capsys.readouterr().err
    assert sentence in printed
    assert len(printed.splitlines()) == 1


@pytest.mark.parametrize("name", ["SCORER", "SAFETY_CHECKER"])
def test_a_scorer_or_checker_that_is_not_there_is_one_sentence_at_start(name, tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "moviellm.rendering"],
        env=os.environ | {f"MOVIELLM_RENDERING_{name}": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert result.stderr.startswith(f"MOVIELLM_RENDERING_{name}: there is no s")
    assert str(tmp_path) in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_port_in_use_is_one_sentence():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        program = "from moviellm.rendering import __main__ as m; m.PREDECESSOR_SECONDS = 0.0; m.main()"
        result = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"MOVIELLM_RENDERING_LISTEN": address},
            capture_output=True,
            text=True,
        )
    assert result.returncode == 1, "whoever starts it tries again: what holds the port may be dying"
    assert result.stderr == f"cannot listen on {address}: is another process using it?\n"


def test_the_guard_outlives_signals_to_the_services_group():
    process, folder, child = service("live")
    os.kill(process.pid, signal.SIGINT)
    process.wait()
    wait_until_gone(folder, child)

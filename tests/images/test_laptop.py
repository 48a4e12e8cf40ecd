"""`make up`, `make status` and `make down`, with stand-ins for the programs that they drive."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from moviellm.rendering.ports import free_port

ROOT = Path(__file__).parents[2]
LOCAL = ROOT / "deploy" / "local"
STAND_IN = Path(__file__).with_name("stand_in.py")
PROGRAMS = ("docker", "kind", "kubectl", "helm")
SERVICES = ("controller", "scripting", "qa", "export", "cli", "inversion", "rendering")


class World:
    """A machine on which the stand-ins are installed."""

    def __init__(self, folder):
        self.folder = folder
        self.port, self.grafana = free_port(), free_port()
        self.programs = folder / "bin"
        self.programs.mkdir()
        for name in PROGRAMS:
            self.install(name)
        for name in ("git", "ps", "sh", "tar", "sleep", "env"):
            (self.programs / name).symlink_to(shutil.which(name))
        (self.programs / "python3").symlink_to(sys.executable)

    def install(self, name):
        source = STAND_IN.read_text().partition("\n")[2]
        (self.programs / name).write_text(f"#!{sys.executable} -IS\n{source}")
        (self.programs / name).chmod(0o755)

    def run(self, script, *words, **environ):
        environ = {
            "PATH": str(self.programs),
            "WORLD": str(self.folder),
            "DATA": str(self.folder / "data"),
            "OUT": str(self.folder / "out"),
            "PORT": str(self.port),
            "GRAFANA_PORT": str(self.grafana),
            "TAG": "0123456789ab",
            **environ,
        }
        (self.folder / "calls").unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, LOCAL / script, *words],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def calls(self, *start):
        path = self.folder / "calls"
        calls = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [call for call in calls if call[: len(start)] == list(start)]

    def write(self, name, *lines):
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines))

    def read(self, name):
        return (self.folder / name).read_text().splitlines()


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    if (tmp_path / "clusters").exists():
        made.run("cluster.py", "down")


def wait_until(holds):
    for _ in range(300):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail("it does not come to pass")


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_everything_that_is_missing_is_named_with_its_remedy(world):
    for name in PROGRAMS:
        (world.programs / name).unlink()
    done = world.run("cluster.py", "up")
    assert done.returncode == 2
    told = done.stderr.splitlines()
    missing = [name for name in PROGRAMS if name != "helm" or not (ROOT / ".tools" / "helm").exists()]
    assert sorted(line.split()[0] for line in told) == sorted(missing)
    assert all("install" in line for line in told)


def test_a_docker_that_does_not_answer_is_told_from_one_that_is_missing(world):
    world.write("refuse", "docker info")
    done = world.run("cluster.py", "up")
    assert done.returncode == 2
    assert done.stderr.startswith("docker is installed but its daemon does not answer; start it (docker refuses)")


def test_there_is_no_status_without_a_cluster(world):
    nothing = world.run("cluster.py", "status")
    assert (nothing.returncode, nothing.stderr) == (1, "there is no cluster; make up makes one\n")


def test_the_life_of_a_cluster(world):
    """One story, since bringing it up takes most of the time."""
    goes_from_nothing_to_a_dataset(world)
    opens_a_door_again_when_its_pod_goes(world)
    makes_nothing_twice(world)
    says_how_it_is(world)
    leaves_what_was_fetched_and_nothing_else(world)


def goes_from_nothing_to_a_dataset(world):
    done = world.run("cluster.py", "up", MONITORING="1", THEME="two rival chefs")
    assert done.returncode == 0, done.stderr

    names = [f"moviellm-{service}:0123456789ab" for service in SERVICES]
    assert world.read("images") == ["python:3.11-slim-bookworm", *names]
    assert [call[3] for call in world.calls("kind", "load", "docker-image")] == names
    [create] = world.calls("kind", "create", "cluster")
    config = yaml.safe_load(Path(create[create.index("--config") + 1]).read_text())
    pools = [node.get("labels", {}).get("moviellm.dev/node-pool") for node in config["nodes"]]
    assert pools == [None, "general", "painting"]
    mounts = {mount["hostPath"] for node in config["nodes"][1:] for mount in node["extraMounts"]}
    assert mounts == {str(world.folder / "data" / "store")}
    installed = [call[call.index("--install") + 1] for call in world.calls("helm")]
    assert installed == ["monitoring", "moviellm"], "the chart looks whether Prometheus' resources are known"
    assert world.calls("helm")[1][-1] == "image.tag=0123456789ab"
    [ask] = [call for call in world.calls("kubectl") if "demo" in call]
    assert "two rival chefs" in ask
    client = yaml.safe_load(json.loads(world.read("applied")[-1]))
    assert client["spec"]["containers"][0]["image"] == "moviellm-cli:0123456789ab"
    assert (world.folder / "out" / "first" / "index.html").read_text() == "films"

    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines if " is ready after " in line] == ["moviellm-qa", "moviellm-rendering"]
    assert f"gRPC address    127.0.0.1:{world.port}" in lines
    assert f"preview         {world.folder}/out/first/index.html" in lines
    assert f"Grafana         http://127.0.0.1:{world.grafana}  user admin, password sesame" in lines
    assert is_open(world.port)


def opens_a_door_again_when_its_pod_goes(world):
    loop = int((world.folder / "data" / "forward-moviellm-controller.pid").read_text().splitlines()[0])
    asked = subprocess.run(["ps", "-o", "pid=,pgid=", "-A"], capture_output=True, text=True, check=True)
    group = [int(pid) for pid, pgid in map(str.split, asked.stdout.splitlines()) if int(pgid) == loop]
    [forward] = [number for number in group if number != loop]
    os.kill(forward, signal.SIGKILL)
    wait_until(lambda: not is_open(world.port))
    wait_until(lambda: is_open(world.port))


def makes_nothing_twice(world):
    done = world.run("cluster.py", "up", MONITORING="1")
    assert done.returncode == 0, done.stderr
    assert not world.calls("docker", "build")
    assert not world.calls("kind", "create")
    assert not [call for call in world.calls("kubectl") if "port-forward" in call]


def says_how_it_is(world):
    done = world.run("cluster.py", "status")
    assert done.returncode == 0
    assert f"127.0.0.1:{world.port} leads to moviellm-controller" in done.stdout
    assert [call for call in world.calls("kubectl") if "moviedatasets" in call]


def leaves_what_was_fetched_and_nothing_else(world):
    done = world.run("cluster.py", "down")
    assert done.returncode == 0, done.stderr
    assert not is_open(world.port)
    assert not list((world.folder / "data").iterdir())
    assert not (world.folder / "clusters").exists()
    assert (world.folder / "out" / "first" / "index.html").exists()
    order = [call[:2] for call in world.calls() if call[:2] in (["docker", "exec"], ["kind", "delete"])]
    assert order == [["docker", "exec"], ["kind", "delete"]], "the store's files are nobody's on this machine"
    assert world.run("cluster.py", "down").returncode == 0, "with nothing left to remove"


def test_a_port_in_use_is_said_before_it_is_taken_for_ours(world):
    with socket.create_server(("127.0.0.1", world.port)):
        done = world.run("cluster.py", "up")
    assert done.returncode == 1
    assert (
        done.stderr
        == f"port {world.port} of this machine is in use; choose another one: PORT={world.port + 1000} make up\n"
    )
    assert not world.calls("docker", "build")


def test_a_step_that_fails_ends_it_with_its_command(world):
    world.write("refuse", "kind load")
    done = world.run("cluster.py", "up")
    assert done.returncode == 1
    assert "exit code 1 from: kind load docker-image moviellm-controller:0123456789ab --name moviellm" in done.stderr
    assert not world.calls("helm")


def test_images_are_built_on_one_base_with_the_indexes_of_the_environment(world):
    done = world.run(
        "images.py",
        "qa",
        PIP_INDEX_URL="https://pip.example/simple",
        PIP_FIND_LINKS="/a/folder",
        DOCKER_BUILD_OPTIONS="--network host",
    )
    assert done.returncode == 0, done.stderr
    [build] = world.calls("docker", "build")
    given = dict(build[place + 1].split("=", 1) for place, word in enumerate(build) if word == "--build-arg")
    assert given == {
        "BASE": "python@sha256:ab",
        "SERVICE": "qa",
        "REVISION": "0123456789ab",
        "PIP_INDEX_URL": "https://pip.example/simple",
    }
    assert "org.opencontainers.image.base.digest=sha256:ab" in build
    assert build[-3:] == ["--network", "host", "."]
    assert done.stdout.splitlines()[-1] == "moviellm-qa:0123456789ab"


def test_images_for_gpus_have_their_own_recipe_and_names(world):
    assert world.run("images.py", "--gpu", "--latest").returncode == 0
    assert {call[3] for call in world.calls("docker", "build")} == {"docker/gpu.Dockerfile"}
    assert ["docker", "tag", "moviellm-rendering-gpu:0123456789ab", "moviellm-rendering-gpu:0.1.0"] in world.calls()


def test_services_without_that_recipe_are_refused(world):
    done = world.run("images.py", "--gpu", "qa")
    assert done.returncode == 2
    assert "'qa' is none of inversion, rendering" in done.stderr


@pytest.fixture
def local(monkeypatch):
    monkeypatch.syspath_prepend(str(LOCAL))
    for name in ("commands", "images", "needs", "progress"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_tag_means_one_state_of_the_sources(local, tmp_path):
    import images

    def git(*words):
        subprocess.run(["git", "-C", tmp_path, "-c", "user.name=n", "-c", "user.email=e@x", *words], check=True)

    git("init", "--quiet")
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "a.py").write_text("1")
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    clean = images.tag_of_sources(tmp_path)
    (tmp_path / "notes.txt").write_text("no part of an image")
    assert images.tag_of_sources(tmp_path) == clean
    (tmp_path / "services" / "b.py").write_text("2")
    second = images.tag_of_sources(tmp_path)
    (tmp_path / "services" / "b.py").write_text("3")
    assert len({clean, second, images.tag_of_sources(tmp_path)}) == 3
    assert second.startswith(f"{clean}-")


def test_waiting_ends_with_what_the_pods_wait_for(local, world, monkeypatch):
    import progress

    pod = {
        "metadata": {"name": "moviellm-rendering-1"},
        "status": {
            "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes: Insufficient memory"}]
        },
    }
    late = {"metadata": {"name": "moviellm-rendering"}, "spec": {"replicas": 1}, "status": {}}
    kubectl = world.programs / "kubectl"
    for kind, item in (("deployments", late), ("pods", pod)):
        world.write(kind, json.dumps({"items": [item]}))
    kubectl.write_text(f'#!/bin/sh\ncat "{world.folder}/$4"\n')
    seconds = iter(range(0, 10_000, 400))
    with pytest.raises(progress.NotReady, match=r"(?s)rendering.*rendering-1: 0/3 nodes: Insufficient memory"):
        progress.until_ready([str(kubectl)], "films", say=print, clock=lambda: next(seconds), sleep=lambda _: None)

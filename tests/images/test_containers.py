"""The images as they are built, and the whole pipeline in containers: `make images-test`, which needs Docker.

The base comes from a registry, or is a stand-in where BASE_IMAGE or a local image of that name says so.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("controller", "scripting", "qa", "export", "inversion", "rendering")
SMALL = ("controller", "scripting", "qa")
IMAGES = (*SERVICES, "cli")
SEALED = ["--read-only", "--tmpfs", "/tmp:mode=1777", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
COMPOSE = ["docker", "compose"], ["docker-compose"]
WHOLE_BUILD = 3000
READY_SECONDS = 600

pytestmark = pytest.mark.skipif(not os.environ.get("MOVIELLM_IMAGE_TESTS"), reason="needs Docker: make images-test")


def answer(*words, **environ):
    done = subprocess.run(
        list(map(str, words)), cwd=ROOT, env=os.environ | environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def inspected(name):
    return json.loads(answer("docker", "inspect", name))[0]


def inside(image, code, *options):
    return answer("docker", "run", "--rm", *SEALED, "--network", "none", *options, image, "python", "-c", code)


def build(*words, **environ):
    """The names of the images, as the script prints them last."""
    told = answer(sys.executable, ROOT / "deploy" / "local" / "images.py", *words, **environ)
    return [line for line in told.splitlines() if line.startswith("moviellm-") and " " not in line]


@pytest.fixture(scope="module")
def names():
    return dict(zip(IMAGES, build(*IMAGES), strict=True))


@pytest.fixture(scope="module")
def tag(names):
    return names["cli"].partition(":")[2]


@pytest.mark.timeout(WHOLE_BUILD)
def test_what_carries_no_model_is_small(names):
    sizes = {service: inspected(names[service])["Size"] / 1e6 for service in IMAGES}
    print({service: f"{size:.0f} MB" for service, size in sizes.items()})
    assert {service: size for service, size in sizes.items() if service in SMALL and size > 250} == {}


WHAT_IS_INSIDE = """
import importlib.util, json, os, pathlib, shutil, sysconfig

def is_for_this_python(path):
    try:
        compile(path.read_bytes(), path, "exec")
    except SyntaxError:
        return False
    return True

packages = pathlib.Path(sysconfig.get_path("purelib"))
cached = importlib.util.cache_from_source
bare = [path for path in packages.rglob("*.py") if not os.path.exists(cached(str(path)))]
print(json.dumps({
    "ids": [os.getuid(), os.getgid()],
    "tools": [t for t in ("cc", "gcc", "make", "ld") if shutil.which(t)],
    "pip": importlib.util.find_spec("pip") is not None,
    "torch": importlib.util.find_spec("torch") is not None,
    "bare": [str(path) for path in bare if is_for_this_python(path)],
    "weights": (packages / "moviellm/pocket/weights").exists(),
    "writable": [p for p in ("/", "/opt/moviellm", str(packages), "/etc", "/tmp") if os.access(p, os.W_OK)],
}))
"""


@pytest.mark.parametrize("service", IMAGES)
def test_an_image_has_what_it_needs_and_no_more(names, service):
    found = json.loads(inside(names[service], WHAT_IS_INSIDE))
    paints = service in ("inversion", "rendering")
    assert found == {
        "ids": [65532, 65532],
        "tools": [],
        "pip": False,
        "torch": paints,
        "bare": [],
        "weights": paints,
        "writable": ["/tmp"],
    }


@pytest.mark.parametrize("service", IMAGES)
def test_an_image_says_what_it_is(names, tag, service):
    config = inspected(names[service])["Config"]
    assert config["User"] == "65532:65532"
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
    assert labels["title"] == f"moviellm-{service}"
    assert labels["revision"] == tag
    assert labels["base.name"]


EVERY_FILE = """
import hashlib, pathlib
for root in ("/opt/moviellm", "/var/lib/moviellm"):
    for path in sorted([pathlib.Path(root), *pathlib.Path(root).rglob("*")]):
        about = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        print(path, about.st_uid, about.st_gid, oct(about.st_mode), about.st_mtime_ns, digest)
"""


@pytest.mark.timeout(WHOLE_BUILD)
def test_the_same_sources_give_the_same_files(names):
    """To the byte, owner, mode and second; Docker itself dates only the folders that it puts them into."""
    files = inside(names["cli"], EVERY_FILE)
    assert files.count("\n") > 1000
    options = f"{os.environ.get('DOCKER_BUILD_OPTIONS', '')} --no-cache"
    [again] = build("cli", TAG="again", DOCKER_BUILD_OPTIONS=options)
    try:
        assert inside(again, EVERY_FILE) == files
    finally:
        answer("docker", "image", "rm", again)


@pytest.fixture(scope="module")
def compose(tag):
    """A way to call compose on the whole system, which is up and healthy; removed afterwards with its volume."""
    program = next(
        (
            words
            for words in COMPOSE
            if subprocess.run([*words, "version"], capture_output=True, check=False).returncode == 0
        ),
        None,
    )
    if program is None:
        pytest.fail("needs the compose plugin, or docker-compose")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    project = f"moviellm-test-{secrets.token_hex(3)}"

    def call(*words):
        return answer(*program, "--project-name", project, *words, MOVIELLM_TAG=tag, MOVIELLM_PORT=str(port))

    call.port = port
    call.container = lambda service: call("ps", "--quiet", service).strip()
    try:
        began = time.monotonic()
        call("up", "--detach", "--no-build")
        wait_until_healthy(call)
        print(f"all services are healthy after {time.monotonic() - began:.0f} s")
        yield call
    finally:
        call("down", "--volumes", "--timeout", "10")


def wait_until_healthy(call):
    end = time.monotonic() + READY_SECONDS
    waiting = {service: call.container(service) for service in SERVICES}
    while waiting:
        for service, container in list(waiting.items()):
            state = inspected(container)["State"]
            assert state["Running"], answer("docker", "logs", "--tail", "50", container)
            if state["Health"]["Status"] == "healthy":
                del waiting[service]
        assert time.monotonic() < end, (
            f"not healthy: {sorted(waiting)}\n{[inspected(one)['State'] for one in waiting.values()]}"
        )
        time.sleep(1)


@pytest.mark.timeout(WHOLE_BUILD)
def test_the_whole_pipeline_runs_in_containers(compose, tmp_path):
    began = time.monotonic()
    size = ["--movies", "1", "--chapters", "1", "--scenes", "1", "--frames", "4"]
    compose(
        "run",
        "--rm",
        "cli",
        "create",
        "--id",
        "one",
        "--theme",
        "a lighthouse keeper who finds a message",
        *size,
        "--watch",
    )
    print(f"a scene of 4 frames after {time.monotonic() - began:.0f} s")

    command = [sys.executable, "-m", "moviellm.cli", "--server", f"127.0.0.1:{compose.port}"]
    answer(*command, "download", "one", "--out", tmp_path)
    assert len(list(tmp_path.rglob("frames/**/*.jpg"))) >= 4
    assert list(tmp_path.rglob("*.mp4"))
    assert (tmp_path / "one" / "index.html").exists()


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_keeps_to_what_it_may(compose, service):
    container = inspected(compose.container(service))
    assert container["HostConfig"]["ReadonlyRootfs"] is True
    assert container["RestartCount"] == 0
    published = [one for ports in container["NetworkSettings"]["Ports"].values() for one in ports or []]
    assert {one["HostIp"] for one in published} <= {"127.0.0.1"}
    assert bool(published) == (service == "controller")


def test_every_service_ends_by_itself_when_told_to(compose):
    containers = {service: compose.container(service) for service in SERVICES}
    compose("stop", "--timeout", "60")
    assert {service: inspected(one)["State"]["ExitCode"] for service, one in containers.items()} == dict.fromkeys(
        SERVICES, 0
    )


@pytest.mark.timeout(WHOLE_BUILD)
def test_an_image_for_gpus_answers_the_probes_of_kuberay(names):
    """Torch may be any, since what is asked of Ray needs no GPU."""
    options = f"{os.environ.get('DOCKER_BUILD_OPTIONS', '')} --build-arg WANTS_CUDA=any"
    [image] = build("rendering", "--gpu", DOCKER_BUILD_OPTIONS=options)
    head = answer(
        "docker", "run", "--detach", *SEALED, "--shm-size", "256m", image,
        "bash", "-lc", "ulimit -n 65536; ray start --head --block --dashboard-host 0.0.0.0 --num-cpus 1",
    ).strip()  # fmt: skip
    try:
        for address in ("localhost:8265/api/gcs_healthz", "localhost:52365/api/local_raylet_healthz"):
            probe = f"wget --tries 1 -T 2 -q -O- http://{address} | grep success"
            end = time.monotonic() + 120
            while subprocess.run(
                ["docker", "exec", head, "bash", "-c", probe], capture_output=True, check=False
            ).returncode:
                assert time.monotonic() < end, answer("docker", "logs", "--tail", "50", head)
                time.sleep(1)
    finally:
        answer("docker", "rm", "--force", head)

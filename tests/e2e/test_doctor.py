"""`moviellm doctor` on a deployment of real processes, whole and broken."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

pytestmark = pytest.mark.timeout(400)


def doctor(server, *options, environment):
    command = [sys.executable, "-m", "moviellm.cli", "--server", server, "doctor", "--json", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    findings = {(found["part"], found["check"]): found for found in json.loads(ended.stdout)}
    return ended.returncode, findings


@pytest.fixture
def broken(tmp_path, stacks):
    """Controller, questions, and scripting with a language model where nobody listens; the other services are missing.

    Yields the server's address, the folder and the environment.
    """
    base = stacks.free_base_port()
    environment = stacks.environment() | {
        "MOVIELLM_SCRIPTING_WRITER": "openai",
        "MOVIELLM_SCRIPTING_LLM_BASE_URL": "http://127.0.0.1:9/v1",
        "MOVIELLM_SCRIPTING_LLM_MODEL": "some-model",
    }
    command = [sys.executable, "-m", "moviellm.cli", "up", "--base-port", str(base), "--data", str(tmp_path)]
    command += ["--only", "controller", "--only", "scripting", "--only", "qa"]
    with (tmp_path / "up.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    server = f"127.0.0.1:{base}"
    try:
        for port in (base, base + 1, base + 4):
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                grpc.channel_ready_future(channel).result(100)
        yield server, tmp_path, environment
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def test_it_says_what_is_broken_and_what_to_do(broken):
    server, folder, environment = broken
    code, found = doctor(server, environment=environment)
    assert code == 1
    assert {found[part]["verdict"] for part in [("store", "write, read, remove"), ("controller", "figures")]} == {"ok"}
    assert (found["qa", "health"]["verdict"], found["qa", "contract"]["message"]) == ("ok", "it speaks our version")
    scripting = found["scripting", "health"]
    assert scripting["verdict"] == "failed"
    assert "http://127.0.0.1:9/v1" in scripting["message"]
    for part in ("inversion", "rendering", "export"):
        assert found[part, "health"]["verdict"] == "failed"
        assert "nobody answers at 127.0.0.1:" in found[part, "health"]["message"]
        assert found[part, "health"]["remedy"].startswith("start the service")
    assert found["rendering", "a picture"]["verdict"] == "failed"
    _, found = doctor(server, "--full", environment=environment)
    assert found["dataset", "one scene"]["verdict"] == "warning"
    assert not list((folder / "store").glob("doctor/*/*")), "nothing stays"
    if os.geteuid() == 0:  # who may write everywhere sees no read-only store: a file in the way instead
        (folder / "store" / "doctor").rename(folder / "doctor-moved")
        (folder / "store" / "doctor").write_text("in the way")
    else:
        (folder / "store").chmod(0o500)
    _, found = doctor(server, environment=environment)
    (folder / "store").chmod(0o700)
    assert found["store", "write, read, remove"]["verdict"] == "failed"
    assert found["store", "write, read, remove"]["remedy"].startswith("mend the artifact store")


def test_a_whole_deployment_passes_and_makes_a_scene(stack, stacks):
    code, found = doctor(stack.server, "--full", environment=stacks.environment())
    assert [finding for finding in found.values() if finding["verdict"] == "failed"] == []
    assert code == 0
    assert "drew one of" in found["rendering", "a picture"]["message"]
    assert found["dataset", "one scene"]["verdict"] == "ok"
    left = Path(stack.folder / "store").glob("**/a-lighthouse*/**/*")
    assert not [path for path in left if path.is_file()], "folders may stay, files do not"


def test_nobody_there(stacks):
    code, found = doctor("127.0.0.1:9", environment=stacks.environment())
    assert code == 1
    assert found["controller", "reached"]["remedy"].startswith("start the controller")

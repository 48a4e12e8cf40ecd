"""Ports of this machine that lead to services of the cluster, kept open after the script has ended.

`kubectl port-forward` ends with the pod that it leads to, so a loop starts it again; the loop is a process group of its
own whose number is kept in a file.
"""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from commands import Failed

PATIENCE = 30.0


def check(state: Path, service: str, *, port: int, variable: str) -> None:
    """Raises Failed where something else has the port; `variable` is where another one can be named."""
    if not _read(_note(state, service))[0] and _answers(port):
        raise Failed(f"port {port} of this machine is in use; choose another one: {variable}={port + 1000} make up")


def keep(state: Path, kubectl: Sequence[str], service: str, *, port: int, target: int) -> None:
    """Open 127.0.0.1:port to a service's port unless that is done already; raises Failed when it cannot be."""
    note = _note(state, service)
    line = f"127.0.0.1:{port} leads to {service}"
    number, known = _read(note)
    if number and known == line:
        return
    _close(note)
    words = [*kubectl, "port-forward", "--address", "127.0.0.1", f"service/{service}", f"{port}:{target}"]
    log = note.with_suffix(".log")
    with log.open("w") as written:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"while :; do {shlex.join(words)}; sleep 1; done"],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            start_new_session=True,
        )
    note.write_text(f"{process.pid}\n{line}\n")
    end = time.monotonic() + PATIENCE
    while not _answers(port):
        if time.monotonic() > end:
            _close(note)
            raise Failed(f"port {port} does not open: {log.read_text().strip()[-500:]}")
        time.sleep(0.2)


def describe(state: Path) -> Iterator[str]:
    """A line for each that is open."""
    for note in sorted(state.glob("forward-*.pid")):
        number, line = _read(note)
        yield line if number else f"{line} no more; make up opens it again"


def close_all(state: Path) -> None:
    """Close all."""
    for note in state.glob("forward-*.pid"):
        _close(note)
        note.with_suffix(".log").unlink(missing_ok=True)


def _note(state: Path, service: str) -> Path:
    return state / f"forward-{service}.pid"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _read(note: Path) -> tuple[int, str]:
    """The process group, 0 if it is gone, and what it does."""
    if not note.exists():
        return 0, ""
    number, line = note.read_text().splitlines()
    return (int(number) if _is_ours(int(number)) else 0), line


def _is_ours(number: int) -> bool:
    """Whether the group is still there and is a loop of ours: numbers are given again after a restart."""
    asked = subprocess.run(["ps", "-o", "args=", "-p", str(number)], capture_output=True, text=True, check=False)
    return "port-forward" in asked.stdout


def _close(note: Path) -> None:
    number, _ = _read(note)
    if number:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(number, signal.SIGTERM)
    note.unlink(missing_ok=True)

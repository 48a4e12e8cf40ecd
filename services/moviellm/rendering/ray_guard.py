"""Makes sure that a Ray of our own ends with the service, however that ends.

Ray's processes notice a killed parent one after the other, and some wait for a minute on others that are gone. So a
small process of its own waits for the service to end, then ends what is left of its Ray and removes Ray's folder:

    python -m moviellm.rendering.ray_guard FOLDER PROCESS
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

GRACE_SECONDS = 2.0
"""How long Ray's processes may take to end by themselves."""

KILLS = 5
"""A process that is killed may have started another a moment before, so once is not enough."""

PROCESSES = Path("/proc")


class RayGuard:
    """A folder for Ray, and the process that cleans up when this one closes it or dies."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="moviellm-ray-")
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", __name__, self.folder, str(os.getpid())],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def close(self) -> None:
        """End what is left of Ray; returns when it is gone."""
        self._process.communicate()


def main() -> None:
    """Wait for the end of standard input, which the service holds open while it lives; then clean up."""
    folder, service = sys.argv[1], int(sys.argv[2])
    sys.stdin.read()
    _wait_until_gone(folder, service)
    for _ in range(KILLS):
        for process in processes_of(folder, but=service):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        if _wait_until_gone(folder, service):
            break
    shutil.rmtree(folder, ignore_errors=True)


def processes_of(folder: str, *, but: int) -> Iterator[int]:
    """Processes that have a file of Ray's folder open, as all of Ray's have their logs; but not the service itself.

    Command lines and environments would not do: Ray's processes overwrite theirs.
    """
    for entry in PROCESSES.glob("[0-9]*"):
        process = int(entry.name)
        if process not in (but, os.getpid()) and _has_open(entry / "fd", folder):
            yield process


def _has_open(descriptors: Path, folder: str) -> bool:
    try:
        return any(_target(entry).startswith(f"{folder}/") for entry in descriptors.iterdir())
    except OSError:
        return False


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""


def _wait_until_gone(folder: str, service: int) -> bool:
    give_up = time.monotonic() + GRACE_SECONDS
    while any(processes_of(folder, but=service)):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.05)
    return True


if __name__ == "__main__":
    main()

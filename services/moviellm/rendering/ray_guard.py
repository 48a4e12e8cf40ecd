"""Makes sure that a Ray of our own ends with the service, however that ends.

Ray's processes notice a killed parent one after the other, and some wait for a minute on others that are gone. So a
small process of its own waits for the service to end, then ends what is left of its Ray and removes Ray's folder:

    python -m moviellm.rendering.ray_guard FOLDER
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

MARK = "MOVIELLM_RENDERING_RAY_FOLDER"
"""An environment variable that all processes of one Ray inherit."""

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
            [sys.executable, "-m", __name__, self.folder], stdin=subprocess.PIPE, start_new_session=True
        )
        os.environ[MARK] = self.folder

    def close(self) -> None:
        """End what is left of Ray; returns when it is gone."""
        self._process.communicate()


def main() -> None:
    """Wait for the end of standard input, which the service holds open while it lives; then clean up."""
    folder = sys.argv[1]
    sys.stdin.read()
    _wait_until_gone(folder, GRACE_SECONDS)
    for _ in range(KILLS):
        for process in _marked(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        if _wait_until_gone(folder, GRACE_SECONDS):
            break
    shutil.rmtree(folder, ignore_errors=True)


def _wait_until_gone(folder: str, seconds: float) -> bool:
    give_up = time.monotonic() + seconds
    while any(_marked(folder)):
        if time.monotonic() > give_up:
            return False
        time.sleep(0.05)
    return True


def _marked(folder: str) -> Iterator[int]:
    """Processes that were started with our mark, but for the service itself, which has ended or waits for this."""
    mark = f"{MARK}={folder}".encode()
    for entry in PROCESSES.glob("[0-9]*"):
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if mark in variables:
            yield int(entry.name)


if __name__ == "__main__":
    main()

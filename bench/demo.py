"""The demo job: how long a newcomer waits, and how much memory it takes."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figure import Figure

GOALS = {
    "ready": ("services ready", "s", 60.0),
    "first_frame": ("first frame on disk after the request", "s", 60.0),
    "complete": ("demo dataset complete after the request", "s", 300.0),
    "peak_bytes": ("everything together, resident", "GB", 6.0),
}


def measure() -> list[Figure]:
    """One run of `moviellm demo` in a fresh folder with a fresh stack."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "moviellm.cli", "demo", "--id", "bench", "--figures", "figures.json"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MOVIELLM_")}
        subprocess.run(command, cwd=folder, env=environment, check=True)  # noqa: S603
        measured = json.loads((Path(folder) / "figures.json").read_text())
    return [
        Figure(
            what,
            "2 movies × 2 chapters × 2 scenes × 6 frames",
            (measured[name] / (1e9 if unit == "GB" else 1),),
            unit=unit,
            bound=bound,
            at_least=False,
        )
        for name, (what, unit, bound) in GOALS.items()
    ]

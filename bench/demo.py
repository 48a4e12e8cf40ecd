"""The demo job: how long a newcomer waits, how much memory it takes, and what a plain script takes for the same."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figure import Figure

ROUNDS = 3
GOALS = {
    "ready": ("services ready", "s", 60.0),
    "first_frame": ("first frame on disk after the request", "s", 60.0),
    "complete": ("demo dataset complete after the request", "s", 300.0),
    "peak_bytes": ("everything together, resident", "GB", 6.0),
}


def measure() -> list[Figure]:
    """The demo and the script in turn, each from nothing; the script's time counts from when its model is loaded."""
    rounds = [(_demo(), _script()) for _ in range(ROUNDS)]
    figures = [
        Figure(
            what,
            "2 movies × 2 chapters × 2 scenes × 6 frames",
            tuple(ours[name] / (1e9 if unit == "GB" else 1) for ours, _ in rounds),
            unit=unit,
            bound=bound,
            at_least=False,
        )
        for name, (what, unit, bound) in GOALS.items()
    ]
    whole = Figure(
        "the whole demo job",
        "a plain script: prompts, references and inversion, frames one by one, questions",
        tuple(script["complete"] / ours["complete"] for ours, script in rounds),
        unit="× as fast",
        bound=3.0,
        details={"seconds": [ours["complete"] for ours, _ in rounds], "script_seconds": [two for _, two in rounds]},
    )
    return [*figures, whole]


def _demo() -> dict[str, float]:
    """One run of `moviellm demo` in a fresh folder with a fresh stack."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "moviellm.cli", "demo", "--id", "bench", "--figures", "figures.json"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MOVIELLM_")}
        subprocess.run(command, cwd=folder, env=environment, check=True)  # noqa: S603
        measured: dict[str, float] = json.loads((Path(folder) / "figures.json").read_text())
        return measured


def _script() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.plain_script", folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        seconds: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
        return seconds

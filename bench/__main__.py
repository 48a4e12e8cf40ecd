"""`make bench`: run the measurements, print one table, write bench/results/<name>.json.

`python -m bench NAME …` runs some of them, `--list` names all, `--results` shows what was measured last.
"""

import importlib
import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.machine import described
from moviellm.telemetry import configure_logging

RESULTS = Path(__file__).parent / "results"
MEASUREMENTS = {
    "controller": "the controller alone, null services",
    "scaling": "1 to 32 simulated GPUs",
    "waiting": "GPUs that wait for a language model",
    "growth": "many movies, datasets, watchers",
    "store": "frames into the store",
    "rendering": "frames through Ray Serve",
    "mixed_styles": "styles that share a batch",
    "cold_start": "a new replica",
    "inversion": "learning a style, speed",
    "immobilization": "learning a style, likeness",
    "ablation": "without style or story, as in the paper",
    "demo": "the whole demo job",
    "export": "videos and tables",
    "storyteller": "the embedded writer",
    "questions": "the embedded asker",
    "plots": "plots from a language model that misbehaves",
    "small_model": "plots from a small language model",
    "pocket": "what the embedded picture model can draw",
    "quality": "choice of pictures",
}
"""Modules of this package with a `measure() -> list[Figure]`, in their order; each is loaded when its turn comes."""


def measured(name: str) -> dict[str, Any]:
    """Run one measurement and keep its record; one that fails has its error in place of figures."""
    machine, started = described(), time.perf_counter()
    try:
        figures = [figure.record() for figure in importlib.import_module(f"bench.{name}").measure()]
    except Exception as error:
        traceback.print_exc()
        return {"name": name, "figures": [], "error": f"{type(error).__name__}: {error}"}
    record = {"machine": machine, "seconds": round(time.perf_counter() - started, 1), "figures": figures}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    return {"name": name} | record


def kept(name: str) -> dict[str, Any]:
    """The record of the last time."""
    file = RESULTS / f"{name}.json"
    record: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"figures": [], "error": "not measured"}
    return {"name": name} | record


def show(records: list[dict[str, Any]]) -> None:
    """One table of all figures, and how many reached their goals."""
    machine = next((record["machine"] for record in records if "machine" in record), described())
    told = ", ".join(f"{key} {value}" for key, value in machine.items())
    table = Table("", "what", "baseline in the same run", "measured", "goal", "", title=f"moviellm on {told}")
    for record in records:
        seconds = f"{record['seconds']:.0f} s" if "seconds" in record else ""
        if "error" in record:
            table.add_row(record["name"], "", "", f"[red]{record['error'][:60]}", "", "")
        for figure in record["figures"]:
            table.add_row(
                record["name"], figure["what"], figure["baseline"], _spread(figure), figure["goal"], _mark(figure)
            )
            record["name"] = ""
        if seconds:
            table.add_row("", f"[dim]{seconds}", "", "", "", "", end_section=True)
    console = Console(width=160)
    console.print(table)
    goals = [figure["reached"] for record in records for figure in record["figures"] if figure["reached"] is not None]
    console.print(f"{sum(goals)} of {len(goals)} goals reached")


def _spread(figure: dict[str, Any]) -> str:
    rounds = figure["rounds"]
    spread = f" ({min(rounds):.3g} to {max(rounds):.3g})" if len(rounds) > 1 else ""
    return f"{figure['median']:.3g} {figure['unit']}{spread}".replace("  ", " ").strip()


def _mark(figure: dict[str, Any]) -> str:
    return {None: "", True: "[green]reached", False: "[red]missed"}[figure["reached"]]


def main() -> None:
    """Run all measurements, or those named on the command line; exit code 1 when one could not be made."""
    asked = sys.argv[1:]
    if asked == ["--list"]:
        print("\n".join(f"{name:16}{what}" for name, what in MEASUREMENTS.items()))
        return
    if asked == ["--results"]:
        show([kept(name) for name in MEASUREMENTS])
        return
    if unknown := [name for name in asked if name not in MEASUREMENTS]:
        sys.exit(f"there is no measurement {unknown[0]}; there are {', '.join(MEASUREMENTS)}")
    configure_logging("bench", level="warning")
    records = []
    for name in asked or MEASUREMENTS:
        print(f"… {name}: {MEASUREMENTS[name]}", flush=True)
        records.append(measured(name))
    show(records)
    if any("error" in record for record in records):
        sys.exit(1)


if __name__ == "__main__":
    main()

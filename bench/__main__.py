"""`make bench`: run the measurements, print one table, write bench/results/<name>.json."""

import importlib
import json
import os
import platform
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figure import Figure

RESULTS = Path(__file__).parent / "results"
MEASUREMENTS = (
    "rendering", "demo", "pocket", "immobilization", "storyteller", "plots", "small_model", "questions", "export",
    "quality",
)  # fmt: skip
"""Modules of this package with a `measure() -> list[Figure]`; each is loaded when its turn comes."""


def machine() -> dict[str, str | int]:
    """What the figures were measured on."""
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 0,
        "system": platform.system(),
        "python": platform.python_version(),
    }


def show(figures: list[Figure]) -> None:
    """The table."""
    described = ", ".join(f"{key} {value}" for key, value in machine().items())
    table = Table("what", "baseline in the same run", "measured", "goal", title=f"moviellm on {described}")
    for figure in figures:
        colour = "" if figure.reached is None else "[green]" if figure.reached else "[red]"
        table.add_row(figure.what, figure.baseline, f"{colour}{figure.shown}", figure.goal)
    Console(width=140).print(table)


def main() -> None:
    """Run all measurements, or those named on the command line."""
    figures: list[Figure] = []
    RESULTS.mkdir(exist_ok=True)
    for name in sys.argv[1:] or MEASUREMENTS:
        found = importlib.import_module(f"bench.{name}").measure()
        record = {"machine": machine(), "figures": [figure.record() for figure in found]}
        (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
        figures += found
    show(figures)


if __name__ == "__main__":
    main()

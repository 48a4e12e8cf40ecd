"""What the busy controller does with its time: `python -m bench.profile` prints the table of docs/performance.md.

py-spy looks at the process a hundred times a second, without stopping it, while null services answer at once.
"""

import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bench.controller import WIDE
from bench.null_stack import null_stack

SECONDS = 20
A_MOVIE = 1331
SUBJECTS = {
    "calls over gRPC (grpc.aio)": ("grpc/",),
    "reading and writing artifacts (obstore)": ("moviellm/artifacts.py",),
    "messages to dataclasses and back": ("moviellm/wire.py", "moviellm/controller/grpc_stages.py", "kept.py"),
    "figures for Prometheus": ("prometheus_client/", "controller/metrics.py"),
    "log lines": ("structlog/",),
    "spans of traces": ("tracing", "opentelemetry"),
    "prompts of frames": ("moviellm/movie.py", "dataset.py"),
    "the event loop (asyncio)": ("asyncio/", "selectors.py"),
    "deciding what is next (controller)": ("moviellm/",),
}
"""What a stack is about: the first of these that one of its frames names, from the innermost outwards."""


async def record(folder: Path) -> list[tuple[list[str], int]]:
    """Stacks of the controller's main thread, innermost last, with how often each was seen."""
    raw = folder / "stacks"
    async with null_stack(folder, **WIDE) as stack:
        await stack.create("busy", movies=1000)
        await asyncio.sleep(3)
        spy = str(Path(sys.executable).with_name("py-spy"))
        command = ("record", "--nonblocking", "-p", str(stack.pid), "-d", str(SECONDS), "-r", "100", "-f", "raw")
        process = await asyncio.create_subprocess_exec(spy, *command, "-o", str(raw), stdout=asyncio.subprocess.DEVNULL)
        await process.wait()
    found = []
    for line in raw.read_text().splitlines():
        told, _, count = line.rpartition(" ")
        frames = told.split(";")
        if "_run_once" in told:
            found.append((frames, int(count)))
    return found


def subject(frames: list[str]) -> str:
    """What the stack is about."""
    for frame in reversed(frames):
        for name, marks in SUBJECTS.items():
            if any(mark in frame for mark in marks):
                return name
    return "the rest"


def main() -> None:
    """Print shares of the time by subject, and the functions that were seen most."""
    with tempfile.TemporaryDirectory(prefix="moviellm-bench-") as name:
        stacks = asyncio.run(record(Path(name)))
    total = sum(count for _, count in stacks)
    subjects, functions = Counter[str](), Counter[str]()
    for frames, count in stacks:
        subjects[subject(frames)] += count
        functions[frames[-1].partition(":")[0].rstrip()] += count
    for title, counted in (("subject", subjects), ("function", functions)):
        print(f"| share | {title} |\n|---|---|")
        for what, count in counted.most_common(12):
            print(f"| {100 * count / total:.1f} % | {what} |")
        print()


if __name__ == "__main__":
    main()

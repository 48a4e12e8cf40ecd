"""Does twice the GPUs give twice the frames? Simulated replicas behind a real controller over real gRPC."""

import asyncio
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.figure import Figure
from bench.null_services import Renderer
from bench.null_stack import null_stack

REPLICAS = tuple(map(int, os.environ.get("MOVIELLM_BENCH_REPLICAS", "1,8,32").split(",")))
SECONDS_A_PICTURE = 0.2
"""At full batches of 8: SDXL with few steps on a fast card. Slower models ask less of the controller."""

SCENES_A_REPLICA = 3
ROUNDS = 3
ROUND_SECONDS = 8.0
WARM_UP_SECONDS = 6.0


@dataclass(frozen=True)
class Round:
    """Frames a second and the replicas' busy share in one stretch of time."""

    rate: float
    busy: float


async def rounds(replicas: int) -> list[Round]:
    """Stretches of the steady state with so many replicas."""
    settings = {
        "scenes_in_flight": str(SCENES_A_REPLICA * replicas),
        "scripts_in_flight": "16",
        "movies_in_flight": "8",
        "max_movies": "10000",
    }
    with tempfile.TemporaryDirectory(prefix="moviellm-bench-") as folder:
        running = null_stack(Path(folder), replicas=replicas, seconds_a_picture=SECONDS_A_PICTURE, **settings)
        async with running as stack:
            await stack.create("scaling", movies=1000)
            await asyncio.sleep(WARM_UP_SECONDS)
            return [await _stretch(stack.renderer) for _ in range(ROUNDS)]


async def _stretch(renderer: Renderer) -> Round:
    def now() -> tuple[float, int, float]:
        return time.perf_counter(), renderer.pictures, renderer.busy

    began = now()
    await asyncio.sleep(ROUND_SECONDS)
    seconds, pictures, busy = (after - before for before, after in zip(began, now(), strict=True))
    return Round(pictures / seconds, busy / seconds / len(renderer.replicas))


async def _all() -> dict[int, list[Round]]:
    return {replicas: await rounds(replicas) for replicas in REPLICAS}


def measure() -> list[Figure]:
    """Frames a second of a replica among many, as a share of one alone; and how long the many wait for work."""
    found = asyncio.run(_all())
    most = max(found)
    alone = sum(one.rate for one in found[1]) / len(found[1])
    rates = {replicas: [one.rate for one in of] for replicas, of in found.items()}
    return [
        Figure(
            f"1 → {most} simulated GPUs, frames a second",
            f"{most} × one replica ({alone:.1f} frames/s)",
            tuple(one.rate / alone / most for one in found[most]),
            unit="of linear",
            bound=0.95,
            details={"frames_per_second": rates, "seconds_a_picture": SECONDS_A_PICTURE},
        ),
        Figure(
            f"share of time that {most} simulated GPUs wait for work",
            f"{SCENES_A_REPLICA} scenes in flight a replica",
            tuple(100 * (1 - one.busy) for one in found[most]),
            unit="%",
            bound=5.0,
            at_least=False,
        ),
    ]

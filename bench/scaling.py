"""Does twice the GPUs give twice the frames? Simulated replicas behind a real controller over real gRPC.

First replicas in a null service, which may be many, then some of the real rendering service on Ray Serve, where only
the model is replaced, by a painter that sleeps; each of those is a process.
"""

import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.figure import Figure
from bench.local_stack import free_port, serving
from bench.null_services import Renderer
from bench.null_stack import NullStack, null_stack

ON_SERVE = tuple(map(int, os.environ.get("MOVIELLM_BENCH_SERVE_REPLICAS", "1,4").split(",")))
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


async def on_serve(replicas: int) -> list[Round]:
    """The same with replicas of the real rendering service on Ray Serve, whose painter sleeps."""
    settings = {"scenes_in_flight": str(SCENES_A_REPLICA * replicas), "scripts_in_flight": "16"}
    with tempfile.TemporaryDirectory(prefix="moviellm-bench-") as name:
        folder, port = Path(name), free_port()
        environment = {
            "MOVIELLM_BENCH_SECONDS_A_PICTURE": str(SECONDS_A_PICTURE),
            "MOVIELLM_RENDERING_LISTEN": f"127.0.0.1:{port}",
            "MOVIELLM_RENDERING_REPLICAS": str(replicas),
            "MOVIELLM_RENDERING_CPUS_PER_REPLICA": "0.01",
            "MOVIELLM_STORE_URL": f"file://{folder}/store",
        }
        serve = serving(["bench.sleeping_replicas"], port, folder / "serve.log", environment)
        async with serve as service, null_stack(folder, rendering=service.address, **settings) as stack:
            stack.learns = False
            await stack.create("scaling", movies=1000 if replicas > 4 else 100)
            while not await stack.frames("scaling"):  # noqa: ASYNC110 -- the service is another process
                await asyncio.sleep(0.2)
            await asyncio.sleep(WARM_UP_SECONDS)
            return [await _told(stack) for _ in range(ROUNDS)]


async def _told(stack: NullStack) -> Round:
    """As the controller counts; who is busy is not known here."""
    began, before = time.perf_counter(), await stack.frames("scaling")
    await asyncio.sleep(2 * ROUND_SECONDS)
    after = await stack.frames("scaling")
    return Round((after - before) / (time.perf_counter() - began), 0.0)


async def _stretch(renderer: Renderer) -> Round:
    def now() -> tuple[float, int, float]:
        return time.perf_counter(), renderer.pictures, renderer.busy

    began = now()
    await asyncio.sleep(ROUND_SECONDS)
    seconds, pictures, busy = (after - before for before, after in zip(began, now(), strict=True))
    return Round(pictures / seconds, busy / seconds / len(renderer.replicas))


async def _all() -> tuple[dict[int, list[Round]], dict[int, list[Round]]]:
    simulated = {replicas: await rounds(replicas) for replicas in REPLICAS}
    return simulated, {replicas: await on_serve(replicas) for replicas in ON_SERVE}


def measure() -> list[Figure]:
    """Frames a second of a replica among many, as a share of one alone; and how long the many wait for work."""
    simulated, served = asyncio.run(_all())
    most = max(simulated)
    return [
        _linear("simulated GPUs", simulated),
        Figure(
            f"share of time that {most} simulated GPUs wait for work",
            f"{SCENES_A_REPLICA} scenes in flight a replica",
            tuple(100 * (1 - one.busy) for one in simulated[most]),
            unit="%",
            bound=5.0,
            at_least=False,
        ),
        _linear("replicas on Ray Serve", served),
    ]


def _linear(what: str, found: dict[int, list[Round]]) -> Figure:
    most, alone = max(found), statistics.mean(one.rate for one in found[min(found)]) / min(found)
    return Figure(
        f"{min(found)} → {most} {what}, frames a second",
        f"{most} × one replica ({alone:.1f} frames/s)",
        tuple(one.rate / alone / most for one in found[most]),
        unit="of linear",
        bound=0.95,
        details={
            "frames_per_second": {replicas: [one.rate for one in of] for replicas, of in found.items()},
            "seconds_a_picture": SECONDS_A_PICTURE,
        },
    )

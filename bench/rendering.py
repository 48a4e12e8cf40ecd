"""Rendering through Ray Serve against the raw diffusers loop: same model, same batch size, same run."""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from bench.figure import Figure
from bench.local_stack import service
from moviellm import pocket, rpc
from moviellm.artifacts import ArtifactStore
from moviellm.pipelines.diffusers_loading import load_pipeline
from moviellm.pocket.vocabulary import LOCATIONS, STYLES
from moviellm.settings import StoreSettings
from moviellm.v1 import rendering_service_pb2 as pb
from moviellm.v1 import rendering_service_pb2_grpc as pb_grpc

BATCH = 8
PICTURES = 8 * BATCH
ROUNDS = 6


def prompts() -> list[str]:
    """As many different prompts as there are pictures."""
    pairs = [(STYLES[i % len(STYLES)].keyword, LOCATIONS[i % len(LOCATIONS)].name) for i in range(PICTURES)]
    return [f"generate an image in {style} style: the {place} at night" for style, place in pairs]


class RawLoop:
    """What a script does: the pipeline, batch by batch, one thread, pictures thrown away."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self._pipe: Any = load_pipeline("pocket", device="cpu")

    def frames_per_second(self) -> float:
        """One round."""
        started = time.perf_counter()
        texts = prompts()
        for first in range(0, PICTURES, BATCH):
            self._pipe(
                texts[first : first + BATCH],
                num_inference_steps=pocket.STEPS,
                guidance_scale=pocket.GUIDANCE_SCALE,
                guidance_rescale=pocket.GUIDANCE_RESCALE,
                height=pocket.SIZE,
                width=pocket.SIZE,
                generator=[torch.Generator().manual_seed(first + i) for i in range(BATCH)],
            )
        return PICTURES / (time.perf_counter() - started)


async def through_serve(address: str, store: ArtifactStore, number: int) -> float:
    """One round through the service: four scenes at once, frames encoded and stored. Frames a second."""
    async with rpc.channel(address) as peer:
        stub: Any = pb_grpc.RenderingServiceStub(peer)
        orders = [
            pb.PictureOrder(number=i, prompt=text, seed=i, uri=store.uri(f"round-{number}/{i}.jpg"))
            for i, text in enumerate(prompts(), 1)
        ]
        quarter = PICTURES // 4

        async def scene(first: int) -> int:
            request = pb.RenderSceneRequest(pictures=orders[first : first + quarter])
            responses = stub.RenderScene(request, metadata=(("application", "rendering"),))
            return len([response async for response in rpc.stream("rendering", responses)])

        started = time.perf_counter()
        rendered = sum(await asyncio.gather(*(scene(first) for first in range(0, PICTURES, quarter))))
        if rendered != PICTURES:
            raise RuntimeError(f"{rendered} pictures of {PICTURES}")
        return PICTURES / (time.perf_counter() - started)


async def compare() -> list[tuple[float, float]]:
    """(through Serve, raw) in frames a second, in turn."""
    raw = RawLoop()
    raw.frames_per_second()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = ArtifactStore.open(StoreSettings(url=f"file://{folder}/store"))
        async with service("rendering", folder, max_batch_size=str(BATCH)) as address:
            await through_serve(address, store, 0)
            return [await _round(address, store, raw, number) for number in range(1, ROUNDS + 1)]


async def _round(address: str, store: ArtifactStore, raw: RawLoop, number: int) -> tuple[float, float]:
    """Both once; who comes first changes, so that a machine that gets faster or slower favours neither."""
    if number % 2:
        return await through_serve(address, store, number), raw.frames_per_second()
    bare = raw.frames_per_second()
    return await through_serve(address, store, number), bare


def measure() -> list[Figure]:
    """Throughput as a share of the raw loop's, and the loop's cost of one frame."""
    pairs = asyncio.run(compare())
    return [
        Figure(
            "rendering through Ray Serve",
            f"raw diffusers loop, same model, batch {BATCH}",
            tuple(served / raw for served, raw in pairs),
            unit="of the raw loop",
            bound=0.97,
            details={"served_frames_per_second": [s for s, _ in pairs], "raw_frames_per_second": [r for _, r in pairs]},
        ),
        Figure(
            "one frame, one core",
            f"raw diffusers loop, batch {BATCH}, {pocket.STEPS} steps",
            tuple(1000 / raw for _, raw in pairs),
            unit="ms",
            bound=150,
            at_least=False,
        ),
    ]

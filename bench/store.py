"""Frames written through the artifact store against plain writes of the same bytes, on a disk and on an S3 server."""

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import obstore
from obstore.store import S3Store
from pydantic import SecretStr

from bench.figure import Figure
from moviellm.artifacts import ArtifactStore
from moviellm.settings import StoreSettings
from tests.soak.s3_server import CREDENTIALS, S3Server

FRAME_BYTES = 250_000
"""A picture of 1024 × 1024 as JPEG."""

FRAMES = 64
AT_ONCE = 8
ROUNDS = 12
BUCKET = "films"

Write = Callable[[int, bytes], Awaitable[object]]


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, and of this process's processors."""

    seconds: float
    processor: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.seconds + other.seconds, self.processor + other.processor)


Round = tuple[Cost, Cost]
"""Plain writes, and writes through the store."""


async def _cost(write: Write, data: bytes) -> Cost:
    """All frames, so many at a time."""
    numbers = iter(range(FRAMES))

    async def writer() -> None:
        for number in numbers:
            await write(number, data)

    await asyncio.to_thread(os.sync)  # nobody pays for what was written before
    started, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(writer() for _ in range(AT_ONCE)))
    return Cost(time.perf_counter() - started, time.process_time() - used)


async def _rounds(plain: Callable[[str], Write], stored: Callable[[str], Write]) -> list[Round]:
    """Each round is plain, stored, stored, plain or the other way round, so that a drift of the machine hits both."""
    found = []
    for number in range(ROUNDS + 1):
        data = random.Random(number).randbytes(FRAME_BYTES)
        costs = {"plain": Cost(0, 0), "stored": Cost(0, 0)}
        order = ("plain", "stored", "stored", "plain") if number % 2 else ("stored", "plain", "plain", "stored")
        for turn, kind in enumerate(order):
            write = plain if kind == "plain" else stored
            costs[kind] += await _cost(write(f"{kind}-{number}-{turn}"), data)
        found.append((costs["plain"], costs["stored"]))
    return found[1:]


async def on_disk(folder: Path) -> list[Round]:
    """Against files written by as many threads into folders as deep."""
    store = ArtifactStore.open(StoreSettings(url=f"file://{folder}/store"))
    threads, loop = ThreadPoolExecutor(AT_ONCE), asyncio.get_running_loop()

    def plain(turn: str) -> Write:
        place = folder / "plain" / turn / "frames"
        place.mkdir(parents=True)
        return lambda number, data: loop.run_in_executor(threads, (place / f"{number:06}.jpg").write_bytes, data)

    return await _rounds(plain, lambda turn: lambda number, data: store.put(f"{turn}/frames/{number:06}.jpg", data))


async def on_s3(folder: Path) -> list[Round]:
    """Against unconditional PUTs of the client library alone, to the same server."""
    server = await S3Server(folder).start()
    try:
        endpoint = f"http://127.0.0.1:{server.port}"
        store = ArtifactStore.open(
            StoreSettings(
                url=f"s3://{BUCKET}/bench",
                endpoint=endpoint,
                access_key_id=SecretStr(CREDENTIALS["accessKey"]),
                secret_access_key=SecretStr(CREDENTIALS["secretKey"]),
            )
        )
        bare = S3Store(
            BUCKET,
            endpoint=endpoint,
            region="us-east-1",
            access_key_id=CREDENTIALS["accessKey"],
            secret_access_key=CREDENTIALS["secretKey"],
            client_options={"allow_http": True},
        )
        return await _rounds(
            lambda turn: lambda number, data: obstore.put_async(bare, f"{turn}/frames/{number:06}.jpg", data),
            lambda turn: lambda number, data: store.put(f"{turn}/frames/{number:06}.jpg", data),
        )
    finally:
        server.stop()


def measure() -> list[Figure]:
    """Bytes a second as a share of what plain writes reach, and the same of processor time."""
    with tempfile.TemporaryDirectory(prefix="moviellm-bench-") as name:
        disk = asyncio.run(on_disk(Path(name)))
    with tempfile.TemporaryDirectory(prefix="moviellm-bench-") as name:
        s3 = asyncio.run(on_s3(Path(name)))
    return [
        *_figures("frames into the store on a disk", f"files written by {AT_ONCE} threads", "of plain writes", disk),
        *_figures("frames into the store on S3", "unconditional PUTs to the same server", "of plain PUTs", s3),
    ]


def _figures(what: str, baseline: str, unit: str, rounds: list[Round]) -> list[Figure]:
    megabytes = 2 * FRAMES * FRAME_BYTES / 1e6
    return [
        Figure(
            what,
            f"{baseline}, {FRAME_BYTES // 1000} kB each",
            tuple(plain.seconds / stored.seconds for plain, stored in rounds),
            unit=unit,
            bound=0.9,
            details={
                "megabytes_per_second": [megabytes / stored.seconds for _, stored in rounds],
                "plain_megabytes_per_second": [megabytes / plain.seconds for plain, _ in rounds],
            },
        ),
        Figure(
            "   in processor time",
            "the same",
            tuple(plain.processor / stored.processor for plain, stored in rounds),
            unit=unit,
        ),
    ]

"""Frames written through the artifact store against plain writes of the same bytes, on a disk and on an S3 server."""

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
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
ROUNDS = 9
BUCKET = "films"

Write = Callable[[int, bytes], Awaitable[object]]


async def _seconds(write: Write, data: bytes) -> float:
    """All frames, so many at a time."""
    numbers = iter(range(FRAMES))

    async def writer() -> None:
        for number in numbers:
            await write(number, data)

    started = time.perf_counter()
    await asyncio.gather(*(writer() for _ in range(AT_ONCE)))
    return time.perf_counter() - started


async def _rounds(plain: Callable[[int], Write], stored: Callable[[int], Write]) -> list[tuple[float, float]]:
    """(plain, through the store) in seconds, in turn; the order changes so that neither always finds a warm cache."""
    found = []
    for number in range(ROUNDS + 1):
        data = random.Random(number).randbytes(FRAME_BYTES)
        if number % 2:
            first = await _seconds(plain(number), data)
            pair = first, await _seconds(stored(number), data)
        else:
            second = await _seconds(stored(number), data)
            pair = await _seconds(plain(number), data), second
        found.append(pair)
    return found[1:]


async def on_disk(folder: Path) -> list[tuple[float, float]]:
    """Against files written whole by as many threads."""
    store = ArtifactStore.open(StoreSettings(url=f"file://{folder}/store"))
    threads, loop = ThreadPoolExecutor(AT_ONCE), asyncio.get_running_loop()

    def plain(turn: int) -> Write:
        place = folder / f"plain-{turn}"
        place.mkdir()
        return lambda number, data: loop.run_in_executor(threads, (place / f"{number:06}.jpg").write_bytes, data)

    return await _rounds(plain, lambda turn: lambda number, data: store.put(f"{turn}/frames/{number:06}.jpg", data))


async def on_s3(folder: Path) -> list[tuple[float, float]]:
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
            lambda turn: lambda number, data: obstore.put_async(bare, f"plain-{turn}/{number:06}.jpg", data),
            lambda turn: lambda number, data: store.put(f"{turn}/frames/{number:06}.jpg", data),
        )
    finally:
        server.stop()


def measure() -> list[Figure]:
    """Bytes a second as a share of what plain writes reach."""
    with tempfile.TemporaryDirectory(prefix="moviellm-bench-") as name:
        disk = asyncio.run(on_disk(Path(name)))
    with tempfile.TemporaryDirectory(prefix="moviellm-bench-") as name:
        s3 = asyncio.run(on_s3(Path(name)))
    return [
        _figure("frames into the store on a disk", f"files written by {AT_ONCE} threads", "of plain writes", disk),
        _figure("frames into the store on S3", "unconditional PUTs to the same server", "of plain PUTs", s3),
    ]


def _figure(what: str, baseline: str, unit: str, pairs: list[tuple[float, float]]) -> Figure:
    megabytes = FRAMES * FRAME_BYTES / 1e6
    return Figure(
        what,
        f"{baseline}, {FRAME_BYTES // 1000} kB each",
        tuple(plain / stored for plain, stored in pairs),
        unit=unit,
        bound=0.9,
        details={
            "megabytes_per_second": [megabytes / stored for _, stored in pairs],
            "plain_megabytes_per_second": [megabytes / plain for plain, _ in pairs],
        },
    )

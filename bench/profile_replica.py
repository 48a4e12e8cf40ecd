"""What a busy renderer replica does with its time, as in docs/performance.md: `python -m bench.profile_replica`.

py-spy looks at the replica's threads a hundred times a second, without stopping it, while scenes come in through gRPC.
"""

import asyncio
import contextlib
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bench.cold_start import replicas
from bench.local_stack import started
from bench.rendering import PICTURES, through_serve
from moviellm.artifacts import ArtifactStore
from moviellm.settings import StoreSettings

SECONDS = 20
DECODING = "decoding: the VAE"
SUBJECTS = {
    "denoising: the U-Net": ("models/unets/",),
    "prompts: text encoders and tokenizers": ("site-packages/transformers/", "diffusers_prompts.py"),
    "the scheduler": ("diffusers/schedulers/",),
    "the pipeline's own loop": ("diffusers/pipelines/",),
    "noise, conditioning, bytes (the painter)": ("diffusers_painter.py",),
    "looking at pictures, JPEG": ("rendering/faults.py", "pillow_jpeg.py", "PIL/"),
    "reading and writing artifacts": ("moviellm/artifacts.py", "obstore"),
    "requests, batches, answers (Ray Serve, gRPC, asyncio)": ("ray/", "grpc/", "asyncio/", "moviellm/", "google/"),
}
"""What a stack is about: the first of these that one of its frames names, from the innermost outwards."""


async def record(folder: Path) -> list[tuple[list[str], int]]:
    """Stacks of all busy threads of a replica, innermost last, with how often each was seen."""
    raw = folder / "stacks"
    store = ArtifactStore.open(StoreSettings(url=f"file://{folder}/store"))
    async with started("rendering", folder, max_batch_size="8") as service:
        await through_serve(service.address, store, 0)
        load = asyncio.create_task(_busy(service.address, store))
        (replica,) = replicas(service.pid)
        spy = str(Path(sys.executable).with_name("py-spy"))
        command = ("record", "--nonblocking", "--full-filenames", "-p", str(replica), "-d", str(SECONDS), "-r", "100")
        process = await asyncio.create_subprocess_exec(
            spy, *command, "-f", "raw", "-o", str(raw), stdout=asyncio.subprocess.DEVNULL
        )
        await process.wait()
        load.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await load
    lines = (line.rpartition(" ") for line in raw.read_text().splitlines())
    return [(told.split(";"), int(count)) for told, _, count in lines]


async def _busy(address: str, store: ArtifactStore) -> None:
    for number in range(1, 10_000):
        await through_serve(address, store, number)


def subject(frames: list[str]) -> str:
    """What the stack is about; an autoencoder's blocks lie in the U-Net's files, so its own comes first."""
    if any("models/autoencoders/" in frame for frame in frames):
        return DECODING
    for frame in reversed(frames):
        for name, marks in SUBJECTS.items():
            if any(mark in frame for mark in marks):
                return name
    return "the rest"


def shares(stacks: Iterable[tuple[list[str], int]]) -> None:
    """Print the subjects' shares."""
    found = Counter[str]()
    for frames, count in stacks:
        found[subject(frames)] += count
    total = sum(found.values())
    print("| share | subject |\n|---|---|")
    for what, count in found.most_common():
        print(f"| {100 * count / total:.1f} % | {what} |")


def main() -> None:
    """Print shares of the painter's thread, and of all others, by subject."""
    with tempfile.TemporaryDirectory(prefix="moviellm-bench-") as name:
        stacks = asyncio.run(record(Path(name)))
    painting = [(frames, count) for frames, count in stacks if any("diffusers_painter" in frame for frame in frames)]
    others = [(frames, count) for frames, count in stacks if not any("diffusers_painter" in frame for frame in frames)]
    busy, rest = (sum(count for _, count in part) for part in (painting, others))
    print(f"the painter's thread was busy in {busy} looks, other threads in {rest}; {PICTURES} pictures a round\n")
    shares(painting)
    print("\nother threads:\n")
    shares(others)


if __name__ == "__main__":
    main()

"""A look at every part of a deployment, from where its work is directed."""

import asyncio
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import grpc

from moviellm.artifacts import ArtifactStore
from moviellm.controller.diagnosis.findings import Concern, Finding, found
from moviellm.controller.diagnosis.peers import contract_of, health_of
from moviellm.controller.stages import PictureOrder, Stages
from moviellm.dataset import Stage
from moviellm.errors import Unavailable, Unsatisfied

SERVICES: Mapping[Stage, str] = {
    Stage.SCRIPTING: "ScriptingService",
    Stage.INVERSION: "InversionService",
    Stage.RENDERING: "RenderingService",
    Stage.QA: "QuestionService",
    Stage.EXPORT: "ExportService",
}
LITTLE_SPACE = 2 * 10**9
"""Bytes on a local disk below which it is said to be nearly full."""

PROMPT = "a lighthouse on a cliff"
FRAME_SECONDS = 60.0


@dataclass(frozen=True)
class Deployment:
    """What is looked at; `addresses` are the services' for messages, `metrics` is the controller's own, host:port."""

    channels: Mapping[Stage, grpc.aio.Channel]
    addresses: Mapping[Stage, str]
    application: str
    store: ArtifactStore
    stages: Stages
    model: str
    metrics: str


async def diagnose(deployment: Deployment) -> list[Finding]:
    """All findings: the store's first, because the services' follow from it."""
    doctor = _Doctor(deployment)
    store = [
        await found("store", "write, read, remove", doctor.store_keeps),
        await found("store", "space", doctor.store_has_space),
    ]
    services = await asyncio.gather(*(doctor.service(stage) for stage in Stage))
    return [*store, *(finding for findings in services for finding in findings), *await doctor.rest()]


class _Doctor:
    def __init__(self, deployment: Deployment) -> None:
        self._it = deployment
        self._folder = f"doctor/{secrets.token_hex(6)}"

    async def store_keeps(self) -> str:
        """Write once, not twice, read, list, remove."""
        store, key = self._it.store, f"{self._folder}/note"
        if not await store.put(key, b"first"):
            raise Unsatisfied(f"the store at {store.root} says that a new name is taken")
        if await store.put(key, b"second") or await store.get(key) != b"first":
            raise Unsatisfied(
                f"the store at {store.root} writes over what is there; it must refuse, as S3's If-None-Match does"
            )
        listed = [entry.key async for entry in store.list(self._folder)]
        await store.delete_all(self._folder)
        if listed != [key]:
            raise Unsatisfied(f"the store at {store.root} does not list what was just written")
        return f"{store.root} keeps what is written, once, and gives it back"

    async def store_has_space(self) -> str:
        """Where the store is a disk."""
        root = self._it.store.root
        if not root.startswith("file://"):
            return "an object store has no limit that could be seen"
        usage = await asyncio.to_thread(shutil.disk_usage, Path(root.removeprefix("file://")))
        sentence = f"{usage.free / 1e9:.1f} GB of {usage.total / 1e9:.1f} GB are free"
        if usage.free < LITTLE_SPACE:
            raise Concern(sentence, "make room on the store's disk before the next dataset")
        return sentence

    async def service(self, stage: Stage) -> Sequence[Finding]:
        """Whether a service answers, can do its work, and speaks our contract."""
        channel, address = self._it.channels[stage], self._it.addresses[stage]
        metadata = (("application", self._it.application),) if stage is Stage.RENDERING else ()

        async def is_well() -> str:
            await health_of(channel, stage.value, address, metadata)
            return f"answers at {address} and can do its work"

        async def speaks() -> str:
            return await contract_of(channel, f"moviellm.v1.{SERVICES[stage]}")

        health = await found(stage.value, "health", is_well)
        return [health] if health.remedy else [health, await found(stage.value, "contract", speaks)]

    async def rest(self) -> Sequence[Finding]:
        """What takes more than a question."""
        return [
            await found(Stage.RENDERING.value, "a picture", self.draws),
            await found("controller", "figures", self.has_figures),
        ]

    async def draws(self) -> str:
        """One picture through renderer and store, and away with it."""
        key = f"{self._folder}/frame.jpg"
        order = PictureOrder(1, PROMPT, 1, self._it.store.uri(key))
        try:
            async with asyncio.timeout(FRAME_SECONDS):
                pictures = [picture async for picture in self._it.stages.render_references((order,), self._it.model)]
                size = len(await self._it.store.get(key))
                await self._it.store.delete_all(self._folder)
        except TimeoutError as error:
            raise Unavailable(f"no picture came within {FRAME_SECONDS:.0f} s", reason="RENDER_QUEUE_FULL") from error
        work = pictures[0].work
        return f"{work.model} drew one of {size} bytes in {work.seconds:.1f} s on node pool {work.node_pool}"

    async def has_figures(self) -> str:
        """Whether Prometheus would find something here."""
        host, _, port = self._it.metrics.rpartition(":")
        url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '[::]', '') else host}:{port}/metrics"  # noqa: S104
        try:
            page = await asyncio.to_thread(_read, url)
        except OSError as error:
            raise Concern(f"{url} does not answer: {error}", "look whether another process holds that port") from error
        if b"moviellm_datasets" not in page:
            raise Concern(f"{url} is not the controller's page", "give MOVIELLM_CONTROLLER_METRICS_LISTEN its own port")
        return f"{url} has the controller's figures"


def _read(url: str) -> bytes:
    with urlopen(url, timeout=5) as answer:  # noqa: S310
        page: bytes = answer.read()
    return page

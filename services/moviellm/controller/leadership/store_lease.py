"""The lease of a deployment without Kubernetes: a log in the artifact store, whose highest number is the lease.

    controller/lease/000000000041.json

Creating an object that must not exist is the one conditional write that folders and all object stores have, and one of
several gets it. So a change of the lease is the creation of the next number. Lower numbers are removed, but only once a
higher one is there: the highest is never removed, so whoever slept and creates a number anew sees a higher one and has
lost.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from moviellm.artifacts import ArtifactStore
from moviellm.controller.leadership.lease import Conflict, Json
from moviellm.errors import AlreadyExists, Broken

FOLDER = "controller/lease"
PROCESSES = Path("/proc")


class StoreLease:
    """The lease in a store; see `Leases`."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    async def read(self) -> Json | None:
        """The lease, None where there is none."""
        while numbers := await self._numbers():
            newest = max(numbers)
            data = await self._store.find(_key(newest))
            if data is not None:
                return _with_version(_parsed(data), newest)
        return None

    async def create(self, body: Json) -> Json:
        """Raises AlreadyExists where somebody was faster."""
        try:
            return await self._append(1, body)
        except Conflict as error:
            raise AlreadyExists("another controller was faster") from error

    async def replace(self, body: Json) -> Json:
        """Raises Conflict where somebody was faster."""
        return await self._append(int(body["metadata"]["resourceVersion"]) + 1, body)

    async def _append(self, number: int, body: Json) -> Json:
        if not await self._store.put(_key(number), json.dumps({"spec": body["spec"]}).encode()):
            raise Conflict("another controller has written the lease")
        numbers = await self._numbers()
        if max(numbers, default=0) != number:
            raise Conflict("other controllers have written the lease since")
        await self._forget(old for old in numbers if old < number)
        return _with_version(body, number)

    async def _numbers(self) -> list[int]:
        return [int(PurePosixPath(entry.key).stem) async for entry in self._store.list(FOLDER)]

    async def _forget(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            await self._store.delete(_key(number))


def _key(number: int) -> str:
    return f"{FOLDER}/{number:012}.json"


def _parsed(data: bytes) -> Json:
    try:
        body = json.loads(data)
        return {"spec": dict(body["spec"])}
    except (ValueError, TypeError, KeyError) as error:
        raise Broken(f"{FOLDER} holds something that is no lease; remove it") from error


def _with_version(body: Json, number: int) -> Json:
    return {"spec": body["spec"], "metadata": {"resourceVersion": number}}


# ---- a holder that has died on this machine ----


def own_signature() -> Json:
    """By what others on this machine find out whether this process lives; empty where the system does not tell."""
    place = _place()
    return {"process": {"place": place, "pid": os.getpid(), "started": _started(os.getpid())}} if place else {}


def is_gone(spec: Json) -> bool:
    """Whether the process that signed the lease ran on this machine and is no more; False where nobody knows."""
    process = spec.get("process") or {}
    if not process or process.get("place") != _place():
        return False
    return _started(int(process["pid"])) != str(process["started"])


def _place() -> str:
    """This boot of this machine, and the namespace in which its process ids count."""
    try:
        boot = (PROCESSES / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(PROCESSES / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When the process began, in the kernel's ticks: tells it from a later one of the same id; "" when it has ended."""
    try:
        fields = (PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]

"""Waiting for the Deployments of a namespace, told as it goes."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from commands import answer

PATIENCE = 900.0
PAUSE = 3.0

Json = dict[str, Any]


class NotReady(Exception):
    """The Deployments did not get ready; the message says which and what their pods wait for."""


def until_ready(
    kubectl: Sequence[str],
    namespace: str,
    *,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when every Deployment has all its replicas available at its newest template; raises NotReady."""
    began, told = clock(), set[str]()
    while True:
        deployments = _items(kubectl, namespace, "deployments")
        waiting = [one["metadata"]["name"] for one in deployments if not _is_complete(one)]
        for name in sorted({one["metadata"]["name"] for one in deployments} - set(waiting) - told):
            say(f"{name} is ready after {clock() - began:.0f} s")
            told.add(name)
        if deployments and not waiting:
            return
        if clock() - began > PATIENCE:
            reasons = "\n".join(_reasons(_items(kubectl, namespace, "pods")))
            raise NotReady(f"not ready after {PATIENCE:.0f} s: {', '.join(waiting)}\n{reasons}".rstrip())
        sleep(PAUSE)


def _items(kubectl: Sequence[str], namespace: str, kind: str) -> list[Json]:
    words = [*kubectl, "--namespace", namespace, "get", kind, "--output", "json"]
    return list(json.loads(answer(words))["items"])


def _is_complete(deployment: Json) -> bool:
    wanted, now = deployment["spec"].get("replicas", 1), deployment.get("status", {})
    is_seen = now.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 1)
    return bool(is_seen and now.get("updatedReplicas", 0) == wanted == now.get("availableReplicas", 0))


def _reasons(pods: list[Json]) -> Iterator[str]:
    """What each pod that is not ready waits for, as the cluster says it."""
    for pod in pods:
        conditions = {one["type"]: one for one in pod["status"].get("conditions", ())}
        if conditions.get("Ready", {}).get("status") == "True":
            continue
        unscheduled = conditions.get("PodScheduled", {})
        yield f"{pod['metadata']['name']}: {unscheduled.get('message') or _container_reason(pod)}"


def _container_reason(pod: Json) -> str:
    for container in pod["status"].get("containerStatuses", ()):
        state = container.get("state", {})
        for kind in ("waiting", "terminated"):
            if kind in state:
                return " ".join(filter(None, (state[kind].get("reason"), state[kind].get("message"))))
    return "its container runs and is not ready; see its log"

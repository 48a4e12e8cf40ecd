"""What a resource's status says of its dataset; pure. Counts and sentences, never anything that grows with scenes."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from moviellm.controller.estimate import Prices, cost
from moviellm.controller.kubernetes.resource import RETRY, Json, Resource, camel
from moviellm.controller.registry import Dataset
from moviellm.dataset import Stage, State, Trouble

MAX_MESSAGE = 1024


@dataclass(frozen=True)
class Standing:
    """Where a resource stands when that is not simply its dataset's state: waiting to be accepted, or refused."""

    state: str
    reason: str
    message: str
    waits: bool = False


SUSPENDED = Standing("Suspended", "Suspended", "spec.suspend is set: nothing is made until it is false")
NEEDS_UPLOADS = Standing(
    "Refused",
    "UploadsMissing",
    "pictures and plots come over gRPC: leave spec.style.pictures and spec.plot out, or call CreateMovieDataset",
)


def refused(reason: str, message: str) -> Standing:
    """The door refuses the request as it stands; asking again gives the same answer."""
    return Standing("Refused", reason, message)


def delayed(reason: str, message: str) -> Standing:
    """The request could not be accepted yet and is tried again."""
    return Standing("Pending", reason, message, waits=True)


def status_of(
    resource: Resource,
    dataset: Dataset | None,
    standing: Standing | None = None,
    *,
    now: float,
    artifacts: str = "",
    prices: Prices | None = None,
) -> Json:
    """The status to be written; `now` in seconds since the epoch is the time of what changed."""
    status: Json = {"observedGeneration": resource.generation, "suspended": resource.suspend}
    if RETRY in resource.annotations:
        status["retried"] = resource.annotations[RETRY]
    if dataset is not None:
        status |= _counts(dataset, prices or {}) | {"dataset": dataset.identifier, "artifacts": artifacts}
        standing = standing or _standing(dataset, resource)
    standing = standing or delayed("Accepting", "the request is looked at")
    status |= {"state": standing.state, "reason": standing.reason, "message": _short(standing.message)}
    status["conditions"] = _conditions(resource, dataset, standing, now)
    return status


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> Json:
    """The merge patch that makes `new` of `old`, empty where they are equal."""
    patch: Json = {name: None for name in old if name not in new}
    for name, value in new.items():
        before = old.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            if inner := merge_patch(before, value):
                patch[name] = inner
        elif before != value:
            patch[name] = value
    return patch


def _standing(dataset: Dataset, resource: Resource) -> Standing:
    state = dataset.status.state
    trouble = dataset.trouble
    if state is State.SUCCEEDED:
        return Standing("Succeeded", "Succeeded", "complete")
    if state is State.FAILED:
        reason, message = _trouble(trouble or Trouble("controller", "INTERNAL", "failed"))
        return Standing("Failed", reason, message)
    if state is State.CANCELLED:
        return SUSPENDED if resource.suspend else Standing("Cancelled", "Cancelled", "stopped; what is made is kept")
    if state is State.DELETING:
        return Standing("Deleting", "Deleting", "the artifacts are being removed")
    if trouble:
        reason, message = _trouble(trouble)
        return Standing(state.capitalize(), reason, f"waiting: {message}")
    if state is State.PENDING:
        return Standing("Pending", "Queued", "waits for a place", waits=True)
    return Standing("Running", "Working", "being made", waits=True)


def _trouble(trouble: Trouble) -> tuple[str, str]:
    where = f"{trouble.service}, {trouble.unit}" if trouble.unit else trouble.service
    return trouble.reason, f"{trouble.message} ({where})"


def _counts(dataset: Dataset, prices: Prices) -> Json:
    spec, stages = dataset.accepted.spec, dataset.stages()
    done = {stage.stage: min(stage.done, stage.total) for stage in stages}
    total = sum(stage.total for stage in stages)
    percent = 100 * sum(done.values()) // total
    is_complete = dataset.status.state is State.SUCCEEDED
    movies = spec.movies if is_complete else min(done[Stage.EXPORT], spec.movies)
    trouble = None if is_complete else dataset.trouble
    counts: Json = {
        "frames": f"{done[Stage.RENDERING]}/{spec.movies * spec.shape.total_frames}",
        "movies": f"{movies}/{spec.movies}",
        "moviesFinished": movies,
        "progress": "100%" if is_complete else f"{min(percent, 99)}%",
        "acceptedTime": _time(dataset.accepted.create_time),
        "stages": [_fields(stage, "stage", "unit", "done", "total", "in_progress") for stage in stages],
    }
    if dataset.status.end_time is not None:
        counts["endTime"] = _time(dataset.status.end_time)
    if dataset.accepted.estimate:
        counts["estimate"] = _fields(
            dataset.accepted.estimate, "frames", "llm_tokens", "gpu_seconds", "size_bytes", "cost"
        )
    if trouble:
        counts["trouble"] = _fields(trouble, "service", "reason", "message", "unit", "attempts")
        counts["trouble"]["message"] = _short(trouble.message)
    if dataset.progress.use:
        priced = [replace(use, cost=cost(use, prices)) for use in dataset.progress.use.values()]
        counts["modelUse"] = [_fields(use, "model", "prompt_tokens", "completion_tokens", "cost") for use in priced]
    return counts


def _conditions(resource: Resource, dataset: Dataset | None, standing: Standing, now: float) -> list[Json]:
    is_ready = standing.state == "Succeeded"
    is_working = standing.waits or standing.state in ("Pending", "Running", "Deleting")
    is_degraded = standing.state in ("Failed", "Refused") or (is_working and not _is_ordinary(standing))
    fine = ("AsExpected", "nothing is wrong")
    written: Sequence[tuple[str, bool, tuple[str, str]]] = (
        ("Ready", is_ready, (standing.reason, standing.message)),
        ("Progressing", is_working, (standing.reason, standing.message)),
        ("Degraded", is_degraded, (standing.reason, standing.message) if is_degraded else fine),
    )
    before = {condition["type"]: condition for condition in resource.status.get("conditions") or ()}
    return [_condition(kind, holds, why, resource.generation, before.get(kind), now) for kind, holds, why in written]


def _is_ordinary(standing: Standing) -> bool:
    return standing.reason in ("Queued", "Working", "Accepting", "Deleting")


def _condition(
    kind: str, holds: bool, why: tuple[str, str], generation: int, before: Mapping[str, Any] | None, now: float
) -> Json:
    value = str(holds)
    is_same = before is not None and before["status"] == value
    return {
        "type": kind,
        "status": value,
        "observedGeneration": generation,
        "lastTransitionTime": before["lastTransitionTime"] if before and is_same else _time(now),
        "reason": why[0],
        "message": _short(why[1]),
    }


def _fields(value: object, *names: str) -> Json:
    content = {name: getattr(value, name) for name in names}
    return {camel(name): str(one) if isinstance(one, str) else one for name, one in content.items()}


def _short(message: str) -> str:
    return message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE - 1]}…"


def _time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

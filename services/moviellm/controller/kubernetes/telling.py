"""What a person would want to know of a resource: events, told from one status to the next; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_BEFORE_WORK = (None, "Pending", "Suspended", "Refused")
_STOPPED = ("Failed", "Cancelled", "Suspended")
_AT_WORK = ("Pending", "Running", "Succeeded")


@dataclass(frozen=True)
class News:
    """One event: a word for programs, a sentence for people, and whether it is bad news."""

    reason: str
    message: str
    is_warning: bool = False


def news(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[News]:
    """What happened between two statuses, in order."""
    was, is_ = before.get("state"), now["state"]
    had_dataset = bool(before.get("dataset"))
    told: list[News] = []
    if now.get("dataset") and not had_dataset:
        told.append(News("Accepted", f"accepted as movieDatasets/{now['dataset']}: {now['frames']} frames are there"))
    if had_dataset and was in _STOPPED and is_ in _AT_WORK:
        told.append(News("Retried", "the work goes on; only what is missing is made"))
    elif was in _BEFORE_WORK and is_ in ("Running", "Succeeded", "Failed"):
        told.append(News("Started", "the work has begun"))
    if now.get("moviesFinished", 0) > before.get("moviesFinished", 0):
        told.append(News("MovieFinished", f"{now['movies']} movies are finished"))
    if is_ != was:
        told += _arrival(is_, now)
    elif is_ == "Refused" and now["message"] != before.get("message"):
        told.append(News(now["reason"], now["message"], is_warning=True))
    return told


def _arrival(state: str, now: Mapping[str, Any]) -> list[News]:
    if state == "Succeeded":
        return [News("Succeeded", f"complete: {now['frames']} frames in {now['movies']} movies")]
    if state == "Failed":
        return [News("Failed", now["message"], is_warning=True)]
    if state == "Refused":
        return [News(now["reason"], now["message"], is_warning=True)]
    if state in ("Suspended", "Cancelled"):
        return [News(state, now["message"])]
    return []

"""What is to be done about one resource, judged from how things stand and nothing else; pure."""

from enum import StrEnum

from moviellm.controller.kubernetes.resource import RETRY, DeletionPolicy, Resource
from moviellm.controller.registry import Dataset
from moviellm.dataset import State

_STOPPABLE = (State.PENDING, State.RUNNING)


class Step(StrEnum):
    """One step towards what the resource asks for; after each, things are looked at anew."""

    NOTHING = "nothing"
    HOLD = "hold"
    ACCEPT = "accept"
    CANCEL = "cancel"
    RETRY = "retry"
    REMOVE = "remove"
    RELEASE = "release"


def next_step(resource: Resource, dataset: Dataset | None, *, is_answered: bool = False) -> Step:
    """The next step, NOTHING where the dataset is as the resource asks.

    `is_answered`: another try that the resource asks for has been made, though its status does not say so yet.
    """
    state = dataset.status.state if dataset else None
    if resource.deleting:
        return _leaving(resource, state)
    if not resource.is_held:
        return Step.HOLD
    if dataset is None:
        return Step.NOTHING if resource.suspend else Step.ACCEPT
    if resource.suspend:
        return Step.CANCEL if state in _STOPPABLE else Step.NOTHING
    if state is State.CANCELLED:
        return Step.RETRY
    has_new_limit = resource.max_llm_tokens != dataset.accepted.spec.max_llm_tokens
    if state is State.FAILED and (has_new_limit or (not is_answered and _is_asked_again(resource))):
        return Step.RETRY
    # A limit reaches work under way by stopping and going on; what is made stays.
    return Step.CANCEL if state in _STOPPABLE and has_new_limit else Step.NOTHING


def _leaving(resource: Resource, state: State | None) -> Step:
    if not resource.is_held:
        return Step.NOTHING
    if state is not None and resource.deletion_policy is DeletionPolicy.DELETE:
        return Step.REMOVE
    return Step.CANCEL if state in _STOPPABLE else Step.RELEASE


def _is_asked_again(resource: Resource) -> bool:
    was_suspended = bool(resource.status.get("suspended"))
    asked = resource.annotations.get(RETRY)
    return was_suspended or (asked is not None and asked != resource.status.get("retried"))

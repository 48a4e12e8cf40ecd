"""What an optimisation needs to go on where it was: the state, and its bytes."""

import json
import math
from dataclasses import dataclass, field

import safetensors
import safetensors.torch
import structlog
import torch
from torch import Tensor

log = structlog.get_logger()

_TENSORS = ("vectors", "best", "first_moments", "second_moments")
_NUMBERS = ("step", "stale", "initial_loss", "best_loss", "last_losses")


@dataclass
class LessonState:
    """Where an optimisation stands; with the task, all that is needed to go on."""

    vectors: list[Tensor]
    best: list[Tensor]
    first_moments: list[Tensor]
    second_moments: list[Tensor]
    step: int = 0
    stale: int = 0
    initial_loss: float = math.nan
    best_loss: float = math.inf
    last_losses: list[float] = field(default_factory=list)


def checkpoint_of(state: LessonState, fingerprint: str) -> bytes:
    """The state as safetensors: named tensors, and the numbers as JSON under "state"."""
    tensors = {
        f"{name}.{i}": tensor.detach().cpu().contiguous().clone()
        for name in _TENSORS
        for i, tensor in enumerate(getattr(state, name))
    }
    numbers = {name: getattr(state, name) for name in _NUMBERS} | {"fingerprint": fingerprint}
    tensors["state"] = torch.frombuffer(bytearray(json.dumps(numbers).encode()), dtype=torch.uint8)
    return safetensors.torch.save(tensors)  # type: ignore[no-any-return]


def state_of(data: bytes, fingerprint: str) -> LessonState | None:
    """The state, or None where it is damaged or belongs to another task or model: then the work starts anew."""
    try:
        tensors = safetensors.torch.load(data)
        numbers = json.loads(bytes(tensors.pop("state").tolist()))
        if numbers.pop("fingerprint") != fingerprint:
            log.info("checkpoint of another task or model left aside")
            return None
        lists = {name: [tensors[key] for key in sorted(tensors) if key.startswith(f"{name}.")] for name in _TENSORS}
        return LessonState(**lists, **numbers)  # type: ignore[arg-type]
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        log.warning("damaged checkpoint left aside", error=str(error))
        return None

"""Low-rank changes of a U-Net's attention (LoRA), another one for each picture of a batch.

Where a layer computes W x, a picture's own change adds B A x. The pipeline keeps its weights, so one batch can mix the
styles of several movies, and the same function trains A and B, which are then the only parameters with a gradient. It
equals `pipe.load_lora_weights`, which reads the same file.
"""

import contextlib
import functools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import safetensors
import safetensors.torch
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from moviellm.errors import Broken, Unsatisfied
from moviellm.movie import LORA_FILE

LAYERS = ("to_q", "to_k", "to_v", "to_out.0")
"""Which linear layers of each attention are changed, by the ends of their names."""

_PREFIX = "unet."
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"
_TOKEN = "token"  # noqa: S105 - the name of an entry, no secret


@dataclass(frozen=True, eq=False)
class LowRank:
    """A style's changes by layer: A (rank, in) and B (out, rank); `token` is the word that prompts say it with."""

    token: str
    down: dict[str, Tensor]
    up: dict[str, Tensor]

    def to(self, like: Tensor) -> "LowRank":
        """The same in the number format and on the device of `like`."""
        return LowRank(
            self.token,
            {name: a.to(like.device, like.dtype) for name, a in self.down.items()},
            {name: b.to(like.device, like.dtype) for name, b in self.up.items()},
        )


class LowRankAttention:
    """The attention layers of one U-Net, which stay as they are outside of `applied`."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        self.layers: dict[str, torch.nn.Linear] = {
            name: layer
            for name, layer in unet.named_modules()
            if isinstance(layer, torch.nn.Linear) and name.endswith(LAYERS)
        }
        self._like: Tensor = unet.conv_in.weight

    @property
    def like(self) -> Tensor:
        """A weight, to compute with numbers of its kind."""
        return self._like

    def check(self, look: LowRank) -> None:
        """Raise Unsatisfied when the style was learnt for another model."""
        fits = look.down.keys() == look.up.keys() <= self.layers.keys() and all(
            look.down[name].shape[1] == self.layers[name].in_features
            and look.up[name].shape[0] == self.layers[name].out_features
            for name in look.down
        )
        if not fits:
            raise Unsatisfied(
                f"the LoRA of the style {look.token} was learnt for a U-Net of other layers: learn the style with "
                f"this model"
            )

    @contextlib.contextmanager
    def applied(self, looks: Sequence[LowRank | None]) -> Iterator[None]:
        """In its body, a batch's i-th picture is denoised with `looks[i]`.

        Batches of a multiple of that many rows, as guidance makes them, repeat them in order.
        """
        changes = self._stacked(looks) if any(look is not None for look in looks) else {}
        handles = [
            self.layers[name].register_forward_hook(functools.partial(_changed, change))
            for name, change in changes.items()
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _stacked(self, looks: Sequence[LowRank | None]) -> dict[str, tuple[Tensor, Tensor]]:
        """A (n, rank, in) and B (n, out, rank) by layer; zeros where a picture's style says nothing of a layer."""
        names = dict.fromkeys(name for look in looks if look is not None for name in look.down)
        return {name: self._of_layer(name, looks) for name in names}

    def _of_layer(self, name: str, looks: Sequence[LowRank | None]) -> tuple[Tensor, Tensor]:
        said = [look for look in looks if look is not None and name in look.down]
        rank = max(len(look.down[name]) for look in said)
        layer = self.layers[name]
        downs, ups = [], []
        for look in looks:
            known = look is not None and name in look.down
            down = look.down[name] if look is not None and known else self._like.new_zeros(0, layer.in_features)
            up = look.up[name] if look is not None and known else self._like.new_zeros(layer.out_features, 0)
            missing = rank - len(down)
            downs.append(torch.nn.functional.pad(down.to(self._like), (0, 0, 0, missing)))
            ups.append(torch.nn.functional.pad(up.to(self._like), (0, missing)))
        return torch.stack(downs), torch.stack(ups)


def read_low_rank(data: bytes) -> LowRank:
    """The style in a `LORA_FILE` as `write_low_rank` made it; raises Broken for anything else."""
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise Broken(f"{LORA_FILE} is damaged: {error}") from error
    down = {name[len(_PREFIX) : -len(_DOWN)]: value for name, value in tensors.items() if name.endswith(_DOWN)}
    up = {name[len(_PREFIX) : -len(_UP)]: value for name, value in tensors.items() if name.endswith(_UP)}
    token = metadata_of(data).get(_TOKEN, "")
    whole = down.keys() == up.keys() and len(down) + len(up) == len(tensors) > 0
    if not token or not whole or not all(value.isfinite().all() and value.ndim == 2 for value in tensors.values()):
        raise Broken(f"{LORA_FILE} is damaged: it holds no finite pairs of matrices and the word they are said with")
    return LowRank(token, down, up)


def write_low_rank(look: LowRank) -> bytes:
    """The style as a file that `pipe.load_lora_weights` and `read_low_rank` read."""
    pairs = ((look.down, _DOWN), (look.up, _UP))
    tensors = {
        f"{_PREFIX}{name}{end}": value.detach().float().cpu().contiguous()
        for matrices, end in pairs
        for name, value in matrices.items()
    }
    written: bytes = safetensors.torch.save(tensors, metadata={_TOKEN: look.token, "format": "pt"})
    return written


def metadata_of(data: bytes) -> dict[str, str]:
    """The metadata of a safetensors file; raises Broken where it has no readable head."""
    return dict(head_of(data).get("__metadata__", {}))


def head_of(data: bytes) -> dict[str, Any]:
    """What a safetensors file says of its tensors, by name; raises Broken where it has no readable head."""
    try:
        head: Any = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    except ValueError as error:
        raise Broken(f"a learnt style's file is damaged: it has no readable head ({error})") from error
    if not isinstance(head, dict):
        raise Broken("a learnt style's file is damaged: its head is no list of tensors")
    return head


def _changed(change: tuple[Tensor, Tensor], layer: Any, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    down, up = change
    times = len(output) // len(down)
    if times > 1:
        down, up = down.repeat(times, 1, 1), up.repeat(times, 1, 1)
    added: Tensor = output + torch.bmm(torch.bmm(inputs[0], down.mT), up.mT)
    return added

"""Several processes that learn one model: each takes its part of every batch, and the gradients are averaged.

On a processor a second thread brings little to a small network, a second process nearly doubles the speed.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import distributed
from torch.multiprocessing.spawn import start_processes

_MOST = 4


@dataclass(frozen=True)
class Place:
    """One process's place in a team of `size`; the one of rank 0 leads."""

    rank: int = 0
    size: int = 1

    def average(self, tensors: Sequence[torch.Tensor]) -> None:
        """Put into all tensors, which every process must pass in the same order, their mean over the team."""
        if self.size == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        flat /= self.size
        for tensor, mean in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))


ALONE = Place()


def team_size(batch: int) -> int:
    """As many processes as there are cores, four at most, so that they share the batch equally; one with a GPU."""
    if torch.cuda.is_available():
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(size for size in range(1, min(cores, _MOST, batch) + 1) if batch % size == 0)


@contextmanager
def team(size: int, help_out: Callable[..., None], *arguments: object) -> Iterator[Place]:
    """This process's place as the leader of `size` processes; each other runs `help_out(place, *arguments)`.

    `help_out` is a function of a module; whoever dies takes the team with it.
    """
    if size == 1:
        yield ALONE
        return
    with tempfile.TemporaryDirectory(prefix="team-") as folder:
        meeting = str(Path(folder) / "meeting")
        helpers = start_processes(  # type: ignore[no-untyped-call]
            _helper, (size, meeting, help_out, arguments), nprocs=size - 1, join=False, start_method="spawn"
        )
        try:
            with _joined(Place(0, size), meeting) as place:
                yield place
            while not helpers.join():
                pass
        finally:
            for process in helpers.processes:
                process.kill()


def _helper(index: int, size: int, meeting: str, help_out: Callable[..., None], arguments: Sequence[object]) -> None:
    with _joined(Place(index + 1, size), meeting) as place:
        help_out(place, *arguments)


@contextmanager
def _joined(place: Place, meeting: str) -> Iterator[Place]:
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    distributed.init_process_group("gloo", f"file://{meeting}", rank=place.rank, world_size=place.size)
    try:
        yield place
    finally:
        distributed.destroy_process_group()

"""Processes that learn together: they agree on every number, and none goes on without the others."""

import os
import time

import pytest

pytest.importorskip("diffusers")

pytestmark = pytest.mark.timeout(180)


def _help(place, rounds: int) -> None:
    import torch

    for number in range(rounds):
        place.average([torch.tensor([float(place.rank)]), torch.full((2, 2), float(number))])


def _die(place) -> None:
    os._exit(3)


def test_every_process_of_a_team_gets_the_mean() -> None:
    import torch

    from moviellm.pocket.torch_team import team

    with team(3, _help, 2) as place:
        for number in range(2):
            mine, shared = torch.tensor([float(place.rank)]), torch.full((2, 2), number + 3.0)
            place.average([mine, shared])
            assert mine.item() == 1.0
            assert torch.equal(shared, torch.full((2, 2), number + 1.0))


def test_one_who_dies_takes_the_team_with_it() -> None:
    import torch

    from moviellm.pocket.torch_team import team

    begun = time.monotonic()
    with pytest.raises(Exception, match=r"(?i)connection|peer|terminated|exit"), team(2, _die) as place:
        place.average([torch.zeros(1)])
    assert time.monotonic() - begun < 120


def test_alone_nothing_is_averaged() -> None:
    import torch

    from moviellm.pocket.torch_team import ALONE, team, team_size

    with team(1, _die) as place:
        assert place == ALONE
    mine = torch.ones(3)
    place.average([mine])
    assert torch.equal(mine, torch.ones(3))
    assert team_size(1) == 1
    assert 24 % team_size(24) == 0

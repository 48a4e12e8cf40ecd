"""The autoencoder is computed: both halves do what the projection does, through stock layers."""

import numpy as np
import pytest

pytest.importorskip("diffusers")

from moviellm.pocket.dataset import pictures_of
from moviellm.pocket.latents import fit, patches
from moviellm.pocket.unfoldings import content_of, unfoldings


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    return pictures_of(3, range(60))


@pytest.fixture(scope="module")
def projection(drawn):
    return fit(drawn)


def _decibels(one: np.ndarray, two: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((one - two) ** 2)))


def test_neighbours_tell_what_a_patch_alone_does_not(projection, drawn) -> None:
    content = content_of(projection, drawn)
    alone = (projection.basis / projection.gain).shape[1]
    own, told = content.samples[:, :alone] @ content.shown[:, :alone].T, content.samples @ content.shown.T
    wanted = patches(drawn) - projection.mean
    assert _decibels(told, wanted) > _decibels(own, wanted) + 0.2


def test_doublings_lead_to_pixels(projection, drawn) -> None:
    start = content_of(projection, drawn)
    assert [one.width for one in unfoldings(start, (20, 12, 6, 3))] == [20, 12, 6, 3]


def test_both_halves_are_as_good_as_the_projection(projection, drawn) -> None:
    import torch

    from moviellm.pocket.diffusers_autoencoder import build_autoencoder
    from moviellm.pocket.diffusers_unfolding import unfold_and_fold

    torch.set_num_threads(1)
    vae = build_autoencoder()
    unfold_and_fold(vae, projection, drawn)
    others = pictures_of(4, range(8))
    latents = projection.encode(others)
    pixels = torch.from_numpy(others.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)
    with torch.no_grad():
        found = vae.encode(pixels).latent_dist.mean.numpy()
        decoded = vae.decode(torch.from_numpy(latents)).sample.clamp(-1, 1).numpy().transpose(0, 2, 3, 1) / 2 + 0.5
    assert np.mean((found - latents) ** 2) < 5e-3
    by_projection = _decibels(projection.decode(latents), others / 255)
    assert _decibels(decoded, others / 255) > by_projection - 0.1

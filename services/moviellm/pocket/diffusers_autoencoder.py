"""The autoencoder: a stock AutoencoderKL that is computed to meet the projected latents, not trained.

Learning it took long and reached less (21.1 dB of decoded drawings against 22.3); worse, it blurred the patterns of
looks away. As the latents are known beforehand (`latents.Projection`), the U-Net may train meanwhile.
"""

import math
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from moviellm.pocket import SIZE
from moviellm.pocket.diffusers_unfolding import unfold_and_fold
from moviellm.pocket.latents import CHANNELS, Projection

_MEASURED = 1_500


def build_autoencoder() -> AutoencoderKL:
    """128×128×3 ↔ 8×8×36; slim at full size, where a processor's time goes, no attention, plain rectifiers."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 5,
        up_block_types=("UpDecoderBlock2D",) * 5,
        block_out_channels=(16, 24, 40, 80, 96),
        layers_per_block=1,
        act_fn="relu",
        latent_channels=CHANNELS,
        norm_num_groups=1,
        sample_size=SIZE,
        scaling_factor=1.0,
        mid_block_add_attention=False,
    )


def compute_autoencoder(folder: Path) -> AutoencoderKL:
    """The autoencoder of a workshop's projection."""
    torch.manual_seed(0)
    vae = build_autoencoder()
    pictures = np.load(folder / "pictures.npy", mmap_mode="r")
    unfold_and_fold(vae, Projection.load(folder / "projection.npz"), np.asarray(pictures[:_MEASURED]))
    return vae


@torch.no_grad()
def fidelity(folder: Path, vae: AutoencoderKL) -> str:
    """Peak signal-to-noise ratio on the last pictures, from projected and from encoded latents."""
    pictures = np.load(folder / "pictures.npy", mmap_mode="r")
    kept = np.asarray(pictures[-48:])
    wanted = torch.from_numpy(kept.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)
    projected = torch.from_numpy(Projection.load(folder / "projection.npz").encode(kept))
    return ", ".join(
        f"{name} {_decibels(vae.decode(latents).sample, wanted):.2f} dB"
        for name, latents in (("decoder", projected), ("round trip", vae.encode(wanted).latent_dist.mean))
    )


def _decibels(drawn: torch.Tensor, wanted: torch.Tensor) -> float:
    error = ((drawn.clamp(-1, 1) - wanted) / 2).square().mean().item()
    return -10 * math.log10(max(error, 1e-12))

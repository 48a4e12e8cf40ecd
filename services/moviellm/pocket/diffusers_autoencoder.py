"""The autoencoder, taught in two steps: the decoder to draw from projected latents, the encoder to find them again.

The latents are fixed (`latents.Projection`), so neither step can collapse and the U-Net may train meanwhile.

A decoder that doubles its picture four times by repeating pixels cannot tell the four copies apart: it must first find
out where it is, and training from the last layer alone it took very long to. So every level is told what to hold in its
first channels: the position, and the picture itself folded into fewer, deeper pixels. With this, and with residual
blocks that start as identities, two minutes do what fifteen did not.
"""

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from moviellm.pocket import SIZE
from moviellm.pocket.latents import CHANNELS, Projection

Say = Callable[[str], None]

_KEPT = 500
"""Pictures at the end of the file that are not learnt from."""

_QUIET = 0.03
"""Noise on the latents while the decoder learns: sampled latents are never exact."""


def build_autoencoder() -> AutoencoderKL:
    """128×128×3 ↔ 8×8×32; slim at full size, where a processor's time goes, and without attention."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 5,
        up_block_types=("UpDecoderBlock2D",) * 5,
        block_out_channels=(12, 24, 48, 96, 128),
        layers_per_block=1,
        latent_channels=CHANNELS,
        norm_num_groups=1,
        sample_size=SIZE,
        scaling_factor=1.0,
        mid_block_add_attention=False,
    )


def _tensor(pictures: np.ndarray) -> torch.Tensor:
    """uint8 (N, H, W, 3) to (N, 3, H, W), −1 to 1."""
    return torch.from_numpy(pictures.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)


def _batches(folder: Path, seed: int, size: Callable[[], int]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Pictures and their projected latents, for ever."""
    pictures = np.load(folder / "pictures.npy", mmap_mode="r")
    projection = Projection.load(folder / "projection.npz")
    random = np.random.default_rng(seed)
    while True:
        chosen = np.asarray(pictures[random.integers(0, len(pictures) - _KEPT, size())])
        yield _tensor(chosen), torch.from_numpy(projection.encode(chosen))


def _positions(side: int, like: torch.Tensor) -> torch.Tensor:
    """How far right and how far down each pixel lies, (B, 2, side, side), −1 to 1."""
    ramp = (torch.arange(side) + 0.5) / side * 2 - 1
    both = torch.stack([ramp.expand(side, side), ramp[:, None].expand(side, side)])
    return both.expand(len(like), -1, -1, -1)


def _held(pictures: torch.Tensor) -> list[torch.Tensor]:
    """What each level of the decoder shall hold in its first channels, from 8×8 to 128×128."""
    fold, half = torch.nn.functional.pixel_unshuffle, torch.nn.functional.avg_pool2d(pictures, 2)
    return [
        _positions(8, pictures),
        torch.cat([_positions(16, pictures), fold(half, 4)], dim=1),
        torch.cat([_positions(32, pictures), fold(pictures, 4)], dim=1),
        torch.cat([_positions(64, pictures), fold(pictures, 2)], dim=1),
        pictures,
    ]


def _drawing_loss(vae: AutoencoderKL, pictures: torch.Tensor, latents: torch.Tensor, depth: int) -> torch.Tensor:
    """The errors of the first `depth` doublings, and of the picture itself once all five blocks take part."""
    decoder = vae.decoder
    hidden = decoder.mid_block(decoder.conv_in(vae.post_quant_conv(latents + _QUIET * torch.randn_like(latents))))
    levels = [hidden]
    for block in list(decoder.up_blocks)[:depth]:
        levels.append(block(levels[-1]))
    loss = torch.zeros(())
    for level, wanted in zip(levels, _held(pictures), strict=False):
        errors = (level[:, : wanted.shape[1]] - wanted).abs()
        loss = loss + 0.4 * errors.mean() + 0.2 * errors[:, :2].mean()
    if depth < len(decoder.up_blocks):
        return loss
    return loss + _likeness(decoder.conv_out(decoder.conv_act(decoder.conv_norm_out(levels[-1]))), pictures)


def _differences(picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return picture[..., 1:] - picture[..., :-1], picture[..., 1:, :] - picture[..., :-1, :]


def _likeness(drawn: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Absolute error of the picture and of its slopes, which keeps outlines crisp."""
    loss = torch.nn.functional.l1_loss(drawn, wanted)
    for slope, true in zip(_differences(drawn), _differences(wanted), strict=True):
        loss = loss + 0.6 * torch.nn.functional.l1_loss(slope, true)
    return loss


def train_autoencoder(folder: Path, decoder_seconds: float, encoder_seconds: float, say: Say) -> None:
    """Decoder first, then encoder; both resume. Writes `autoencoder.pt`.

    The budgets are processor seconds: on a busy machine the lessons take longer and are not fewer.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    vae = build_autoencoder().to(memory_format=torch.channels_last)
    for name, value in vae.decoder.named_parameters():
        if "conv2" in name:
            torch.nn.init.zeros_(value)

    def draw(pictures: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        return _drawing_loss(vae, pictures, latents, 2 if len(pictures) > 2 else 5)

    def find(pictures: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        found = vae.encode(pictures).latent_dist
        quiet: torch.Tensor = 0.001 * (found.logvar + 10).abs().mean()
        return torch.nn.functional.mse_loss(found.mean, latents) + quiet

    _learn(folder, "decoder", vae, [vae.decoder, vae.post_quant_conv], draw, decoder_seconds, say)
    _learn(folder, "encoder", vae, [vae.encoder, vae.quant_conv], find, encoder_seconds, say)


def _learn(
    folder: Path,
    part: str,
    vae: AutoencoderKL,
    modules: list[torch.nn.Module],
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    seconds: float,
    say: Say,
) -> None:
    """Minimise one loss over one half of the autoencoder for that long; batches of four at first, then of two."""
    path = folder / "autoencoder.pt"
    weights = [value for module in modules for value in module.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=2e-3, betas=(0.9, 0.99), weight_decay=0.0)
    clock = _resume(path, part, vae, optimizer)
    losses: list[float] = []
    saved = time.process_time()
    started = saved - clock.get(part, 0.0)

    def used() -> float:
        return (time.process_time() - started) / seconds

    batches = _batches(folder, round(clock.get(part, 0.0)), lambda: 4 if used() < 0.28 else 2)
    for step, (pictures, latents) in enumerate(batches, 1):
        share = used()
        if share >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1.0, step / 40) * (0.02 + 0.49 * (1 + math.cos(math.pi * share)))
        loss = loss_of(pictures.contiguous(memory_format=torch.channels_last), latents)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        losses.append(loss.item())
        if time.process_time() - saved > 40:
            clock[part] = time.process_time() - started
            _keep(path, vae, optimizer, clock)
            say(f"{part}: {step} steps, {100 * share:.0f} %, loss {np.mean(losses):.4f}, {fidelity(folder, vae)}")
            losses.clear()
            saved = time.process_time()
    clock[part] = seconds
    _keep(path, vae, optimizer, clock)
    say(f"{part} is done: {fidelity(folder, vae)}")


def _resume(path: Path, part: str, vae: AutoencoderKL, optimizer: torch.optim.Optimizer) -> dict[str, float]:
    """Read a checkpoint if there is one; the seconds that each part has used."""
    if not path.exists():
        return {}
    whole = torch.load(path, weights_only=True)
    vae.load_state_dict(whole["vae"])
    if list(whole["clock"])[-1] == part:
        optimizer.load_state_dict(whole["optimizer"])
    clock: dict[str, float] = whole["clock"]
    return clock


def _keep(path: Path, vae: AutoencoderKL, optimizer: torch.optim.Optimizer, clock: dict[str, float]) -> None:
    half = path.with_suffix(".part")
    torch.save({"vae": vae.state_dict(), "clock": clock, "optimizer": optimizer.state_dict()}, half)
    half.replace(path)


@torch.no_grad()
def fidelity(folder: Path, vae: AutoencoderKL) -> str:
    """Peak signal-to-noise ratio on pictures kept out of training, from projected and from encoded latents."""
    pictures = np.load(folder / "pictures.npy", mmap_mode="r")
    kept = np.asarray(pictures[-24:])
    wanted = _tensor(kept)
    projected = torch.from_numpy(Projection.load(folder / "projection.npz").encode(kept))
    return ", ".join(
        f"{name} {_decibels(vae.decode(latents).sample, wanted):.2f} dB"
        for name, latents in (("decoder", projected), ("round trip", vae.encode(wanted).latent_dist.mean))
    )


def _decibels(drawn: torch.Tensor, wanted: torch.Tensor) -> float:
    error = ((drawn.clamp(-1, 1) - wanted) / 2).square().mean().item()
    return -10 * math.log10(max(error, 1e-12))

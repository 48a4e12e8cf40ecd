"""The diffusion loss of a pipeline's U-Net, and the latents of pictures it is taken on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline
from torch import Tensor

from moviellm.errors import Unsatisfied
from moviellm.inversion.pictures import Square
from moviellm.pipelines.diffusers_prompts import EncodedPrompts

PREDICTIONS = ("epsilon", "v_prediction", "sample")
_NO_SIGNAL = 1e-6
_PICTURES_AT_ONCE = 4


class Denoising:
    """‖target − f_θ(z_t, t, c)‖² for a frozen U-Net f_θ, where the target is what its scheduler says it predicts.

    z_t = √ᾱ_t z + √(1−ᾱ_t) ε; the target is ε, or v = √ᾱ_t ε − √(1−ᾱ_t) z, or z. ᾱ is the scheduler's, rescaled to a
    terminal SNR of zero where it says so.
    """

    def __init__(self, pipe: DiffusionPipeline, size: int) -> None:
        self._unet = pipe.unet
        self._prediction = str(pipe.scheduler.config.get("prediction_type", "epsilon"))
        alphas = getattr(pipe.scheduler, "alphas_cumprod", None)
        if self._prediction not in PREDICTIONS or alphas is None:
            raise Unsatisfied(
                f"the model's scheduler {type(pipe.scheduler).__name__} ({self._prediction}) is none that a style can "
                f"be learnt with: use one with a beta schedule that predicts {', '.join(PREDICTIONS)}"
            )
        self._alphas: Tensor = alphas.to(pipe.device, torch.float32)
        self._time_ids = torch.tensor([[size, size, 0, 0, size, size]], device=pipe.device, dtype=self._unet.dtype)

    @property
    def half_precision(self) -> bool:
        """Whether gradients are computed in float16, where small ones vanish unless the loss is scaled."""
        return bool(self._unet.dtype == torch.float16)

    @property
    def times(self) -> int:
        """The number of times t that teach anything: ε cannot be learnt from z_T where z_T is nothing but ε."""
        if self._prediction != "epsilon":
            return len(self._alphas)
        return int((self._alphas > _NO_SIGNAL).sum())

    def times_at(self, shares: Tensor, sampled_steps: int = 0) -> Tensor:
        """Times t, int64, at shares (0 to 1, without 1) of the way to pure noise.

        With `sampled_steps`, only those that a sampler of so many trailing steps visits: the noisiest time of the
        stretch in which a share lies.
        """
        if not sampled_steps:
            return (shares * self.times).long()
        return ((shares * sampled_steps).long() + 1) * self.times // sampled_steps - 1

    def losses(self, z: Tensor, t: Tensor, epsilon: Tensor, c: EncodedPrompts) -> Tensor:
        """The loss of each of n samples, float32 (n,): latents z and noise ε (n, channels, h, w), times t (n,)."""
        alpha = self._alphas[t][:, None, None, None]
        signal, noise = alpha.sqrt(), (1 - alpha).sqrt()
        z_t = signal * z + noise * epsilon
        target = {"epsilon": epsilon, "v_prediction": signal * epsilon - noise * z, "sample": z}[self._prediction]
        predicted = self._unet(
            z_t.to(self._unet.dtype),
            t,
            encoder_hidden_states=c.prompt_embeds.to(self._unet.dtype),
            added_cond_kwargs=self._conditions(c, len(z)),
            return_dict=False,
        )[0]
        squares: Tensor = (predicted.float() - target).square()
        return squares.mean(dim=(1, 2, 3))

    def _conditions(self, c: EncodedPrompts, count: int) -> dict[str, Tensor] | None:
        if c.pooled is None:
            return None
        return {"text_embeds": c.pooled.to(self._unet.dtype), "time_ids": self._time_ids.expand(count, -1)}


@torch.no_grad()
def encode_pictures(pipe: DiffusionPipeline, pictures: Sequence[Square]) -> Tensor:
    """Latents of the pictures, float32 (n, channels, h, w), scaled as the U-Net knows them; the means, no samples."""
    vae, dtype = pipe.vae, pipe.vae.dtype
    upcast = dtype == torch.float16 and bool(getattr(vae.config, "force_upcast", False))
    if upcast:
        vae.to(torch.float32)
    latents = [
        _latents(vae, np.stack(pictures[start : start + _PICTURES_AT_ONCE]))
        for start in range(0, len(pictures), _PICTURES_AT_ONCE)
    ]
    if upcast:
        vae.to(dtype)
    return torch.cat(latents)


def _latents(vae: Any, pictures: Square) -> Tensor:
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(vae.device, vae.dtype) / 127.5 - 1
    encoded = vae.encode(pixels)
    z: Tensor = (encoded.latent_dist.mode() if hasattr(encoded, "latent_dist") else encoded.latents).float()
    config = vae.config
    mean, deviation = getattr(config, "latents_mean", None), getattr(config, "latents_std", None)
    if mean is not None and deviation is not None:
        z = (z - z.new_tensor(mean).view(1, -1, 1, 1)) / z.new_tensor(deviation).view(1, -1, 1, 1)
    return z * float(getattr(config, "scaling_factor", 1.0))

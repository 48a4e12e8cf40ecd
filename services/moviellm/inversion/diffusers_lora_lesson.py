"""One LoRA: minimise ‖ε − ε_θ+BA(z_t, t, c(y))‖² over low-rank changes B A of the U-Net's attention alone.

The prompts say the style with its keyword as a plain word. All matrices are one row of numbers, so that state and
checkpoint are those of textual inversion.
"""

import math
from random import Random

import torch
from torch import Tensor

from moviellm.dataset import derived_seed
from moviellm.errors import Unsatisfied
from moviellm.inversion.diffusers_checkpoint import LessonState, checkpoint_of
from moviellm.inversion.diffusers_denoising import Denoising
from moviellm.inversion.lessons import InversionProgress, Learnt, StyleTask
from moviellm.inversion.lora_recipe import LoraRecipe
from moviellm.inversion.templates import held_out_prompts, training_prompt
from moviellm.movie import LORA_FILE
from moviellm.pipelines.diffusers_lora import LowRank, LowRankAttention, write_low_rank
from moviellm.pipelines.diffusers_prompts import PromptEncoder

_AVERAGED = 10
_HALF_PRECISION_SCALE = 1024.0


class LoraLesson:
    """One optimisation. Every step has random numbers of its own, so that a resumed one goes the same way."""

    def __init__(
        self,
        task: StyleTask,
        *,
        recipe: LoraRecipe,
        encoder: PromptEncoder,
        attention: LowRankAttention,
        denoising: Denoising,
        latents: Tensor,
        fingerprint: str,
        state: LessonState | None = None,
    ) -> None:
        self._task = task
        self._recipe = recipe
        self._encoder = encoder
        self._attention = attention
        self._denoising = denoising
        self._latents = latents
        self._fingerprint = fingerprint
        self._token = task.style.keyword.strip()
        self._scale = _HALF_PRECISION_SCALE if denoising.half_precision else 1.0
        self._held_out = _held_out(task, latents, recipe, denoising)
        self._state = state or _first_state(task, attention, recipe.rank)
        self._numbers = torch.nn.Parameter(self._state.vectors[0].to(latents.device, copy=True))
        self._optimizer = torch.optim.AdamW([self._numbers], lr=recipe.learning_rate, weight_decay=0.0)
        self._restore_moments()
        if state is None:
            self._state.initial_loss = self._state.best_loss = self._checked(self._held_out_loss())

    @property
    def done(self) -> bool:
        """Whether all steps are taken, or the held-out loss has not fallen for long."""
        return self._state.step >= self._recipe.steps or self._state.stale >= self._recipe.patience

    def advance(self) -> InversionProgress:
        """One step. Raises Unsatisfied when the loss is not a number."""
        state, recipe = self._state, self._recipe
        share = state.step / recipe.steps
        self._optimizer.param_groups[0]["lr"] = recipe.learning_rate * (1 - (1 - recipe.final_rate) * share)
        loss = self._checked(self._taught())
        state.last_losses = [*state.last_losses[1 - _AVERAGED :], loss]
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        state.step += 1
        if not self._numbers.isfinite().all():
            self._checked(math.nan)
        if state.step % recipe.evaluate_every == 0 or state.step == recipe.steps:
            self._evaluate()
        return InversionProgress(state.step, recipe.steps, sum(state.last_losses) / len(state.last_losses))

    def checkpoint(self) -> bytes:
        """The state as bytes; see `checkpoint_of`."""
        state, moments = self._state, self._optimizer.state.get(self._numbers, {})
        state.vectors = [self._numbers.detach()]
        state.first_moments = [moments.get("exp_avg", torch.zeros_like(self._numbers.detach()))]
        state.second_moments = [moments.get("exp_avg_sq", torch.zeros_like(self._numbers.detach()))]
        return checkpoint_of(state, self._fingerprint)

    def finish(self) -> Learnt:
        """The changes with the lowest held-out loss."""
        state = self._state
        files = {LORA_FILE: write_low_rank(self._matrices(state.best[0]))}
        return Learnt(self._token, files, state.initial_loss, state.best_loss, state.step)

    def _taught(self) -> float:
        """Loss of one step, its gradient in the numbers."""
        seed, step, size = self._task.seed, self._state.step, self._recipe.batch_size
        numbers = torch.Generator().manual_seed(derived_seed(seed, "lora", step))
        rng = Random(derived_seed(seed, "lora prompts", step))
        chosen = torch.randint(len(self._latents), (size,), generator=numbers)
        strata = (torch.randperm(size, generator=numbers) + torch.rand(size, generator=numbers)) / size
        t = self._denoising.times_at(strata, self._recipe.sampled_steps)
        noise = torch.randn(size, *self._latents.shape[1:], generator=numbers)
        prompts = [training_prompt(self._token, self._caption(int(i)), rng, self._task.subject) for i in chosen]
        with self._attention.applied([self._matrices(self._numbers)] * size):
            # backward too: where activations are computed twice, the layers must be changed the second time as well
            loss = self._losses(chosen, t, noise, prompts).mean()
            (loss * self._scale).backward()  # type: ignore[no-untyped-call]
        if self._numbers.grad is None or not self._numbers.grad.isfinite().all():
            return math.nan
        self._numbers.grad /= self._scale
        return float(loss.detach())

    @torch.no_grad()
    def _held_out_loss(self) -> float:
        """The mean loss on the fixed pictures, times and noises that no step sees."""
        pictures, times, noises = self._held_out
        prompts = held_out_prompts(self._token, self._task.captions, len(times), self._task.subject)
        at_once, matrices, losses = 2 * self._recipe.batch_size, self._matrices(self._numbers), []
        for start in range(0, len(times), at_once):
            part = slice(start, start + at_once)
            with self._attention.applied([matrices] * len(times[part])):
                losses.append(self._losses(pictures[part], times[part], noises[part], prompts[part]))
        return float(torch.cat(losses).mean())

    def _losses(self, chosen: Tensor, t: Tensor, noise: Tensor, prompts: list[str]) -> Tensor:
        device = self._latents.device
        with torch.no_grad():
            encoded = self._encoder.encode(prompts)
        return self._denoising.losses(self._latents[chosen.to(device)], t.to(device), noise.to(device), encoded)

    def _matrices(self, numbers: Tensor) -> LowRank:
        """Views of the row as A and B of every layer."""
        down: dict[str, Tensor] = {}
        up: dict[str, Tensor] = {}
        rank, first = self._recipe.rank, 0
        for name, layer in self._attention.layers.items():
            for matrices, shape in ((down, (rank, layer.in_features)), (up, (layer.out_features, rank))):
                matrices[name] = numbers[first : first + math.prod(shape)].view(shape)
                first += math.prod(shape)
        return LowRank(self._token, down, up)

    def _caption(self, latent: int) -> str:
        return self._task.captions[latent // self._recipe.ways] if self._task.captions else ""

    def _evaluate(self) -> None:
        state = self._state
        loss = self._checked(self._held_out_loss())
        state.stale += 1
        if loss < state.best_loss:
            state.best_loss, state.stale = loss, 0
            state.best = [self._numbers.detach().clone()]

    def _checked(self, loss: float) -> float:
        if math.isfinite(loss):
            return loss
        raise Unsatisfied(
            f"the loss of style {self._task.style.keyword} is not a number at step {self._state.step}; nothing was "
            "stored: lower MOVIELLM_INVERSION_LORA_LEARNING_RATE, or set MOVIELLM_INVERSION_DTYPE to float32",
            reason="NOT_A_NUMBER",
        )

    def _restore_moments(self) -> None:
        if self._state.step:
            self._optimizer.state[self._numbers] = {
                "step": torch.tensor(float(self._state.step)),
                "exp_avg": self._state.first_moments[0].to(self._numbers),
                "exp_avg_sq": self._state.second_moments[0].to(self._numbers),
            }


def _held_out(
    task: StyleTask, latents: Tensor, recipe: LoraRecipe, denoising: Denoising
) -> tuple[Tensor, Tensor, Tensor]:
    """Fixed pictures (unmirrored, in turn), evenly spread times and noises."""
    count = recipe.held_out
    numbers = torch.Generator().manual_seed(derived_seed(task.seed, "lora held out"))
    pictures = (recipe.ways * torch.arange(count)) % len(latents)
    spread = (torch.randperm(count, generator=numbers) + 0.5) / count
    noises = torch.randn(count, *latents.shape[1:], generator=numbers)
    return pictures, denoising.times_at(spread, recipe.sampled_steps), noises


def _first_state(task: StyleTask, attention: LowRankAttention, rank: int) -> LessonState:
    """A is random, B nothing, so that the model begins as it is."""
    generator = torch.Generator().manual_seed(derived_seed(task.seed, "lora start"))
    parts = []
    for layer in attention.layers.values():
        parts += [torch.randn(rank * layer.in_features, generator=generator) / rank]
        parts += [torch.zeros(layer.out_features * rank)]
    start = torch.cat(parts)
    return LessonState(vectors=[start], best=[start], first_moments=[], second_moments=[])

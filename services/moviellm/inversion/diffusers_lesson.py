"""One textual inversion (paper, section 3.2): minimise ‖ε − ε_θ(z_t, t, c(y(v)))‖² over a style's vectors v alone."""

import itertools
import math
import re
from random import Random

import torch
from torch import Tensor

from moviellm.dataset import MAX_VECTORS, derived_seed
from moviellm.errors import Unsatisfied
from moviellm.inversion.diffusers_checkpoint import LessonState, checkpoint_of
from moviellm.inversion.diffusers_denoising import Denoising
from moviellm.inversion.lessons import InversionProgress, Learnt, StyleTask
from moviellm.inversion.naming import style_token
from moviellm.inversion.recipe import Recipe
from moviellm.inversion.templates import held_out_prompts, training_prompt
from moviellm.pipelines.diffusers_prompts import EncodedPrompts, LearnedVectors, PromptEncoder, write_learned

_AVERAGED = 10
_HALF_PRECISION_SCALE = 1024.0
_TELLING_NOTHING = frozenset(("a", "an", "and", "in", "of", "on", "the", "with"))


class DiffusersLesson:
    """One optimisation. Every step has random numbers of its own, so that a resumed one goes the same way."""

    def __init__(
        self,
        task: StyleTask,
        *,
        recipe: Recipe,
        encoder: PromptEncoder,
        denoising: Denoising,
        latents: Tensor,
        fingerprint: str,
        state: LessonState | None = None,
    ) -> None:
        self._task = task
        self._recipe = recipe
        self._encoder = encoder
        self._denoising = denoising
        self._latents = latents
        self._fingerprint = fingerprint
        self._token = style_token(task.style.keyword, encoder.knows)
        self._scale = _HALF_PRECISION_SCALE if denoising.half_precision else 1.0
        self._held_out = _held_out(task, latents, recipe, denoising)
        self._state = state or _first_state(task, recipe, encoder)
        self._vectors = [torch.nn.Parameter(vectors.to(latents.device, copy=True)) for vectors in self._state.vectors]
        self._optimizer = torch.optim.AdamW(self._vectors, lr=self._recipe.learning_rate, weight_decay=0.0)
        self._restore_moments()
        if state is None:
            self._state.initial_loss = self._state.best_loss = self._checked(self.held_out_loss())

    @property
    def done(self) -> bool:
        """Whether all steps are taken, or the held-out loss has not fallen for long."""
        return self._state.step >= self._recipe.steps or self._state.stale >= self._recipe.patience

    def advance(self) -> InversionProgress:
        """One step. Raises Unsatisfied when the loss is not a number."""
        state = self._state
        self._set_rate()
        loss = self._train_loss()
        (loss * self._scale).backward()  # type: ignore[no-untyped-call]
        for vectors in self._vectors:
            if vectors.grad is None or not vectors.grad.isfinite().all():
                self._checked(math.nan)
            else:
                vectors.grad /= self._scale
        state.last_losses = [*state.last_losses[1 - _AVERAGED :], self._checked(float(loss.detach()))]
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        state.step += 1
        if not all(vectors.isfinite().all() for vectors in self._vectors):
            self._checked(math.nan)
        if state.step % self._recipe.evaluate_every == 0 or state.step == self._recipe.steps:
            self._evaluate()
        return InversionProgress(state.step, self._recipe.steps, sum(state.last_losses) / len(state.last_losses))

    @torch.no_grad()
    def held_out_loss(self) -> float:
        """The mean loss on the fixed pictures, times and noises that no step sees."""
        pictures, times, noises = self._held_out
        prompts = held_out_prompts(self._token, self._task.captions, len(times), self._task.subject)
        at_once = 2 * self._recipe.batch_size
        parts = (slice(start, start + at_once) for start in range(0, len(times), at_once))
        losses = [self._losses(pictures[part], times[part], noises[part], prompts[part]) for part in parts]
        return float(torch.cat(losses).mean())

    def checkpoint(self) -> bytes:
        """The state as bytes; see `checkpoint_of`."""
        state, moments = self._state, [self._optimizer.state.get(vectors, {}) for vectors in self._vectors]
        state.vectors = [vectors.detach() for vectors in self._vectors]
        empty = [torch.zeros_like(vectors) for vectors in state.vectors]
        state.first_moments = [m.get("exp_avg", zeros) for m, zeros in zip(moments, empty, strict=True)]
        state.second_moments = [m.get("exp_avg_sq", zeros) for m, zeros in zip(moments, empty, strict=True)]
        return checkpoint_of(state, self._fingerprint)

    def finish(self) -> Learnt:
        """The vectors with the lowest held-out loss."""
        state = self._state
        files = write_learned(LearnedVectors(self._token, tuple(state.best)))
        return Learnt(self._token, files, state.initial_loss, state.best_loss, state.step)

    def _train_loss(self) -> Tensor:
        seed, step, size = self._task.seed, self._state.step, self._recipe.batch_size
        numbers = torch.Generator().manual_seed(derived_seed(seed, "inversion", step))
        rng = Random(derived_seed(seed, "inversion prompts", step))
        chosen = torch.randint(len(self._latents), (size,), generator=numbers)
        strata = (torch.randperm(size, generator=numbers) + torch.rand(size, generator=numbers)) / size
        t = self._denoising.times_at(strata, self._recipe.sampled_steps)
        noise = torch.randn(size, *self._latents.shape[1:], generator=numbers)
        prompts = [training_prompt(self._token, self._caption(int(i)), rng, self._task.subject) for i in chosen]
        return self._losses(chosen, t, noise, prompts).mean()

    def _losses(self, chosen: Tensor, t: Tensor, noise: Tensor, prompts: list[str]) -> Tensor:
        device = self._latents.device
        return self._denoising.losses(
            self._latents[chosen.to(device)], t.to(device), noise.to(device), self._encoded(prompts)
        )

    def _encoded(self, prompts: list[str]) -> EncodedPrompts:
        style = LearnedVectors(self._token, tuple(self._vectors))
        return self._encoder.encode(prompts, [style] * len(prompts))

    def _caption(self, latent: int) -> str:
        return self._task.captions[latent // self._recipe.ways] if self._task.captions else ""

    def _set_rate(self) -> None:
        recipe = self._recipe
        share = self._state.step / recipe.steps
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.learning_rate * (1 - (1 - recipe.final_rate) * share)

    def _evaluate(self) -> None:
        state = self._state
        loss = self._checked(self.held_out_loss())
        state.stale += 1
        if loss < state.best_loss:
            state.best_loss, state.stale = loss, 0
            state.best = [vectors.detach().clone() for vectors in self._vectors]

    def _checked(self, loss: float) -> float:
        if math.isfinite(loss):
            return loss
        raise Unsatisfied(
            f"the loss of style {self._task.style.keyword} is not a number at step {self._state.step}; nothing was "
            f"stored: lower MOVIELLM_INVERSION_LEARNING_RATE, or set MOVIELLM_INVERSION_DTYPE to float32",
            reason="NOT_A_NUMBER",
        )

    def _restore_moments(self) -> None:
        if not self._state.step:
            return
        pairs = zip(self._vectors, self._state.first_moments, self._state.second_moments, strict=True)
        for vectors, first, second in pairs:
            self._optimizer.state[vectors] = {
                "step": torch.tensor(float(self._state.step)),
                "exp_avg": first.to(vectors),
                "exp_avg_sq": second.to(vectors),
            }


def _held_out(task: StyleTask, latents: Tensor, recipe: Recipe, denoising: Denoising) -> tuple[Tensor, Tensor, Tensor]:
    """Fixed pictures (unmirrored, in turn), evenly spread times and noises."""
    count = recipe.held_out
    numbers = torch.Generator().manual_seed(derived_seed(task.seed, "held out"))
    pictures = (recipe.ways * torch.arange(count)) % len(latents)
    spread = (torch.randperm(count, generator=numbers) + 0.5) / count
    noises = torch.randn(count, *latents.shape[1:], generator=numbers)
    return pictures, denoising.times_at(spread, recipe.sampled_steps), noises


def _first_state(task: StyleTask, recipe: Recipe, encoder: PromptEncoder) -> LessonState:
    """Vectors that begin where the style's words are, in their order; see `_in_runs`."""
    style = task.style
    words = re.findall(r"[\w'-]+", " ".join((*style.adjectives, *style.phrases)))
    said = " ".join(word for word in words if word.lower() not in _TELLING_NOTHING) or style.keyword
    found = [
        (own if len(own) else fallback).float()
        for own, fallback in zip(encoder.words(said), encoder.words("style"), strict=True)
    ]
    count = recipe.vectors
    if recipe.word_by_word and not task.vectors:
        count = max(count, min(len(found[0]), MAX_VECTORS))
    starts = [_in_runs(vectors, count) for vectors in found]
    return LessonState(vectors=starts, best=starts, first_moments=[], second_moments=[])


def _in_runs(words: Tensor, count: int) -> Tensor:
    """The n vectors of words (n, dim) as `count` (count, dim): means of equal runs of them; one is the mean of all."""
    ends = [(i * len(words)) // count for i in range(count + 1)]
    runs = [words[start : max(end, start + 1)] for start, end in itertools.pairwise(ends)]
    return torch.stack([run.mean(dim=0) for run in runs])

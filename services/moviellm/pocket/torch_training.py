"""Teaching the U-Net and the text encoder to draw: one loop, resumable, with its clock as a setting.

The text encoder first learns to read: from the last token of a caption, and from the padding after it, linear heads
name every factor of the scene (`meaning`). This goes on with a small weight while the U-Net learns to draw.

Words for a look are vague. In half of the captions of looks, what they leave unsaid is added to the vectors of those
words, by a linear map that is learnt too and not shipped. So around the words lie vectors for every look near them,
and that is where textual inversion will look for one.

Velocity loss ‖v − v_θ(z_t, t, c)‖² with v = α_t ε − σ_t z (Salimans & Ho 2022), mostly at the noise of the recipe's
few steps; one caption in ten is dropped for guidance. A running mean of the weights is what gets shipped.
"""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextModel

from moviellm.pocket import STEPS
from moviellm.pocket.diffusers_pipeline import build_scheduler
from moviellm.pocket.look_space import UNSAID
from moviellm.pocket.meaning import SIZES
from moviellm.pocket.torch_team import ALONE, Place


@dataclass(frozen=True)
class Plan:
    """How long and how fast to learn."""

    samples: int = 260_000
    """Pictures looked at, repetitions counted, when the learning rate has fallen to its floor."""

    seconds: float = math.inf
    """Time of day budget: the rate also falls as this is used up, whichever comes first."""

    batch: int = 24
    """Pictures of a step, which the processes of a team share equally."""

    rate: float = 1e-3
    warmup: int = 6_000
    dropped: float = 0.1
    exact: float = 0.5
    """Share of the captions of looks to whose words the unsaid is added."""

    decay: float = 0.998
    sampled: float = 0.65
    """Share of a batch at the noise of the recommended recipe's `STEPS` trailing steps."""

    tilt: float = 0.65
    """Other time steps are drawn as uniform numbers to this power: layout is decided at high noise."""

    seed: int = 0
    checkpoint_seconds: float = 150.0
    reading_seconds: float = 180.0
    """Processor seconds of reading lessons before the first picture."""

    reading_weight: float = 0.03


@dataclass
class State:
    """Where the training stands; `losses` holds running means, one per report."""

    samples: int = 0
    elapsed: float = 0.0
    losses: list[float] = field(default_factory=list)


class Artist(torch.nn.Module):
    """U-Net, text encoder and its reading heads as one module with one optimizer, running mean and checkpoint."""

    def __init__(self, unet: UNet2DConditionModel, text_encoder: CLIPTextModel) -> None:
        super().__init__()
        self.unet = unet
        self.text_encoder = text_encoder
        self.heads = torch.nn.Linear(text_encoder.config.hidden_size, sum(SIZES))
        self.exactly = torch.nn.Linear(UNSAID, text_encoder.config.hidden_size, bias=False)
        torch.nn.init.zeros_(self.exactly.weight)

    def forward(self, noisy: torch.Tensor, steps: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """Predicted velocity, (B, C, 8, 8), for what the words alone say."""
        return self.velocity(noisy, steps, self.text_encoder(ids)[0])

    def velocity(self, noisy: torch.Tensor, steps: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """Predicted velocity for words that are encoded already, (B, 77, 128)."""
        velocity: torch.Tensor = self.unet(noisy, steps, words, return_dict=False)[0]
        return velocity

    def words(self, ids: torch.Tensor, unsaid: torch.Tensor, within: torch.Tensor) -> torch.Tensor:
        """Encoded captions (B, 77, 128); `unsaid` (B, 14) moves the vectors of the words `within`, bool (B, 77)."""
        moved = self.exactly(unsaid)[:, None] * within[..., None]
        table = self.text_encoder.get_input_embeddings()
        hook = table.register_forward_hook(lambda module, arguments, vectors: vectors + moved)
        try:
            encoded: torch.Tensor = self.text_encoder(ids)[0]
        finally:
            hook.remove()
        return encoded

    def misreadings(self, words: torch.Tensor, ids: torch.Tensor, meanings: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy of all answers, read from the first and from the last end token."""
        first = (ids == self.text_encoder.config.eos_token_id).int().argmax(dim=1)
        ends = torch.cat([words[torch.arange(len(ids), device=ids.device), first], words[:, -1]])
        loss = torch.zeros((), device=ids.device)
        for scores, right in zip(self.heads(ends).split(SIZES, dim=1), meanings.repeat(2, 1).T, strict=True):
            wrong = torch.nn.functional.cross_entropy(scores, right, ignore_index=-1, reduction="sum")
            loss = loss + wrong / max(1, len(right))
        return loss / len(SIZES)


@dataclass(frozen=True)
class Lessons:
    """What is learnt from.

    `latents` float16 (N, C, 8, 8); `tokens` int16 (N, captions, 77); `spans` uint8 (N, captions, 2), where the words
    for a look begin and end; `meanings` int8 (N, fields); `unsaid` float32 (N, 14), 0 for what is no look; `empty`
    int16 (77,), the tokens of no caption.
    """

    latents: np.ndarray
    tokens: np.ndarray
    spans: np.ndarray
    meanings: np.ndarray
    unsaid: np.ndarray
    empty: np.ndarray


@dataclass(frozen=True)
class Batch:
    """Some of the lessons, as tensors; `within` bool (B, 77) marks the words for a look, -1 is a meaning not told."""

    latents: torch.Tensor
    ids: torch.Tensor
    within: torch.Tensor
    unsaid: torch.Tensor
    meanings: torch.Tensor


def _weights(latents: np.ndarray) -> torch.Tensor:
    """Weights (1, C, 1, 1) of mean 1 that count an error as much as it shows in pixels.

    A channel's gain is one over the root of its own deviation, so a pixel's share of its variance is its square.
    """
    variance = latents[:4_000].astype(np.float32).var(axis=(0, 2, 3))
    return torch.from_numpy(variance / variance.mean())[None, :, None, None]


class Trainer:
    """Runs the plan on latents and token numbers held in memory, on the device that the artist is on.

    Every step has random numbers of its own for each process of the team, drawn on the processor: they are the same
    everywhere, and a resumed training goes the same way.
    """

    def __init__(self, artist: Artist, lessons: Lessons, plan: Plan, place: Place = ALONE) -> None:
        self.artist, self.plan, self.state, self.place = artist, plan, State(), place
        self.lessons = lessons
        self.device = artist.heads.weight.device
        self.optimizer = torch.optim.AdamW(
            artist.parameters(), lr=plan.rate, weight_decay=0.01, betas=(0.9, 0.99), fused=True
        )
        self.mean = {name: value.detach().clone() for name, value in artist.state_dict().items()}
        self.random, self.generator = np.random.default_rng(plan.seed), torch.Generator()
        self.alphas = build_scheduler().alphas_cumprod.to(self.device)
        self.weights = _weights(lessons.latents).to(self.device)

    def rate(self) -> float:
        """Warm up, then a half cosine down to a fiftieth."""
        done = min(1.0, max(self.state.samples / self.plan.samples, self.state.elapsed / self.plan.seconds))
        warm = min(1.0, (self.state.samples + 1) / self.plan.warmup)
        return self.plan.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))

    def finished(self) -> bool:
        """Whether the samples or the time are used up."""
        return self.state.samples >= self.plan.samples or self.state.elapsed >= self.plan.seconds

    def run(self, checkpoint: Path, report: Callable[["Trainer"], None]) -> None:
        """Learn until the plan is fulfilled; every `checkpoint_seconds` the leader of the team saves and reports."""
        last, losses = time.monotonic(), []
        saved = last
        while not self.finished():
            losses.append(self._step())
            now = time.monotonic()
            self._spend(now - last)
            last = now
            if self.place.rank:
                continue
            if now - saved > self.plan.checkpoint_seconds or self.finished():
                self.state.losses.append(float(np.mean(losses)))
                losses.clear()
                self.save(checkpoint)
                report(self)
                last = saved = time.monotonic()

    def _spend(self, seconds: float) -> None:
        """Count the time of a step: the team's mean, so that all have the same rate and end together."""
        spent = torch.tensor([seconds], dtype=torch.float64)
        self.place.average([spent])
        self.state.elapsed += spent.item()

    def _draw_lots(self) -> None:
        """Begin the random numbers of the next step."""
        self.random = np.random.default_rng((self.plan.seed, self.state.samples, self.place.rank))
        self.generator.manual_seed(int(self.random.integers(2**62)))

    def _batch(self, size: int, dropped: float) -> Batch:
        """Pictures and what is told of them; a dropped caption means nothing."""
        lessons = self.lessons
        rows = self.random.integers(0, len(lessons.latents), size)
        told = self.random.integers(0, lessons.tokens.shape[1], size)
        ids, meanings = lessons.tokens[rows, told].astype(np.int64), lessons.meanings[rows].astype(np.int64)
        begin, end = lessons.spans[rows, told].T[..., None]
        places = np.arange(ids.shape[1])
        within = (begin <= places) & (places < end)
        within[self.random.random(size) >= self.plan.exact] = False
        silent = self.random.random(size) < dropped
        ids[silent], within[silent], meanings[silent] = lessons.empty, False, -1
        latents = lessons.latents[rows].astype(np.float32)
        values = (latents, ids, within, lessons.unsaid[rows], meanings)
        return Batch(*(torch.from_numpy(one).to(self.device) for one in values))

    def _times(self, size: int) -> torch.Tensor:
        """Time steps int64 (size,): those of the recipe, and all others."""
        most = len(self.alphas)
        others = torch.rand(size, generator=self.generator) ** self.plan.tilt * most
        visited = (torch.randint(STEPS, (size,), generator=self.generator) + 1) * most // STEPS - 1
        chosen = torch.rand(size, generator=self.generator) < self.plan.sampled
        return torch.where(chosen, visited, others.long()).to(self.device)

    def read(self, say: Callable[[str], None]) -> None:
        """Reading lessons: captions only, cut to the longest of the batch and one end token more, for speed."""
        artist, plan = self.artist, self.plan
        weights = [*artist.text_encoder.parameters(), *artist.heads.parameters()]
        optimizer = torch.optim.AdamW(weights, lr=2e-3, weight_decay=0.01, betas=(0.9, 0.99))
        started = time.process_time()
        end = artist.text_encoder.config.eos_token_id
        count = 0
        while (share := (time.process_time() - started) / plan.reading_seconds) < 1:
            batch = self._batch(48, 0.0)
            ids = batch.ids
            longest = int((ids == end).int().argmax(dim=1).max())
            ids = ids[:, : min(longest + 2 + count % 3 * 4, ids.shape[1])]
            for group in optimizer.param_groups:
                group["lr"] = 2e-3 * min(1.0, (count + 1) / 30) * (1 - 0.9 * share)
            loss = artist.misreadings(artist.text_encoder(ids)[0], ids, batch.meanings)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            count += 1
            if count % 50 == 0:
                say(f"reading: {count} lessons, loss {loss.item():.3f}")
        self.mean = {name: value.detach().clone() for name, value in artist.state_dict().items()}

    def _step(self) -> float:
        self._draw_lots()
        batch = self._batch(self.plan.batch // self.place.size, self.plan.dropped)
        clean = batch.latents
        noise = torch.randn(clean.shape, generator=self.generator).to(self.device)
        steps = self._times(len(clean))
        signal = self.alphas[steps].sqrt()[:, None, None, None]
        spread = (1 - self.alphas[steps]).sqrt()[:, None, None, None]
        words = self.artist.words(batch.ids, batch.unsaid, batch.within)
        velocity = self.artist.velocity(signal * clean + spread * noise, steps, words)
        loss: torch.Tensor = (self.weights * (velocity - (signal * noise - spread * clean)).square()).mean()
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss.item()} after {self.state.samples} samples; lower the rate")
        total = loss + self.plan.reading_weight * self.artist.misreadings(words, batch.ids, batch.meanings)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        self.place.average([weight.grad for weight in self.artist.parameters() if weight.grad is not None])
        torch.nn.utils.clip_grad_norm_(self.artist.parameters(), 1.0)
        self.optimizer.step()
        self.state.samples += self.plan.batch
        self._follow()
        return loss.item()

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the running mean; early on it forgets faster."""
        seen = self.state.samples / self.plan.batch
        decay = min(self.plan.decay, (1 + seen) / (10 + seen))
        for name, value in self.artist.state_dict().items():
            if value.dtype.is_floating_point:
                self.mean[name].lerp_(value, 1 - decay)

    def save(self, path: Path) -> None:
        """Write everything needed to go on, all or nothing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = {
            "artist": self.artist.state_dict(),
            "mean": self.mean,
            "optimizer": self.optimizer.state_dict(),
            "state": vars(self.state),
        }
        half = path.with_suffix(".part")
        torch.save(whole, half)
        half.replace(path)

    def resume(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        whole = torch.load(path, map_location="cpu", weights_only=True)
        self.artist.load_state_dict(whole["artist"])
        self.mean = {name: value.to(self.device) for name, value in whole["mean"].items()}
        self.optimizer.load_state_dict(whole["optimizer"])
        self.state = State(**whole["state"])


def parameters(modules: Iterable[torch.nn.Module]) -> int:
    """How many numbers the modules hold."""
    return sum(value.numel() for module in modules for value in module.parameters())

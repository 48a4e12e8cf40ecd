"""The workshop: a folder in which the model is made, step by step, each step skipped when its result is there.

`numbers.npy` → `pictures.npy`, `looks.npy` → `projection.npz` → `latents.npy`, `tokens.npy` → `artist.pt` (U-Net and
text encoder, a checkpoint) → the weights directory, for which the autoencoder is computed from the projection.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image
from transformers import CLIPTokenizer

from moviellm.pocket.captions import Caption, canonical, caption
from moviellm.pocket.dataset import EVALUATION_SEED, TRAINING_SEED, draw_dataset, numbers_of_looks, scene_at
from moviellm.pocket.diffusers_autoencoder import compute_autoencoder, fidelity
from moviellm.pocket.diffusers_pipeline import (
    TEXT_LENGTH,
    assemble,
    build_scheduler,
    build_text_encoder,
    build_tokenizer,
    build_unet,
    save,
)
from moviellm.pocket.latents import Projection, fit
from moviellm.pocket.look_space import UNSAID, Look, unsaid
from moviellm.pocket.meaning import meaning
from moviellm.pocket.scene import Scene
from moviellm.pocket.torch_classifiers import SAMPLES, train_classifiers
from moviellm.pocket.torch_team import Place, team, team_size
from moviellm.pocket.torch_training import Artist, Lessons, Plan, Trainer
from moviellm.pocket.transformers_clip import train_clip

Say = Callable[[str], None]

CAPTIONS = 3
_CHUNK = 2_000


def one_thread() -> None:
    """Two threads on two contended cores were fifteen times slower than one."""
    torch.set_num_threads(1)


def numbers_of(tokenizer: CLIPTokenizer, texts: list[str]) -> np.ndarray:
    """Token numbers, int16 (len(texts), 77), padded as the pipeline pads."""
    coded = tokenizer(texts, padding="max_length", max_length=TEXT_LENGTH, truncation=True)
    return np.asarray(coded["input_ids"], dtype=np.int16)


def prepare(folder: Path, number: int, looks: int, say: Say) -> None:
    """Draw the pictures and put them and their captions into numbers.

    `looks` are pictures of looks beyond those among the `number`: half of the lessons are looks, of which the U-Net
    otherwise learns each by heart. It alone sees them.
    """
    if not (folder / "numbers.npy").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "numbers.npy", np.asarray([*range(number), *numbers_of_looks(number, looks)]))
    numbers = np.load(folder / "numbers.npy").tolist()
    if not (folder / "latents.npy").exists():
        for name, drawn in (("pictures.npy", numbers[:number]), ("looks.npy", numbers[number:])):
            for done in draw_dataset(folder / name, drawn):
                if done % 5_000 == 0:
                    say(f"{name}: {done} drawn")
        _encode(folder)
        say("latents written")
    if not (folder / "tokens.npy").exists():
        tokenizer = build_tokenizer()
        parts = [told(tokenizer, numbers[at : at + _CHUNK]) for at in range(0, len(numbers), _CHUNK)]
        tokens, spans = zip(*parts, strict=True)
        _write(folder / "spans.npy", np.concatenate(spans))
        _write(folder / "tokens.npy", np.concatenate(tokens))
        say("captions written")


def told(tokenizer: CLIPTokenizer, indices: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Captions of training scenes: tokens int16 (N, captions, 77) and spans uint8 (N, captions, 2), see `Lessons`."""
    captions = []
    for index in indices:
        scene = scene_at(TRAINING_SEED, index)
        captions += [caption(scene, Random(f"caption {TRAINING_SEED} {index} {number}")) for number in range(CAPTIONS)]
    tokens = numbers_of(tokenizer, [one.text for one in captions])
    spans = np.asarray([_span(tokenizer, one) for one in captions], dtype=np.uint8)
    return tokens.reshape(len(indices), CAPTIONS, TEXT_LENGTH), spans.reshape(len(indices), CAPTIONS, 2)


def _span(tokenizer: CLIPTokenizer, told: Caption) -> tuple[int, int]:
    """Where the tokens of the words for a look begin and end, counting the start mark."""
    if not told.look:
        return 0, 0
    parts = tokenizer([told.before, told.before + told.look], add_special_tokens=False)["input_ids"]
    return 1 + len(parts[0]), 1 + len(parts[1])


def _encode(folder: Path) -> None:
    pictures, looks = (np.load(folder / name, mmap_mode="r") for name in ("pictures.npy", "looks.npy"))
    projection = fit(np.asarray(pictures[:4_000]))
    projection.save(folder / "projection.npz")
    parts = [
        projection.encode(np.asarray(drawn[at : at + _CHUNK])).astype(np.float16)
        for drawn in (pictures, looks)
        for at in range(0, len(drawn), _CHUNK)
    ]
    _write(folder / "latents.npy", np.concatenate(parts))


def _write(path: Path, values: np.ndarray) -> None:
    half = path.with_suffix(".part.npy")
    np.save(half, values)
    half.replace(path)


@dataclass(frozen=True)
class Budget:
    """How much of everything; seconds of the artist are wall clock, of reading and the small CLIP the processor's."""

    pictures: int
    looks: int
    samples: int
    artist_seconds: float
    reading_seconds: float = 180.0
    clip_seconds: float = 300.0
    classifier_samples: int = SAMPLES


def make(folder: Path, weights: Path, budget: Budget, say: Say, *, only: str | None = None) -> None:
    """Every step that is asked for."""
    if only in (None, "pictures"):
        prepare(folder, budget.pictures, budget.looks, say)
    if only in (None, "artist"):
        plan = Plan(samples=budget.samples, seconds=budget.artist_seconds, reading_seconds=budget.reading_seconds)
        train_artist(folder, plan, say)
    if only in (None, "export"):
        export(folder, weights, say)
        say(f"weights written to {weights}")
    if only in (None, "clip"):
        train_clip(folder, weights.parent / "weights_clip", say, seconds=budget.clip_seconds)
    if only in (None, "classifiers"):
        pictures = np.load(folder / "pictures.npy", mmap_mode="r")
        train_classifiers(pictures, weights.parent / "weights_classifiers", say, budget.classifier_samples)


def export(folder: Path, weights: Path, say: Say) -> None:
    """Compute the autoencoder; write it and the running means of the last checkpoints as a pipeline directory."""
    tokenizer = build_tokenizer()
    artist = Artist(build_unet(), build_text_encoder(tokenizer))
    artist.load_state_dict(torch.load(folder / "artist.pt", map_location="cpu", weights_only=True)["mean"])
    vae = compute_autoencoder(folder)
    say(f"autoencoder computed: {fidelity(folder, vae)}")
    save(assemble(tokenizer, artist.text_encoder, artist.unet, vae), weights)


def train_artist(folder: Path, plan: Plan, say: Say) -> None:
    """Train U-Net and text encoder, from the checkpoint if there is one: on a GPU, or else on up to four cores.

    A sample sheet at every fourth checkpoint.
    """
    tokenizer = build_tokenizer()
    trainer = _trainer(folder, plan, tokenizer)
    checkpoint = folder / "artist.pt"
    if checkpoint.exists():
        trainer.resume(checkpoint)
    else:
        trainer.read(say)
        trainer.save(checkpoint)
    projection = Projection.load(folder / "projection.npz")
    texts = [canonical(scene_at(EVALUATION_SEED, index)) for index in range(18)]
    started = time.monotonic()

    def report(trainer: Trainer) -> None:
        state = trainer.state
        speed = state.samples / max(state.elapsed, 1.0)
        say(f"{state.samples} samples, loss {state.losses[-1]:.4f}, {speed:.1f}/s, {state.elapsed / 60:.1f} min")
        if len(state.losses) % 4 == 1:
            _sheet(trainer, tokenizer, projection, texts, folder / f"sheet-{state.samples:07d}.png")

    with team(1 if trainer.finished() else team_size(plan.batch), _help, folder, plan) as place:
        trainer.place = place
        say(f"starting at {trainer.state.samples} samples, processes: {place.size}")
        trainer.run(checkpoint, report)
    say(f"trained for {(time.monotonic() - started) / 60:.1f} min")


def _trainer(folder: Path, plan: Plan, tokenizer: CLIPTokenizer) -> Trainer:
    one_thread()
    torch.manual_seed(plan.seed)
    artist = Artist(build_unet(), build_text_encoder(tokenizer)).to("cuda" if torch.cuda.is_available() else "cpu")
    latents, tokens = np.load(folder / "latents.npy"), np.load(folder / "tokens.npy")
    scenes = [scene_at(TRAINING_SEED, int(index)) for index in np.load(folder / "numbers.npy")]
    lessons = Lessons(
        latents,
        tokens,
        np.load(folder / "spans.npy"),
        np.stack([meaning(scene) for scene in scenes]),
        np.stack([unsaid_of(scene) for scene in scenes]),
        numbers_of(tokenizer, [""])[0],
    )
    return Trainer(artist, lessons, plan)


def _help(place: Place, folder: Path, plan: Plan) -> None:
    """Take part in the training that another process leads."""
    trainer = _trainer(folder, plan, build_tokenizer())
    trainer.place = place
    trainer.resume(folder / "artist.pt")
    trainer.run(folder / "artist.pt", lambda trainer: None)


def unsaid_of(scene: Scene) -> np.ndarray:
    """What words leave unsaid of a scene's look, float32 (14,)."""
    return unsaid(scene.style) if isinstance(scene.style, Look) else np.zeros(UNSAID, dtype=np.float32)


@torch.no_grad()
def _sheet(trainer: Trainer, tokenizer: CLIPTokenizer, projection: Projection, texts: list[str], path: Path) -> None:
    """Sample with the running mean and decode by the projection alone; good enough to see what is learnt."""
    own = {name: value.clone() for name, value in trainer.artist.state_dict().items()}
    trainer.artist.load_state_dict(trainer.mean)
    ids = torch.from_numpy(numbers_of(tokenizer, [*texts, *[""] * len(texts)]).astype(np.int64))
    latents = sample(trainer.artist, ids.to(trainer.device), torch.Generator().manual_seed(0), steps=12, guidance=3.0)
    trainer.artist.load_state_dict(own)
    tiles = projection.decode(latents.cpu().numpy())
    save_sheet([np.round(tile * 255).astype(np.uint8) for tile in tiles], path, columns=6)


@torch.no_grad()
def sample(
    artist: Artist, ids: torch.Tensor, generator: torch.Generator, *, steps: int, guidance: float, rescale: float = 0.5
) -> torch.Tensor:
    """Latents (B, C, 8, 8) for token numbers (2B, 77), the second half being the empty caption."""
    scheduler = build_scheduler()
    scheduler.set_timesteps(steps)
    half = len(ids) // 2
    config = artist.unet.config
    shape = (half, config.in_channels, config.sample_size, config.sample_size)
    latents = torch.randn(shape, generator=generator).to(ids.device)
    for step in scheduler.timesteps:
        both = artist(torch.cat([latents, latents]), step.expand(2 * half).to(ids.device), ids)
        told, untold = both.chunk(2)
        guided = untold + guidance * (told - untold)
        ratio = told.std(dim=(1, 2, 3), keepdim=True) / guided.std(dim=(1, 2, 3), keepdim=True)
        guided = guided * (rescale * ratio + 1 - rescale)
        latents = scheduler.step(guided, step, latents).prev_sample
    return latents


def save_sheet(tiles: list[np.ndarray], path: Path, columns: int) -> None:
    """Tiles uint8 (128, 128, 3) in rows, as one picture."""
    blank = np.zeros_like(tiles[0])
    tiles = tiles + [blank] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[at : at + columns], axis=1) for at in range(0, len(tiles), columns)]
    Image.fromarray(np.concatenate(rows)).save(path)

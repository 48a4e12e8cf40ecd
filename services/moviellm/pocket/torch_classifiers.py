"""A small network that answers the questions of `evaluation` from a picture, taught on drawn pictures only."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from moviellm.pocket import WEIGHTS_CLASSIFIERS
from moviellm.pocket.dataset import TRAINING_SEED, scene_at
from moviellm.pocket.evaluation import FACTORS, labels

Say = Callable[[str], None]

SAMPLES = 320_000
"""Pictures looked at while learning, repetitions counted."""

_BATCH = 64
_FILE = "model.safetensors"
_LAYERS = ((24, 5, 2), (48, 3, 2), (80, 3, 2), (80, 3, 1), (128, 3, 2), (128, 3, 1), (160, 3, 2), (160, 3, 1))
"""Width, kernel and stride of the convolutions."""


class Classifiers(torch.nn.Module):
    """One trunk, one head a factor."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[torch.nn.Module] = []
        before = 3
        for width, kernel, stride in _LAYERS:
            layers += [
                torch.nn.Conv2d(before, width, kernel, stride, kernel // 2, bias=False),
                torch.nn.BatchNorm2d(width),
                torch.nn.ReLU(),
            ]
            before = width
        self.trunk = torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Dropout(0.3))
        self.heads = torch.nn.ModuleList(torch.nn.Linear(before * 16, len(factor.answers)) for factor in FACTORS)
        self.trunk.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """Scores of the answers, a tensor (B, answers) a factor, for pictures (B, 3, 128, 128), −1 to 1."""
        seen = self.trunk(pictures.contiguous(memory_format=torch.channels_last))
        return [head(seen) for head in self.heads]


def load_classifiers(folder: Path = WEIGHTS_CLASSIFIERS) -> Classifiers:
    """The shipped ones, ready to answer."""
    model = Classifiers()
    stored = load_file(folder / _FILE)
    model.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in stored.items()}
    )
    return model.eval()


def tensor(pictures: np.ndarray) -> torch.Tensor:
    """uint8 (N, 128, 128, 3) to float (N, 3, 128, 128), −1 to 1."""
    return torch.from_numpy(pictures.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)


def train_classifiers(pictures: np.ndarray, folder: Path, say: Say, samples: int = SAMPLES) -> Classifiers:
    """Learn from drawn training pictures, noisy and blurred; write the result in half precision."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, random = Classifiers(), np.random.default_rng(0)
    truth = labels([scene_at(TRAINING_SEED, index) for index in range(len(pictures))])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.02)
    steps = samples // _BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for step in range(steps):
        rows = np.sort(random.integers(0, len(pictures), _BATCH))
        random.shuffle(rows)
        loss = _loss(model(_worn(tensor(np.asarray(pictures[rows])))), truth, rows)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            say(f"classifiers: {step}/{steps} steps, loss {loss.item():.3f}")
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: _halved(value) for name, value in model.state_dict().items()}, folder / _FILE)
    return model.eval()


def _loss(answers: list[torch.Tensor], truth: dict[str, np.ndarray], rows: np.ndarray) -> torch.Tensor:
    loss = torch.zeros(())
    for scores, factor in zip(answers, FACTORS, strict=True):
        right = torch.from_numpy(truth[factor.name][rows])
        if (right >= 0).any():
            loss = loss + torch.nn.functional.cross_entropy(scores, right, ignore_index=-1)
    return loss


def _halved(value: torch.Tensor) -> torch.Tensor:
    return (value.half() if value.is_floating_point() else value).contiguous()


def _worn(pictures: torch.Tensor) -> torch.Tensor:
    """A third blurred, a third at half size, all a little noisy: generated pictures are never clean.

    Never mirrored: the main person is the one on the left.
    """
    third = len(pictures) // 3
    soft = torch.nn.functional.avg_pool2d(pictures[:third], 3, 1, 1)
    small = torch.nn.functional.avg_pool2d(pictures[third : 2 * third], 2)
    coarse = torch.nn.functional.interpolate(small, scale_factor=2, mode="bilinear")
    worn = torch.cat([soft, coarse, pictures[2 * third :]])
    return worn + 0.05 * torch.randn_like(worn)


@torch.no_grad()
def guesses(model: Classifiers, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """The most likely answers for pictures uint8 (N, 128, 128, 3), by factor."""
    parts = [model(tensor(pictures[at : at + 64])) for at in range(0, len(pictures), 64)]
    return {
        factor.name: torch.cat([part[number] for part in parts]).argmax(dim=1).numpy()
        for number, factor in enumerate(FACTORS)
    }

"""A small network that answers the questions of `evaluation` from a picture, taught on drawn pictures only."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from moviellm.pocket.dataset import TRAINING_SEED, scene_at
from moviellm.pocket.evaluation import FACTORS, labels

Say = Callable[[str], None]


class Classifiers(torch.nn.Module):
    """One trunk, one head a factor; sees pictures at half size."""

    def __init__(self) -> None:
        super().__init__()
        widths = (6, 32, 64, 96, 128)
        layers: list[torch.nn.Module] = [torch.nn.AvgPool2d(2)]
        for before, after in zip((3, *widths[1:-1]), widths[1:], strict=True):
            layers += [torch.nn.Conv2d(before, after, 3, 2, 1), torch.nn.BatchNorm2d(after), torch.nn.ReLU()]
            if after > 32:
                layers += [torch.nn.Conv2d(after, after, 3, 1, 1), torch.nn.BatchNorm2d(after), torch.nn.ReLU()]
        layers += [torch.nn.Conv2d(128, 128, 3, 1, 1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Dropout(0.2)]
        self.trunk = torch.nn.Sequential(*layers)
        self.heads = torch.nn.ModuleList(torch.nn.Linear(128 * 16, len(factor.answers)) for factor in FACTORS)

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """Scores of the answers, a tensor (B, answers) a factor, for pictures (B, 3, 128, 128), −1 to 1."""
        seen = self.trunk(pictures)
        return [head(seen) for head in self.heads]


def tensor(pictures: np.ndarray) -> torch.Tensor:
    """uint8 (N, 128, 128, 3) to float (N, 3, 128, 128), −1 to 1."""
    return torch.from_numpy(pictures.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)


def train_classifiers(pictures: np.ndarray, path: Path, samples: int, say: Say) -> Classifiers:
    """Learn from drawn training pictures, noisy and blurred as generated ones are; keep the result in a file."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, random = Classifiers(), np.random.default_rng(0)
    if path.exists():
        model.load_state_dict(torch.load(path, weights_only=True))
        return model.eval()
    number = min(len(pictures), samples)
    truth = labels([scene_at(TRAINING_SEED, index) for index in range(number)])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    steps = samples // 32
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for step in range(steps):
        rows = random.integers(0, number, 32)
        batch = _worn(tensor(np.asarray(pictures[rows])))
        loss = torch.zeros(())
        for scores, factor in zip(model(batch), FACTORS, strict=True):
            right = torch.from_numpy(truth[factor.name][rows])
            if (right >= 0).any():
                loss = loss + torch.nn.functional.cross_entropy(scores, right, ignore_index=-1)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % 200 == 0:
            say(f"classifiers: {step}/{steps} steps, loss {loss.item():.3f}")
    torch.save(model.state_dict(), path)
    return model.eval()


def _worn(pictures: torch.Tensor) -> torch.Tensor:
    """Half of the batch blurred, all of it a little noisy: generated pictures are never as clean as drawn ones."""
    half = len(pictures) // 2
    soft = torch.nn.functional.avg_pool2d(pictures[:half], 3, 1, 1)
    return torch.cat([soft, pictures[half:]]) + 0.05 * torch.randn_like(pictures)


@torch.no_grad()
def guesses(model: Classifiers, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """The most likely answers for pictures uint8 (N, 128, 128, 3), by factor."""
    parts = [model(tensor(pictures[at : at + 64])) for at in range(0, len(pictures), 64)]
    return {
        factor.name: torch.cat([part[number] for part in parts]).argmax(dim=1).numpy()
        for number, factor in enumerate(FACTORS)
    }

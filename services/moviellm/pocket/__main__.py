"""`python -m moviellm.pocket train | sheet | evaluate`: make the pocket model, look at it, measure it."""

import argparse
import sys
from pathlib import Path

from moviellm.pocket import GUIDANCE_SCALE, STEPS, WEIGHTS

_WORK = Path("build/pocket")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m moviellm.pocket", description=__doc__)
    parser.add_argument("--work", type=Path, default=_WORK, help="folder of intermediate files and checkpoints")
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="draw, learn and export; goes on where it stopped")
    train.add_argument("--pictures", type=int, default=60_000, help="drawn pictures")
    train.add_argument("--looks", type=int, default=42_000, help="more drawn pictures, of looks, for the U-Net alone")
    train.add_argument("--samples", type=int, default=300_000, help="pictures looked at by the U-Net")
    train.add_argument("--minutes", type=float, default=95.0, help="wall clock of the U-Net's training")
    train.add_argument("--only", choices=("pictures", "artist", "export", "clip", "classifiers"), help="one step alone")
    sheet = commands.add_parser("sheet", help="draw a contact sheet of held-out scenes with the shipped weights")
    sheet.add_argument("--out", type=Path, default=Path("pocket-sheet.png"))
    sheet.add_argument("--number", type=int, default=24)
    evaluate = commands.add_parser("evaluate", help="measure the shipped weights on held-out scenes")
    evaluate.add_argument("--number", type=int, default=192, help="held-out scenes")
    evaluate.add_argument("--steps", type=int, default=STEPS, help="denoising steps")
    evaluate.add_argument("--guidance", type=float, default=GUIDANCE_SCALE, help="scale of classifier-free guidance")
    for command in (train, sheet, evaluate):
        command.add_argument("--weights", type=Path, default=WEIGHTS, help="the pipeline directory")
    return parser


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Run one command; the heavy libraries are loaded only by the command that needs them."""
    asked = _parser().parse_args(arguments)
    if asked.command == "train":
        from moviellm.pocket.torch_workshop import Budget, make

        budget = Budget(asked.pictures, asked.looks, asked.samples, asked.minutes * 60)
        make(asked.work, asked.weights, budget, _say, only=asked.only)
    elif asked.command == "sheet":
        from moviellm.pocket.torch_bench import sheet

        sheet(asked.weights, asked.number, asked.out)
    else:
        from moviellm.pocket.diffusers_sampling import Recipe
        from moviellm.pocket.torch_bench import evaluate

        print(evaluate(asked.weights, asked.number, Recipe(asked.steps, asked.guidance)))


if __name__ == "__main__":
    main()

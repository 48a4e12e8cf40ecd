"""The embedded storyteller: how fast it writes, how little it repeats, how well it keeps the rules."""

import asyncio
import resource
import time

from bench.figure import Figure
from moviellm.dataset import derived_seed
from moviellm.movie import Scene, Shape
from moviellm.scripting.checker import rules
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

PAPER = Shape(11, 11, 11)
LINES = 6
SEEDS = 200
ROUNDS = 3
THEMES = (
    "a lighthouse keeper who finds a message",
    "a love story about a duchess and a commoner",
    "two rival pastry chefs",
    "my grandmother's robot",
    "the last dragon",
    "a girl trapped in a snow globe",
    "the mystery of the missing violin",
    "una historia de amor",
    "friendship",
    "???",
)
SHAPES = (Shape(1, 1, 1), Shape(3, 3, 6), Shape(2, 5, 4), Shape(7, 2, 3), Shape(1, 11, 2), Shape(11, 3, 2))


def measure() -> list[Figure]:
    """Movies of the paper's size on one core, and the rules over 200 seeds of mixed shapes."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    size = f"{PAPER.chapters} × {PAPER.scenes} × {PAPER.frames} = {PAPER.total_frames} frames"
    seconds, descriptions, lines = [], [], []
    before = _resident()
    for seed in range(ROUNDS):
        started = time.process_time()
        scenes, _ = await _movie(THEMES[seed], seed, PAPER)
        seconds.append(time.process_time() - started)
        descriptions.append(_distinct([frame.description for scene in scenes for frame in scene.frames]))
        lines.append(_distinct([line.text for scene in scenes for line in scene.dialogue]))
    breaches = [
        (await _movie(THEMES[seed % len(THEMES)], seed, SHAPES[seed % len(SHAPES)]))[1] for seed in range(SEEDS)
    ]
    grown = (_resident() - before) / 1e6
    return [
        Figure(f"script of {size}, written and checked", "one core", tuple(seconds), "s", 10.0, at_least=False),
        Figure("distinct frame descriptions of such a movie", "", tuple(descriptions), "", 0.95),
        Figure("distinct lines of dialogue of such a movie", "", tuple(lines), "", 0.9),
        Figure(f"broken rules over {SEEDS} seeds", "shapes 1 to 66 frames", (float(sum(breaches)),), "", 0.0, False),
        Figure("memory grown by all of this", "", (grown,), "MB", 50.0, at_least=False),
    ]


async def _movie(theme: str, seed: int, shape: Shape) -> tuple[list[Scene], int]:
    """Every scene of a movie, and how many rules are broken in all its parts."""
    teller = Storyteller()
    asked = OutlineRequest(theme, shape.chapters, seed)
    outline = (await teller.outline(asked)).value
    broken = len(rules.breaches_of_outline(outline, asked))
    scenes: list[Scene] = []
    for number in range(1, shape.chapters + 1):
        wanted = ChapterRequest(outline, number, shape.scenes, derived_seed(seed, number))
        chapter = (await teller.chapter(wanted)).value
        broken += len(rules.breaches_of_chapter(chapter, wanted))
        for place in range(1, shape.scenes + 1):
            own = derived_seed(seed, number, place)
            request = SceneRequest(outline, chapter, place, shape.frames, LINES, own)
            scene = (await teller.scene(request)).value
            broken += len(rules.breaches_of_scene(scene, request))
            scenes.append(scene)
    return scenes, broken


def _distinct(texts: list[str]) -> float:
    return len(set(texts)) / len(texts)


def _resident() -> float:
    """The most memory this process has held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0

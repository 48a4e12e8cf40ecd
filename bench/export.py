"""Exporting a paper-sized movie (1331 key frames) to all formats: time, peak memory, and whether memory grows."""

import asyncio
import io
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from PIL import Image, ImageDraw

from bench.figure import Figure
from moviellm.artifacts import ArtifactStore, DatasetKeys, MovieKeys, digest
from moviellm.dataset import FORMATS, MovieDatasetSpec, MovieStyle, Questions, RenderedFrame, RenderedScene
from moviellm.export.darkroom import Darkroom
from moviellm.export.dataset_folder import Limits, Press, finish_dataset
from moviellm.export.movie_folder import export_movie
from moviellm.export.pillow_fingerprint import fingerprint
from moviellm.export.pillow_plots import draw_plot
from moviellm.export.pillow_sheet import draw_sheet
from moviellm.export.pyarrow_table import PyarrowTable
from moviellm.export.pyav_video import PyavVideo
from moviellm.movie import (
    Chapter,
    ChapterOutline,
    Frame,
    FrameRange,
    LearnedStyle,
    Line,
    Outline,
    Question,
    QuestionKind,
    Scene,
    ScenePlan,
    StoredFile,
    Style,
)
from moviellm.settings import StoreSettings
from moviellm.wire import to_json

PAPER = MovieDatasetSpec("a lighthouse keeper", chapters=11, scenes=11, frames=11, formats=tuple(FORMATS))
FEW, MANY = 10, 100
MOST_SECONDS, MOST_MEGABYTES, MOST_GROWTH = 60.0, 500.0, 1.25
PICTURES = 64


def pictures() -> list[bytes]:
    """Different pictures of 256 × 256 and about 10 kB, as a picture model gives them."""
    found = []
    for number in range(PICTURES):
        grain = Image.effect_noise((256, 256), 18).convert("RGB")
        image = Image.blend(grain, Image.new("RGB", (256, 256), (number * 4 % 256, 90, 160)), 0.7)
        ImageDraw.Draw(image).ellipse((number, 60, number + 120, 200), fill=(200, number, 80))
        out = io.BytesIO()
        image.save(out, "JPEG", quality=88)
        found.append(out.getvalue())
    return found


async def write_movie(store: ArtifactStore, keys: MovieKeys, spec: MovieDatasetSpec, drawn: list[bytes]) -> None:
    """What the other stages leave behind for one movie."""
    shape = spec.shape
    chapters = tuple(ChapterOutline(n, f"Chapter {n}", ("beach",), "It storms.") for n in range(1, shape.chapters + 1))
    outline = Outline("The Light", spec.theme, "A storm comes.", Style("gothic"), ("beach",), (), chapters)
    await store.put(keys.outline, to_json(outline))
    await store.put(keys.style, to_json(MovieStyle(LearnedStyle(), ())))
    for chapter in range(1, shape.chapters + 1):
        plans = tuple(ScenePlan(n, "beach", "They search.") for n in range(1, shape.scenes + 1))
        await store.put(keys.chapter(chapter), to_json(Chapter(chapter, plans)))
    for chapter, scene in shape.scene_numbers():
        await store.put(keys.scene(chapter, scene), to_json(written(chapter, scene, spec)))
        frames = [
            await write_frame(store, keys, shape.frame_number(chapter, scene, n), drawn)
            for n in range(1, shape.frames + 1)
        ]
        await store.put(keys.rendered(chapter, scene), to_json(RenderedScene(tuple(frames))))
    await store.put(keys.reviewed, to_json(Questions(tuple(questions(spec)))))


def written(chapter: int, scene: int, spec: MovieDatasetSpec) -> Scene:
    """A scene in words."""
    text = "at the beach, a woman with long red hair in a green dress is standing and looks at the sea with a calm face"
    frames = tuple(Frame(number, text) for number in range(1, spec.frames + 1))
    lines = tuple(Line(number, "Clara", "What does the sea bring us today?") for number in range(1, 7))
    return Scene(chapter, scene, frames, lines)


async def write_frame(store: ArtifactStore, keys: MovieKeys, number: int, drawn: list[bytes]) -> RenderedFrame:
    """A frame with its record."""
    data = drawn[number % len(drawn)]
    await store.put(keys.frame(number), data)
    prompt = "generate an image in <gothic> style: a woman with long red hair in a green dress is standing"
    return RenderedFrame(number, prompt, number, StoredFile(store.uri(keys.frame(number)), digest(data), len(data)))


def questions(spec: MovieDatasetSpec) -> Iterator[Question]:
    """Three questions a scene, one of them with choices, and one over the whole movie."""
    for chapter, scene in spec.shape.scene_numbers():
        evidence = spec.shape.scene_range(chapter, scene)
        for kind in (QuestionKind.PLOT, QuestionKind.DIALOGUE, QuestionKind.CHARACTER):
            choices = ("Clara", "Edwin", "Nobody") if kind == QuestionKind.CHARACTER else ()
            yield Question(kind, "who", f"Who is at the beach in scene {scene}?", "Clara", evidence, "scene", choices)
    whole = FrameRange(1, spec.shape.total_frames)
    yield Question(QuestionKind.OVERVIEW, "what", "What is it about?", "A storm.", whole, "movie")


async def export(folder: Path, spec: MovieDatasetSpec) -> None:
    """All movies, then what spans them, as the service does it."""
    store = ArtifactStore.open(StoreSettings(url=f"file://{folder}"))
    keys = DatasetKeys("bench")
    open_video = partial(PyavVideo, least_height=512)
    for movie in range(1, spec.movies + 1):
        await export_movie(store, keys.movie(movie), spec, open_video=open_video)
    darkroom = Darkroom(draw_sheet=draw_sheet, draw_plot=draw_plot, fingerprint=fingerprint)
    await finish_dataset(store, keys, spec, limits=Limits(), darkroom=darkroom, press=Press(PyarrowTable))


async def prepare(folder: Path, spec: MovieDatasetSpec) -> None:
    """A store with finished movies in it."""
    store, drawn = ArtifactStore.open(StoreSettings(url=f"file://{folder}")), pictures()
    for movie in range(1, spec.movies + 1):
        await write_movie(store, DatasetKeys("bench").movie(movie), spec, drawn)


def small(movies: int) -> MovieDatasetSpec:
    """Movies of 27 frames."""
    return MovieDatasetSpec("a lighthouse keeper", movies, 3, 3, 3, formats=tuple(FORMATS))


SPECS = {"paper": PAPER, "few": small(FEW), "many": small(MANY)}


def measured(name: str) -> tuple[float, float, float]:
    """Seconds, seconds of processor time and peak resident megabytes of one export in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="moviellm-bench-") as folder:
        try:
            asyncio.run(prepare(Path(folder), SPECS[name]))
            command = [sys.executable, "-m", "bench.export", name, folder]
            done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 -- our own module
        finally:
            shutil.rmtree(Path(folder) / "datasets", ignore_errors=True)
    seconds, processor, megabytes = map(float, done.stdout.split()[-3:])
    return seconds, processor, megabytes


def measure() -> list[Figure]:
    """Time and memory of a paper-sized movie, memory of many movies against few."""
    seconds, processor, megabytes = measured("paper")
    few, many = measured("few")[2], measured("many")[2]
    movie = f"{PAPER.shape.total_frames} frames to {len(FORMATS)} formats"
    grown = f"{FEW} movies: {few:.0f} MB"
    return [
        Figure(
            f"export of {movie}",
            f"processor time {processor:.0f} s",
            (seconds,),
            "s",
            MOST_SECONDS,
            at_least=False,
            details={"processor_seconds": processor},
        ),
        Figure(f"peak memory, {movie}", "none", (megabytes,), "MB", MOST_MEGABYTES, at_least=False),
        Figure(f"peak memory of {MANY} movies", grown, (many / few,), "×", MOST_GROWTH, at_least=False),
    ]


def main() -> None:
    """Export what lies in a folder; print seconds, seconds of processor time and peak resident megabytes."""
    name, folder = sys.argv[1:]
    started = time.perf_counter()
    asyncio.run(export(Path(folder), SPECS[name]))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{time.perf_counter() - started:.2f} {used.ru_utime + used.ru_stime:.2f} {used.ru_maxrss / 1000:.1f}")


if __name__ == "__main__":
    main()

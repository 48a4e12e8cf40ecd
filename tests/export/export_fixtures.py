"""A small dataset in a store, as the controller leaves it before the export: simple pictures, a story of a sort."""

import asyncio
import contextlib
import io
from dataclasses import dataclass, replace
from functools import partial

from PIL import Image, ImageDraw

from moviellm import rpc
from moviellm.artifacts import ArtifactStore, DatasetKeys, MovieKeys, digest
from moviellm.dataset import MovieDatasetSpec, MovieStyle, Questions, RenderedFrame, RenderedScene
from moviellm.export.darkroom import Darkroom
from moviellm.export.dataset_folder import Limits, Press
from moviellm.export.pillow_fingerprint import fingerprint
from moviellm.export.pillow_plots import draw_plot
from moviellm.export.pillow_sheet import draw_sheet
from moviellm.export.pyarrow_table import PyarrowTable
from moviellm.export.pyav_video import PyavVideo
from moviellm.export.servicer import ExportServicer
from moviellm.movie import (
    Chapter,
    ChapterOutline,
    Character,
    CharacterRole,
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
    frame_prompt,
)
from moviellm.settings import StoreSettings
from moviellm.v1 import export_service_pb2 as pb
from moviellm.v1 import export_service_pb2_grpc as pb_grpc
from moviellm.v1 import movie_dataset_service_pb2 as dataset_pb
from moviellm.wire import from_json, to_json, to_message

DATASET = "lighthouse"
SPEC = MovieDatasetSpec("a lighthouse keeper who finds a message", movies=2, chapters=2, scenes=2, frames=3, seed=7)
EMBEDDING = b"not really an embedding"

CHARACTERS = (
    Character("Clara", CharacterRole.MAIN, "a young woman with long red hair in a green dress", "green", "keeper"),
    Character("Edwin", CharacterRole.SUPPORTING, "an old man with a white beard in a blue coat", "blue", "captain"),
)
DARKROOM = Darkroom(draw_sheet=draw_sheet, draw_plot=draw_plot, fingerprint=fingerprint)
PLACES = ("beach", "library", "harbor", "lighthouse")


def colour(movie, number):
    """The ground colour of a frame's picture; far enough from every other to survive JPEG and H.264."""
    return (40 + 60 * ((number + movie) % 4), 40 + 60 * (number // 4 % 4), 60 + 60 * (number % 3))


def picture(movie, number, size=128):
    image = Image.new("RGB", (size, size), colour(movie, number))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, size * 3 // 4, size, size), fill=tuple(value // 2 for value in colour(movie, number)))
    draw.text((6, 4), str(number), fill="white")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92)
    return out.getvalue()


def outline(movie, spec, *, title="The Message in the Storm"):
    return Outline(
        title=f"{title} {movie}",
        theme=spec.theme,
        overview="Clara keeps the light. A storm brings a message, and she must choose whom to trust.",
        style=Style("gothic", ("pointed arches", "long shadows"), ("dark", "gloomy")),
        locations=PLACES,
        characters=CHARACTERS,
        chapters=tuple(
            ChapterOutline(number, f"Chapter the {number}", PLACES[:2], f"In chapter {number} the storm grows.")
            for number in range(1, spec.chapters + 1)
        ),
    )


def chapter(number, spec):
    plans = (
        ScenePlan(scene, PLACES[(number + scene) % 4], f"Clara searches, scene {scene}.")
        for scene in range(1, spec.scenes + 1)
    )
    return Chapter(number, tuple(plans))


def scene(chapter_number, number, spec):
    frames = tuple(
        Frame(frame, f"Clara is standing at the {PLACES[frame % 4]} with a calm face", ("Clara",))
        for frame in range(1, spec.frames + 1)
    )
    dialogue = (
        Line(1, "Clara", f"What is this, {chapter_number}.{number}?"),
        Line(1, "Edwin", "A letter, from the sea."),
        Line(spec.frames, "Clara", "Then we must answer it."),
    )
    return Scene(chapter_number, number, frames, dialogue)


def questions(part, spec):
    last = spec.shape.total_frames
    if part == "movie":
        return (
            Question(QuestionKind.OVERVIEW, "what", "What is it about?", "A message.", FrameRange(1, last), "movie"),
        )
    if part == "order":
        return (
            Question(
                QuestionKind.TEMPORAL, "order", "What comes first?", "The storm.", FrameRange(2, last - 1), "movie"
            ),
        )
    level = part.split("-")[0]
    numbers = [int(word) for word in part.split("-")[1:]]
    evidence = spec.shape.scene_range(*numbers) if level == "scene" else spec.shape.chapter_range(*numbers)
    return (
        Question(QuestionKind.PLOT, "where", f"Where is Clara in {part}?", f"In {part}.", evidence, level),
        Question(QuestionKind.PLOT, "why", f"Why does she search in {part}?", "She is curious.", evidence, level),
    )


@dataclass
class Stage:
    """A store, the service over it, and what a test wants to know of them."""

    store: ArtifactStore
    stub: pb_grpc.ExportServiceStub
    folder: object

    async def export_movie(self, movie, spec=SPEC, dataset=DATASET):
        message = to_message(spec, dataset_pb.MovieDatasetSpec)
        request = pb.ExportMovieRequest(movie_dataset_id=dataset, spec=message, movie=movie)
        return await rpc.call("export", self.stub.ExportMovie(request))

    async def finish(self, spec=SPEC, dataset=DATASET):
        message = to_message(spec, dataset_pb.MovieDatasetSpec)
        request = pb.FinishDatasetRequest(movie_dataset_id=dataset, spec=message)
        return await rpc.call("export", self.stub.FinishDataset(request))

    async def export_all(self, spec=SPEC, dataset=DATASET):
        for movie in range(1, spec.movies + 1):
            await self.export_movie(movie, spec, dataset)
        return await self.finish(spec, dataset)

    def files(self, dataset=DATASET):
        """The folder a requester would download."""
        return self.folder / "datasets" / dataset / "files"


@contextlib.asynccontextmanager
async def stage_at(folder, *, limits=None, least_height=96, least_rate=2, encoder=None):
    """The real service over a store in `folder`, on a loopback port."""
    store = ArtifactStore.open(StoreSettings(url=f"file://{folder}"))
    servicer = ExportServicer(
        store,
        open_video=partial(PyavVideo, least_height=least_height, least_rate=least_rate),
        darkroom=DARKROOM,
        limits=limits or Limits(),
        press=Press(PyarrowTable, encoder),
        node_pool="cpu-pool",
    )
    server = rpc.Server([servicer.registration()], listen="127.0.0.1:0", check_every=0.05)
    await server.start()
    try:
        async with rpc.channel(f"127.0.0.1:{server.port}") as peer:
            yield Stage(store, pb_grpc.ExportServiceStub(peer), folder)
    finally:
        await server.stop()


async def write_dataset(store, spec=SPEC, dataset=DATASET, **parts):
    """Everything the other stages leave behind, for all movies; see `write_movie` for `parts`."""
    for movie in range(1, spec.movies + 1):
        await write_movie(store, DatasetKeys(dataset).movie(movie), spec, **parts)


async def write_movie(
    store, keys: MovieKeys, spec, *, make_outline=outline, make_scene=scene, make_questions=questions
):
    written = make_outline(keys.movie, spec)
    await store.put(keys.outline, to_json(written))
    await store.put(keys.style, to_json(await write_style(store, keys.dataset)))
    for number in range(1, spec.chapters + 1):
        await store.put(keys.chapter(number), to_json(chapter(number, spec)))
    parts = ["movie", "order", *(f"chapter-{number:02}" for number in range(1, spec.chapters + 1))]
    for place in spec.shape.scene_numbers():
        parts.append("scene-{:02}-{:02}".format(*place))
        script = make_scene(*place, spec)
        await store.put(keys.scene(*place), to_json(script))
        frames = [
            await write_frame(store, keys, spec.shape.frame_number(*place, frame.number), frame, written)
            for frame in script.frames
        ]
        await store.put(keys.rendered(*place), to_json(RenderedScene(tuple(frames))))
    for part in parts:
        await store.put(keys.questions(part), to_json(Questions(make_questions(part, spec))))


async def write_frame(store, keys, number, frame, written):
    data = await asyncio.to_thread(picture, keys.movie, number)
    await store.put(keys.frame(number), data)
    return RenderedFrame(
        number=number,
        prompt=frame_prompt(frame.description, written.characters, "<gothic>"),
        seed=1000 * keys.movie + number,
        file=StoredFile(store.uri(keys.frame(number)), digest(data), len(data)),
        model="pocket",
        node_pool="local",
        seconds=0.1,
    )


async def write_style(store, dataset):
    references = []
    for number in range(1, 4):
        data = picture(9, number, 64)
        key = f"styles/{dataset}/references/{number:02}.jpg"
        await store.put(key, data)
        references.append(StoredFile(store.uri(key), digest(data), len(data)))
    key = f"styles/{dataset}/learned_embeds.safetensors"
    await store.put(key, EMBEDDING)
    learned = LearnedStyle(store.uri(key), digest(EMBEDDING), "<gothic>")
    return MovieStyle(learned, tuple(references), initial_loss=0.31, final_loss=0.22, steps=40)


def spec_with(**changes):
    return replace(SPEC, **changes)


def heavy_frames(folder, spec, dataset=DATASET):
    """Replace all frames in the store at `folder` by one picture of about 60 kB, which it returns."""
    out = io.BytesIO()
    Image.effect_noise((256, 256), 90).convert("RGB").save(out, "JPEG", quality=95)
    data = out.getvalue()
    for movie in range(1, spec.movies + 1):
        keys = DatasetKeys(dataset).movie(movie)
        for place in spec.shape.scene_numbers():
            record = folder / keys.rendered(*place)
            frames = []
            for frame in from_json(record.read_bytes(), RenderedScene).frames:
                frames.append(replace(frame, file=StoredFile(frame.file.uri, digest(data), len(data))))
                (folder / keys.frame(frame.number)).write_bytes(data)
            record.write_bytes(to_json(RenderedScene(tuple(frames))))
    return data

"""All five stage services on one real gRPC port, doing no work.

Answers are of a real movie's size: a plot of the embedded storyteller with its numbers changed. Pictures are told to be
in the store and are not written. With seconds a picture above 0, rendering is a number of simulated replicas: a scene
goes to the less loaded of two at random, as Ray Serve's router sends it, and its pictures wait there for batches whose
time grows with their size, as a GPU's does.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from moviellm import rpc, wire
from moviellm.movie import Chapter, FrameRange, Outline, Question, QuestionKind, Scene, Shape
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest
from moviellm.v1 import (
    export_service_pb2,
    export_service_pb2_grpc,
    inversion_service_pb2,
    inversion_service_pb2_grpc,
    movie_pb2,
    question_service_pb2,
    question_service_pb2_grpc,
    rendering_service_pb2,
    rendering_service_pb2_grpc,
    scripting_service_pb2,
    scripting_service_pb2_grpc,
)

MOST = Shape(11, 11, 11)
WORK = movie_pb2.Work(node_pool="bench", seconds=0.01, model="null")
QUESTIONS = 6
"""Questions of each part; a verified movie of the paper's size has about that many."""

FIXED_SHARE = 0.2
"""Share of a full batch's time that a batch takes whatever its size: kernels' launches, decoding, Python."""


class Writer(scripting_service_pb2_grpc.ScriptingServiceServicer, question_service_pb2_grpc.QuestionServiceServicer):
    """ScriptingService and QuestionService."""

    def __init__(
        self, outline: movie_pb2.Outline, chapter: movie_pb2.Chapter, scene: movie_pb2.Scene, may_begin: asyncio.Event
    ) -> None:
        self._outline, self._chapter, self._scene = outline, chapter, scene
        self._may_begin = may_begin
        question = Question(
            QuestionKind.PLOT, "what", "What does the keeper find?", "A bottle.", FrameRange(1, 2), "scene"
        )
        self._questions = [wire.to_message(question, movie_pb2.Question)] * QUESTIONS

    @classmethod
    async def open(cls, may_begin: asyncio.Event) -> "Writer":
        """With a plot of the embedded storyteller; no outline is told before it `may_begin`."""
        teller = Storyteller()
        outline: Outline = (await teller.outline(OutlineRequest("a lighthouse keeper", MOST.chapters, 1))).value
        chapter: Chapter = (await teller.chapter(ChapterRequest(outline, 1, MOST.scenes, 1))).value
        scene: Scene = (await teller.scene(SceneRequest(outline, chapter, 1, MOST.frames, 6, 1))).value
        return cls(
            wire.to_message(outline, movie_pb2.Outline),
            wire.to_message(chapter, movie_pb2.Chapter),
            wire.to_message(scene, movie_pb2.Scene),
            may_begin,
        )

    async def WriteOutline(self, request: Any, context: Any) -> Any:
        """The same outline again."""
        await self._may_begin.wait()
        outline = movie_pb2.Outline()
        outline.CopyFrom(self._outline)
        del outline.chapters[request.chapters :]
        return scripting_service_pb2.WriteOutlineResponse(outline=outline, work=WORK)

    async def WriteChapter(self, request: Any, context: Any) -> Any:
        """The same chapter under its number."""
        chapter = movie_pb2.Chapter(number=request.chapter, scenes=self._chapter.scenes[: request.scenes])
        return scripting_service_pb2.WriteChapterResponse(chapter=chapter, work=WORK)

    async def WriteScene(self, request: Any, context: Any) -> Any:
        """The same scene under its number."""
        scene = movie_pb2.Scene(
            chapter=request.chapter.number,
            number=request.scene,
            frames=self._scene.frames[: request.frames],
            dialogue=self._scene.dialogue[: request.dialogue_lines],
        )
        return scripting_service_pb2.WriteSceneResponse(scene=scene, work=WORK)

    async def EstimatePlot(self, request: Any, context: Any) -> Any:
        """No tokens."""
        return scripting_service_pb2.EstimatePlotResponse()

    async def EstimateQuestions(self, request: Any, context: Any) -> Any:
        """No tokens."""
        return question_service_pb2.EstimateQuestionsResponse()

    async def AskMovie(self, request: Any, context: Any) -> Any:
        """The same questions."""
        return question_service_pb2.AskMovieResponse(questions=self._questions, work=WORK)

    async def AskChapter(self, request: Any, context: Any) -> Any:
        """The same questions."""
        return question_service_pb2.AskChapterResponse(questions=self._questions, work=WORK)

    async def AskScene(self, request: Any, context: Any) -> Any:
        """The same questions."""
        return question_service_pb2.AskSceneResponse(questions=self._questions, work=WORK)

    async def AskOrder(self, request: Any, context: Any) -> Any:
        """The same questions."""
        return question_service_pb2.AskOrderResponse(questions=self._questions, work=WORK)

    async def ReviewQuestions(self, request: Any, context: Any) -> Any:
        """All of them."""
        return question_service_pb2.ReviewQuestionsResponse(questions=request.questions, work=WORK)


class Replica:
    """A simulated GPU: one batch after the other, each as long as its size says. `busy` sums their seconds."""

    def __init__(self, batch: int, seconds: float) -> None:
        self._batch, self._seconds = batch, seconds
        self._queue: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()
        self._worker = asyncio.create_task(self._work())
        self._ended = 0.0
        self._began: float | None = None
        self.calls = 0

    @property
    def busy(self) -> float:
        """Seconds it has worked until now."""
        return self._ended + (time.perf_counter() - self._began if self._began is not None else 0.0)

    async def paint(self) -> None:
        """Wait until one picture is painted."""
        done = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(done)
        await done

    def stop(self) -> None:
        """Take no more."""
        self._worker.cancel()

    async def _work(self) -> None:
        while True:
            batch = [await self._queue.get()]
            await asyncio.sleep(0)
            while len(batch) < self._batch and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            batch = [one for one in batch if not one.done()]  # whoever hung up waits no more
            if not batch:
                continue
            full = len(batch) / self._batch
            self._began = time.perf_counter()
            await asyncio.sleep(self._batch * self._seconds * (FIXED_SHARE + (1 - FIXED_SHARE) * full))
            self._ended, self._began = self.busy, None
            for one in batch:
                if not one.done():
                    one.set_result(None)


class Renderer(rendering_service_pb2_grpc.RenderingServiceServicer):
    """RenderingService: at once, or on simulated replicas. `pictures` counts frames; the first sets `called`."""

    def __init__(self, *, replicas: int = 1, batch: int = 8, seconds: float = 0.0) -> None:
        self.replicas = [Replica(batch, seconds) for _ in range(replicas)] if seconds else []
        self.pictures = 0
        self.called = asyncio.Event()
        self._choices = random.Random(1)

    @property
    def busy(self) -> float:
        """Seconds that all replicas together have worked until now."""
        return sum(replica.busy for replica in self.replicas)

    async def RenderScene(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Every picture, when a replica has painted it."""
        self.called.set()
        if not self.replicas:
            for order in request.pictures:
                self.pictures += 1
                yield rendering_service_pb2.RenderSceneResponse(picture=_picture(order))
            return
        two = self._choices.sample(self.replicas, 2) if len(self.replicas) > 1 else self.replicas
        replica = min(two, key=lambda one: one.calls)
        replica.calls += 1
        painted = [asyncio.ensure_future(_painted(replica, order)) for order in request.pictures]
        try:
            for one in asyncio.as_completed(painted):
                picture = await one
                self.pictures += 1
                yield rendering_service_pb2.RenderSceneResponse(picture=picture)
        finally:
            replica.calls -= 1
            for one in painted:
                one.cancel()

    async def RenderReferences(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Every picture at once."""
        for order in request.pictures:
            yield rendering_service_pb2.RenderReferencesResponse(picture=_picture(order))

    async def MeasurePictures(self, request: Any, context: Any) -> Any:
        """Figures of nothing."""
        measures = rendering_service_pb2.PictureMeasures(
            pictures=len(request.pictures), scores=[0.5] * len(request.pictures), scorer="null"
        )
        return rendering_service_pb2.MeasurePicturesResponse(measures=measures, work=WORK)


async def _painted(replica: Replica, order: Any) -> Any:
    await replica.paint()
    return _picture(order)


def _picture(order: Any) -> Any:
    return rendering_service_pb2.RenderedPicture(
        number=order.number,
        file=movie_pb2.StoredFile(uri=order.uri, digest="0" * 64, size_bytes=10_000),
        work=WORK,
        attempts=[rendering_service_pb2.Attempt(seed=order.seed)],
    )


class Rest(inversion_service_pb2_grpc.InversionServiceServicer, export_service_pb2_grpc.ExportServiceServicer):
    """InversionService and ExportService."""

    async def DescribeModel(self, request: Any, context: Any) -> Any:
        """A model."""
        return inversion_service_pb2.DescribeModelResponse(model="null", weights="0" * 64)

    async def LearnStyle(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """A style at once."""
        style = movie_pb2.LearnedStyle(uri=f"{request.output_uri}/learned", digest="0" * 64, token="<null>")  # noqa: S106
        result = inversion_service_pb2.InversionResult(learned_style=style, steps=1, work=WORK)
        yield inversion_service_pb2.LearnStyleResponse(result=result)

    async def ExportMovie(self, request: Any, context: Any) -> Any:
        """Nothing."""
        return export_service_pb2.ExportMovieResponse(work=WORK)

    async def FinishDataset(self, request: Any, context: Any) -> Any:
        """Nothing."""
        return export_service_pb2.FinishDatasetResponse(work=WORK)


@contextlib.asynccontextmanager
async def null_services(
    may_begin: asyncio.Event, *, replicas: int = 1, seconds_a_picture: float = 0.0
) -> AsyncIterator[tuple[str, Renderer]]:
    """Their address, and the renderer to look at, while the body runs."""
    writer, renderer, rest = (
        await Writer.open(may_begin),
        Renderer(replicas=replicas, seconds=seconds_a_picture),
        Rest(),
    )
    adders: tuple[tuple[str, Any, Any], ...] = (
        ("Scripting", scripting_service_pb2_grpc.add_ScriptingServiceServicer_to_server, writer),
        ("Question", question_service_pb2_grpc.add_QuestionServiceServicer_to_server, writer),
        ("Rendering", rendering_service_pb2_grpc.add_RenderingServiceServicer_to_server, renderer),
        ("Inversion", inversion_service_pb2_grpc.add_InversionServiceServicer_to_server, rest),
        ("Export", export_service_pb2_grpc.add_ExportServiceServicer_to_server, rest),
    )
    server = rpc.Server(
        [rpc.Registration(f"moviellm.v1.{name}Service", partial(add, servicer)) for name, add, servicer in adders],
        listen="127.0.0.1:0",
        drain_seconds=0,
    )
    await server.start()
    try:
        yield f"127.0.0.1:{server.port}", renderer
    finally:
        await server.stop()
        for replica in renderer.replicas:
            replica.stop()

"""ScriptingService over gRPC: convert, call, convert."""

import asyncio
import time
from typing import Any, TypeVar

import grpc

from moviellm import rpc, wire
from moviellm.errors import InvalidInput
from moviellm.movie import Chapter, Outline, Prompt, Shape, Work
from moviellm.scripting.by_model import prompts
from moviellm.scripting.checker import plain_text
from moviellm.scripting.checker.tokens import TokenCounter, estimated
from moviellm.scripting.own_plot.imported_plot import ImportRequest, import_plot
from moviellm.scripting.writer import (
    ChapterRequest,
    EstimateRequest,
    Estimator,
    OutlineRequest,
    SceneRequest,
    Writer,
    Written,
)
from moviellm.v1 import movie_pb2
from moviellm.v1 import scripting_service_pb2 as pb
from moviellm.v1 import scripting_service_pb2_grpc as pb_grpc

T = TypeVar("T")
Context = grpc.aio.ServicerContext[Any, Any]

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["ScriptingService"].full_name
MAX_THEME = 500
MAX_DESCRIPTION = 500
MAX_COUNT = 64


class ScriptingServicer(pb_grpc.ScriptingServiceServicer):
    """Checks requests, has the writer write, and says what it cost; estimates are the estimator's."""

    def __init__(
        self, *, writer: Writer, estimator: Estimator, count: TokenCounter = estimated, node_pool: str = "local"
    ) -> None:
        self._count = count
        self._writer = writer
        self._estimator = estimator
        self._node_pool = node_pool

    @rpc.method
    async def WriteOutline(self, request: pb.WriteOutlineRequest, context: Context) -> pb.WriteOutlineResponse:
        """Level 1."""
        started = time.monotonic()
        _check_text("theme", request.theme, 1, MAX_THEME)
        _check_text("style_description", request.style_description, 0, MAX_DESCRIPTION)
        _check_text("style_preset", request.style_preset, 0, MAX_DESCRIPTION)
        _check_range("chapters", request.chapters, 1, MAX_COUNT)
        written = await self._writer.outline(
            OutlineRequest(
                theme=request.theme.strip(),
                chapters=request.chapters,
                seed=request.seed,
                preset=request.style_preset.strip(),
                description=request.style_description.strip(),
                prompts=_prompts(request),
            )
        )
        outline = wire.to_message(written.value, movie_pb2.Outline)
        return pb.WriteOutlineResponse(outline=outline, work=self._work(written, started), mends=_mends(written))

    @rpc.method
    async def WriteChapter(self, request: pb.WriteChapterRequest, context: Context) -> pb.WriteChapterResponse:
        """Level 2."""
        started = time.monotonic()
        outline = _outline(request)
        _check_range("chapter", request.chapter, 1, len(outline.chapters))
        _check_range("scenes", request.scenes, 1, MAX_COUNT)
        written = await self._writer.chapter(
            ChapterRequest(
                outline=outline,
                chapter=request.chapter,
                scenes=request.scenes,
                seed=request.seed,
                prompts=_prompts(request),
            )
        )
        chapter = wire.to_message(written.value, movie_pb2.Chapter)
        return pb.WriteChapterResponse(chapter=chapter, work=self._work(written, started), mends=_mends(written))

    @rpc.method
    async def WriteScene(self, request: pb.WriteSceneRequest, context: Context) -> pb.WriteSceneResponse:
        """Level 3."""
        started = time.monotonic()
        outline = _outline(request)
        if not request.HasField("chapter") or not request.chapter.scenes:
            raise InvalidInput("chapter", "must be a chapter with at least one scene")
        _check_range("chapter.number", request.chapter.number, 1, len(outline.chapters))
        _check_range("scene", request.scene, 1, len(request.chapter.scenes))
        _check_range("frames", request.frames, 1, MAX_COUNT)
        _check_range("dialogue_lines", request.dialogue_lines, 0, MAX_COUNT)
        written = await self._writer.scene(
            SceneRequest(
                outline=outline,
                chapter=wire.from_message(request.chapter, Chapter, "chapter"),
                scene=request.scene,
                frames=request.frames,
                dialogue_lines=request.dialogue_lines,
                seed=request.seed,
                prompts=_prompts(request),
                count=self._count,
            )
        )
        scene = wire.to_message(written.value, movie_pb2.Scene)
        return pb.WriteSceneResponse(scene=scene, work=self._work(written, started), mends=_mends(written))

    @rpc.method
    async def ImportPlot(self, request: pb.ImportPlotRequest, context: Context) -> pb.ImportPlotResponse:
        """A requester's own plot, read, mended and checked."""
        _check_text("theme", request.theme, 0, MAX_THEME)
        _check_text("style_description", request.style_description, 0, MAX_DESCRIPTION)
        _check_text("style_preset", request.style_preset, 0, MAX_DESCRIPTION)
        _check_range("dialogue_lines", request.dialogue_lines, 0, MAX_COUNT)
        wanted = ImportRequest(
            plot=request.plot,
            theme=request.theme.strip(),
            shape=wire.from_message(request.shape, Shape, "shape"),
            seed=request.seed,
            preset=request.style_preset.strip(),
            description=request.style_description.strip(),
            dialogue_lines=request.dialogue_lines,
            count=self._count,
        )
        return wire.to_message(await asyncio.to_thread(import_plot, wanted), pb.ImportPlotResponse)

    @rpc.method
    async def EstimatePlot(self, request: pb.EstimatePlotRequest, context: Context) -> pb.EstimatePlotResponse:
        """The tokens of a whole script before it is written."""
        _check_text("theme", request.theme, 1, MAX_THEME)
        for name in ("chapters", "scenes", "frames"):
            _check_range(f"shape.{name}", getattr(request.shape, name), 1, MAX_COUNT)
        _check_range("dialogue_lines", request.dialogue_lines, 0, MAX_COUNT)
        estimate = await self._estimator.estimate(
            EstimateRequest(
                theme=request.theme.strip(),
                shape=wire.from_message(request.shape, Shape, "shape"),
                dialogue_lines=request.dialogue_lines,
                prompts=_prompts(request),
            )
        )
        return wire.to_message(estimate, pb.EstimatePlotResponse)

    def _work(self, written: Written[T], started: float) -> movie_pb2.Work:
        work = Work(
            node_pool=self._node_pool,
            seconds=time.monotonic() - started,
            model=written.model,
            prompt_tokens=written.prompt_tokens,
            completion_tokens=written.completion_tokens,
            prompt=written.prompt,
        )
        return wire.to_message(work, movie_pb2.Work)


def registration(servicer: ScriptingServicer) -> rpc.Registration:
    """The servicer as rpc.Server takes it."""
    add = pb_grpc.add_ScriptingServiceServicer_to_server
    return rpc.Registration(SERVICE_NAME, lambda server: add(servicer, server))


def _outline(request: pb.WriteChapterRequest | pb.WriteSceneRequest) -> Outline:
    if not request.HasField("outline"):
        raise InvalidInput("outline", "must be present")
    if not request.outline.chapters:
        raise InvalidInput("outline.chapters", "must hold at least one chapter")
    if not request.outline.characters:
        raise InvalidInput("outline.characters", "must hold at least one character")
    if not request.outline.locations:
        raise InvalidInput("outline.locations", "must hold at least one location")
    for index, chapter in enumerate(request.outline.chapters):
        if not chapter.locations:
            raise InvalidInput(f"outline.chapters[{index}].locations", "must hold at least one location")
    return wire.from_message(request.outline, Outline, "outline")


def _prompts(
    request: pb.WriteOutlineRequest | pb.WriteChapterRequest | pb.WriteSceneRequest | pb.EstimatePlotRequest,
) -> tuple[Prompt, ...]:
    """The requester's templates, checked also where a writer without prompts passes over them."""
    own = tuple(wire.from_message(prompt, Prompt, f"prompts[{i}]") for i, prompt in enumerate(request.prompts))
    prompts.chosen(own)
    return own


def _mends(written: Written[T]) -> list[movie_pb2.Mend]:
    return [wire.to_message(mend, movie_pb2.Mend) for mend in written.mends]


def _check_text(field: str, text: str, least: int, most: int) -> None:
    length = len(text.strip())
    if not least <= length <= most:
        raise InvalidInput(field, f"must have {least} to {most} characters, got {length}")
    if problem := plain_text.fault(text):
        raise InvalidInput(field, problem)


def _check_range(field: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise InvalidInput(field, f"must be from {least} to {most}, got {number}")

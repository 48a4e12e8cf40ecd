"""The stage services over gRPC."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from moviellm import rpc, wire
from moviellm.artifacts import digest
from moviellm.controller.stages import (
    InversionProgress,
    InversionResult,
    Made,
    PictureOrder,
    RenderedPicture,
    StyleOrder,
)
from moviellm.dataset import Exported, MovieDatasetSpec, Questions, Stage
from moviellm.movie import Chapter, LearnedStyle, Outline, Question, Scene, Shape, StoredFile, Work
from moviellm.v1 import (
    export_service_pb2,
    export_service_pb2_grpc,
    inversion_service_pb2,
    inversion_service_pb2_grpc,
    movie_dataset_service_pb2,
    movie_pb2,
    question_service_pb2,
    question_service_pb2_grpc,
    rendering_service_pb2,
    rendering_service_pb2_grpc,
    scripting_service_pb2,
    scripting_service_pb2_grpc,
)

T = TypeVar("T")

#: Seconds after which a call is taken for lost.
DEADLINES: Mapping[Stage, float] = {
    Stage.SCRIPTING: 600.0,
    Stage.INVERSION: 3600.0,
    Stage.RENDERING: 3600.0,
    Stage.QA: 600.0,
    Stage.EXPORT: 3600.0,
}


class GrpcStages:
    """Implements the `Stages` port."""

    def __init__(self, channels: Mapping[Stage, grpc.aio.Channel], *, application: str) -> None:
        self._scripting: Any = scripting_service_pb2_grpc.ScriptingServiceStub(channels[Stage.SCRIPTING])
        self._inversion: Any = inversion_service_pb2_grpc.InversionServiceStub(channels[Stage.INVERSION])
        self._rendering: Any = rendering_service_pb2_grpc.RenderingServiceStub(channels[Stage.RENDERING])
        self._qa: Any = question_service_pb2_grpc.QuestionServiceStub(channels[Stage.QA])
        self._export: Any = export_service_pb2_grpc.ExportServiceStub(channels[Stage.EXPORT])
        self._to_application = (("application", application),)

    async def write_outline(self, spec: MovieDatasetSpec, seed: int) -> Made[Outline]:
        """Level 1 of a plot."""
        request = scripting_service_pb2.WriteOutlineRequest(
            theme=spec.theme,
            chapters=spec.chapters,
            seed=seed,
            style_preset=spec.style.preset,
            style_description=spec.style.description,
        )
        return await self._unary(
            Stage.SCRIPTING, self._scripting.WriteOutline, request, lambda r: wire.from_message(r.outline, Outline)
        )

    async def write_chapter(self, outline: Outline, chapter: int, scenes: int, seed: int) -> Made[Chapter]:
        """Level 2 of a plot."""
        request = scripting_service_pb2.WriteChapterRequest(
            outline=wire.to_message(outline, movie_pb2.Outline), chapter=chapter, scenes=scenes, seed=seed
        )
        return await self._unary(
            Stage.SCRIPTING, self._scripting.WriteChapter, request, lambda r: wire.from_message(r.chapter, Chapter)
        )

    async def write_scene(
        self, outline: Outline, chapter: Chapter, scene: int, frames: int, dialogue_lines: int, seed: int
    ) -> Made[Scene]:
        """Level 3 of a plot."""
        request = scripting_service_pb2.WriteSceneRequest(
            outline=wire.to_message(outline, movie_pb2.Outline),
            chapter=wire.to_message(chapter, movie_pb2.Chapter),
            scene=scene,
            frames=frames,
            dialogue_lines=dialogue_lines,
            seed=seed,
        )
        return await self._unary(
            Stage.SCRIPTING, self._scripting.WriteScene, request, lambda r: wire.from_message(r.scene, Scene)
        )

    async def render_references(self, orders: tuple[PictureOrder, ...], model: str) -> AsyncIterator[RenderedPicture]:
        """Style references, in any order."""
        request = rendering_service_pb2.RenderReferencesRequest(
            pictures=_pictures(orders), options=rendering_service_pb2.RenderOptions(model=model)
        )
        responses = self._rendering.RenderReferences(
            request, metadata=self._to_application, timeout=DEADLINES[Stage.RENDERING]
        )
        async for response in rpc.stream(Stage.RENDERING, responses):
            yield wire.from_message(response.picture, RenderedPicture)

    async def render_scene(
        self, orders: tuple[PictureOrder, ...], style: LearnedStyle, model: str, negative_prompt: str
    ) -> AsyncIterator[RenderedPicture]:
        """The frames of a scene, in any order."""
        request = rendering_service_pb2.RenderSceneRequest(
            pictures=_pictures(orders),
            learned_style=wire.to_message(style, movie_pb2.LearnedStyle),
            options=rendering_service_pb2.RenderOptions(model=model, negative_prompt=negative_prompt),
        )
        responses = self._rendering.RenderScene(
            request, metadata=self._to_application, timeout=DEADLINES[Stage.RENDERING]
        )
        async for response in rpc.stream(Stage.RENDERING, responses):
            yield wire.from_message(response.picture, RenderedPicture)

    async def learn_style(self, order: StyleOrder) -> AsyncIterator[InversionProgress | InversionResult]:
        """Progress, then the result."""
        request = wire.to_message(order, inversion_service_pb2.LearnStyleRequest)
        responses = self._inversion.LearnStyle(request, timeout=DEADLINES[Stage.INVERSION])
        async for response in rpc.stream(Stage.INVERSION, responses):
            if response.WhichOneof("update") == "result":
                yield wire.from_message(response.result, InversionResult)
            else:
                yield wire.from_message(response.progress, InversionProgress)

    async def ask_movie(self, outline: Outline, shape: Shape, seed: int) -> Made[Questions]:
        """Overview questions."""
        request = question_service_pb2.AskMovieRequest(
            outline=wire.to_message(outline, movie_pb2.Outline),
            shape=wire.to_message(shape, movie_pb2.Shape),
            seed=seed,
        )
        return await self._unary(Stage.QA, self._qa.AskMovie, request, _questions)

    async def ask_chapter(self, outline: Outline, chapter: Chapter, shape: Shape, seed: int) -> Made[Questions]:
        """Plot questions about a chapter."""
        request = question_service_pb2.AskChapterRequest(
            outline=wire.to_message(outline, movie_pb2.Outline),
            chapter=wire.to_message(chapter, movie_pb2.Chapter),
            shape=wire.to_message(shape, movie_pb2.Shape),
            seed=seed,
        )
        return await self._unary(Stage.QA, self._qa.AskChapter, request, _questions)

    async def ask_scene(
        self, outline: Outline, chapter: Chapter, scene: Scene, shape: Shape, seed: int
    ) -> Made[Questions]:
        """Plot questions about a scene."""
        request = question_service_pb2.AskSceneRequest(
            outline=wire.to_message(outline, movie_pb2.Outline),
            chapter=wire.to_message(chapter, movie_pb2.Chapter),
            scene=wire.to_message(scene, movie_pb2.Scene),
            shape=wire.to_message(shape, movie_pb2.Shape),
            seed=seed,
        )
        return await self._unary(Stage.QA, self._qa.AskScene, request, _questions)

    async def ask_order(
        self, outline: Outline, chapters: tuple[Chapter, ...], shape: Shape, seed: int
    ) -> Made[Questions]:
        """Temporal questions."""
        request = question_service_pb2.AskOrderRequest(
            outline=wire.to_message(outline, movie_pb2.Outline),
            chapters=[wire.to_message(chapter, movie_pb2.Chapter) for chapter in chapters],
            shape=wire.to_message(shape, movie_pb2.Shape),
            seed=seed,
        )
        return await self._unary(Stage.QA, self._qa.AskOrder, request, _questions)

    async def export_movie(self, dataset: str, spec: MovieDatasetSpec, movie: int) -> Made[Exported]:
        """The movie's folder."""
        request = export_service_pb2.ExportMovieRequest(
            movie_dataset_id=dataset,
            spec=wire.to_message(spec, movie_dataset_service_pb2.MovieDatasetSpec),
            movie=movie,
        )
        return await self._unary(Stage.EXPORT, self._export.ExportMovie, request, _exported)

    async def finish_dataset(self, dataset: str, spec: MovieDatasetSpec) -> Made[Exported]:
        """What spans all movies."""
        request = export_service_pb2.FinishDatasetRequest(
            movie_dataset_id=dataset, spec=wire.to_message(spec, movie_dataset_service_pb2.MovieDatasetSpec)
        )
        return await self._unary(Stage.EXPORT, self._export.FinishDataset, request, _exported)

    async def _unary(
        self,
        stage: Stage,
        method: Callable[..., Awaitable[Any]],
        request: Message,
        value_of: Callable[[Any], T],
    ) -> Made[T]:
        response = await rpc.call(stage, method(request, timeout=DEADLINES[stage]))
        made_from = digest(request.SerializeToString(deterministic=True))
        return Made(value_of(response), wire.from_message(response.work, Work), made_from)


def _pictures(orders: tuple[PictureOrder, ...]) -> list[rendering_service_pb2.PictureOrder]:
    return [wire.to_message(order, rendering_service_pb2.PictureOrder) for order in orders]


def _questions(response: Any) -> Questions:
    return Questions(tuple(wire.from_message(question, Question) for question in response.questions))


def _exported(response: Any) -> Exported:
    return Exported(tuple(wire.from_message(file, StoredFile) for file in response.files))

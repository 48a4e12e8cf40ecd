"""The stage services over gRPC."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from moviellm import wire
from moviellm.artifacts import digest
from moviellm.controller.calling import called, streamed
from moviellm.controller.kept import kept
from moviellm.controller.stages import (
    ImportedPlot,
    InversionProgress,
    InversionResult,
    LearnedLooks,
    Made,
    PictureOrder,
    RenderedPicture,
    Renderer,
    RenderOptions,
    StyleOrder,
    TokenEstimate,
)
from moviellm.dataset import Exported, MovieDatasetSpec, PictureMeasures, Questions, Stage, StyleMethod
from moviellm.movie import Chapter, Dropped, Mend, Outline, Prompt, Question, Scene, Shape, StoredFile, Work
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

#: Seconds for calls that a requester waits for.
AT_THE_DOOR = 60.0


class GrpcStages:
    """Implements the `Stages` port."""

    def __init__(self, channels: Mapping[Stage, grpc.aio.Channel], *, application: str) -> None:
        self._scripting: Any = scripting_service_pb2_grpc.ScriptingServiceStub(channels[Stage.SCRIPTING])
        self._inversion: Any = inversion_service_pb2_grpc.InversionServiceStub(channels[Stage.INVERSION])
        self._rendering: Any = rendering_service_pb2_grpc.RenderingServiceStub(channels[Stage.RENDERING])
        self._qa: Any = question_service_pb2_grpc.QuestionServiceStub(channels[Stage.QA])
        self._export: Any = export_service_pb2_grpc.ExportServiceStub(channels[Stage.EXPORT])
        self._to_application = (("application", application),)

    # ---- scripting ----

    async def import_plot(self, plot: bytes, spec: MovieDatasetSpec, shape: Shape) -> ImportedPlot:
        """A requester's own plot."""
        request = scripting_service_pb2.ImportPlotRequest(
            plot=plot,
            theme=spec.theme,
            shape=wire.to_message(shape, movie_pb2.Shape),
            style_preset=spec.style.preset,
            style_description=spec.style.description,
            seed=spec.seed,
            dialogue_lines=spec.dialogue_lines,
        )
        response = await called(Stage.SCRIPTING, self._scripting.ImportPlot(request, timeout=AT_THE_DOOR))
        return wire.from_message(response, ImportedPlot)

    async def estimate_tokens(self, spec: MovieDatasetSpec) -> tuple[TokenEstimate, ...]:
        """What the scripts and the questions of one movie will take."""
        fields: dict[str, Any] = {
            "theme": spec.theme,
            "shape": wire.to_message(spec.shape, movie_pb2.Shape),
            "dialogue_lines": spec.dialogue_lines,
        }
        of_plot = scripting_service_pb2.EstimatePlotRequest(**fields, prompts=_plot_prompts(spec))
        of_questions = question_service_pb2.EstimateQuestionsRequest(**fields, prompts=_question_prompts(spec))
        plot = self._scripting.EstimatePlot(of_plot, timeout=AT_THE_DOOR)
        questions = self._qa.EstimateQuestions(of_questions, timeout=AT_THE_DOOR)
        return (
            wire.from_message(await called(Stage.SCRIPTING, plot), TokenEstimate),
            wire.from_message(await called(Stage.QA, questions), TokenEstimate),
        )

    async def write_outline(self, spec: MovieDatasetSpec, seed: int) -> Made[Outline]:
        """Level 1 of a plot."""
        request = scripting_service_pb2.WriteOutlineRequest(
            theme=spec.theme,
            chapters=spec.chapters,
            seed=seed,
            style_preset=spec.style.preset,
            style_description=spec.style.description,
            prompts=_plot_prompts(spec),
        )
        return await self._unary(
            Stage.SCRIPTING, self._scripting.WriteOutline, request, lambda r: wire.from_message(r.outline, Outline)
        )

    async def write_chapter(self, spec: MovieDatasetSpec, outline: Outline, chapter: int, seed: int) -> Made[Chapter]:
        """Level 2 of a plot."""
        request = scripting_service_pb2.WriteChapterRequest(
            outline=_outline(outline), chapter=chapter, scenes=spec.scenes, seed=seed, prompts=_plot_prompts(spec)
        )
        return await self._unary(
            Stage.SCRIPTING, self._scripting.WriteChapter, request, lambda r: wire.from_message(r.chapter, Chapter)
        )

    async def write_scene(
        self, spec: MovieDatasetSpec, outline: Outline, chapter: Chapter, scene: int, seed: int
    ) -> Made[Scene]:
        """Level 3 of a plot."""
        rest = scripting_service_pb2.WriteSceneRequest(
            scene=scene,
            frames=spec.frames,
            dialogue_lines=spec.dialogue_lines,
            seed=seed,
            prompts=_plot_prompts(spec),
        )
        request = _plot_so_far(outline, chapter) + _written(rest)
        return await self._unary(
            Stage.SCRIPTING, self._scripting.WriteScene, request, lambda r: wire.from_message(r.scene, Scene)
        )

    # ---- pictures ----

    async def render_references(self, orders: tuple[PictureOrder, ...], model: str) -> AsyncIterator[RenderedPicture]:
        """Style references, in any order."""
        request = rendering_service_pb2.RenderReferencesRequest(
            pictures=_pictures(orders), options=rendering_service_pb2.RenderOptions(model=model)
        )
        responses = self._rendering.RenderReferences(
            request, metadata=self._to_application, timeout=DEADLINES[Stage.RENDERING]
        )
        async for response in streamed(Stage.RENDERING, responses):
            yield wire.from_message(response.picture, RenderedPicture)

    async def render_scene(
        self, orders: tuple[PictureOrder, ...], looks: LearnedLooks, options: RenderOptions
    ) -> AsyncIterator[RenderedPicture]:
        """The frames of a scene, in any order."""
        request = rendering_service_pb2.RenderSceneRequest(
            pictures=_pictures(orders),
            learned_style=wire.to_message(looks.style, movie_pb2.LearnedStyle),
            learned_characters=[wire.to_message(look, movie_pb2.LearnedStyle) for look in looks.characters],
            options=wire.to_message(options, rendering_service_pb2.RenderOptions),
        )
        responses = self._rendering.RenderScene(
            request, metadata=self._to_application, timeout=DEADLINES[Stage.RENDERING]
        )
        async for response in streamed(Stage.RENDERING, responses):
            yield wire.from_message(response.picture, RenderedPicture)

    async def measure(
        self, pictures: tuple[StoredFile, ...], texts: tuple[str, ...], references: tuple[StoredFile, ...]
    ) -> Made[PictureMeasures]:
        """Figures of pictures in their order."""
        request = rendering_service_pb2.MeasurePicturesRequest(
            pictures=[wire.to_message(picture, movie_pb2.StoredFile) for picture in pictures],
            texts=texts,
            references=[wire.to_message(reference, movie_pb2.StoredFile) for reference in references],
        )
        return await self._unary(
            Stage.RENDERING,
            self._rendering.MeasurePictures,
            request,
            lambda r: wire.from_message(r.measures, PictureMeasures),
            metadata=self._to_application,
        )

    async def weights(self) -> str:
        """A digest of the picture model that changes when it is trained anew."""
        return str((await self._model()).weights)

    async def style_methods(self) -> tuple[StyleMethod, ...]:
        """How the inversion service can learn a look."""
        names = {number: name for name, number in movie_dataset_service_pb2.StyleMethod.items()}
        methods = (await self._model()).methods
        return tuple(StyleMethod(names[method].removeprefix("STYLE_METHOD_").lower()) for method in methods)

    async def _model(self) -> Any:
        request = inversion_service_pb2.DescribeModelRequest()
        return await called(Stage.INVERSION, self._inversion.DescribeModel(request, timeout=AT_THE_DOOR))

    async def renderer(self) -> Renderer:
        """How the rendering service renders, and what requests may ask of it."""
        request = rendering_service_pb2.DescribeRendererRequest()
        described = self._rendering.DescribeRenderer(request, metadata=self._to_application, timeout=AT_THE_DOOR)
        return wire.from_message(await called(Stage.RENDERING, described), Renderer)

    async def learn_style(self, order: StyleOrder) -> AsyncIterator[InversionProgress | InversionResult]:
        """Progress, then the result."""
        request = wire.to_message(order, inversion_service_pb2.LearnStyleRequest)
        responses = self._inversion.LearnStyle(request, timeout=DEADLINES[Stage.INVERSION])
        async for response in streamed(Stage.INVERSION, responses):
            if response.WhichOneof("update") == "result":
                yield wire.from_message(response.result, InversionResult)
            else:
                yield wire.from_message(response.progress, InversionProgress)

    # ---- questions ----

    async def ask_movie(self, spec: MovieDatasetSpec, outline: Outline, seed: int) -> Made[Questions]:
        """Overview questions."""
        request = question_service_pb2.AskMovieRequest(
            outline=_outline(outline), shape=_shape(spec), seed=seed, prompts=_question_prompts(spec)
        )
        return await self._unary(Stage.QA, self._qa.AskMovie, request, _questions)

    async def ask_chapter(
        self, spec: MovieDatasetSpec, outline: Outline, chapter: Chapter, seed: int
    ) -> Made[Questions]:
        """Plot questions about a chapter."""
        request = question_service_pb2.AskChapterRequest(
            outline=_outline(outline),
            chapter=_chapter(chapter),
            shape=_shape(spec),
            seed=seed,
            prompts=_question_prompts(spec),
        )
        return await self._unary(Stage.QA, self._qa.AskChapter, request, _questions)

    async def ask_scene(
        self, spec: MovieDatasetSpec, outline: Outline, chapter: Chapter, scene: Scene, seed: int
    ) -> Made[Questions]:
        """Questions about a scene."""
        rest = question_service_pb2.AskSceneRequest(
            scene=wire.to_message(scene, movie_pb2.Scene),
            shape=_shape(spec),
            seed=seed,
            prompts=_question_prompts(spec),
        )
        request = _plot_so_far(outline, chapter) + _written(rest)
        return await self._unary(Stage.QA, self._qa.AskScene, request, _questions)

    async def ask_order(
        self,
        spec: MovieDatasetSpec,
        outline: Outline,
        chapters: tuple[Chapter, ...],
        scenes: tuple[Scene, ...],
        seed: int,
    ) -> Made[Questions]:
        """Temporal questions."""
        request = question_service_pb2.AskOrderRequest(
            outline=_outline(outline),
            chapters=[_chapter(chapter) for chapter in chapters],
            scenes=[wire.to_message(scene, movie_pb2.Scene) for scene in scenes],
            shape=_shape(spec),
            seed=seed,
            prompts=_question_prompts(spec),
        )
        return await self._unary(Stage.QA, self._qa.AskOrder, request, _questions)

    async def review(self, outline: Outline, questions: tuple[Question, ...]) -> Made[Questions]:
        """The questions of a whole movie that stay."""
        request = question_service_pb2.ReviewQuestionsRequest(
            outline=_outline(outline),
            questions=[wire.to_message(question, movie_pb2.Question) for question in questions],
        )
        return await self._unary(Stage.QA, self._qa.ReviewQuestions, request, _questions)

    # ---- export ----

    async def export_movie(self, dataset: str, spec: MovieDatasetSpec, movie: int) -> Made[Exported]:
        """The movie's folder."""
        request = export_service_pb2.ExportMovieRequest(movie_dataset_id=dataset, spec=_spec(spec), movie=movie)
        return await self._unary(Stage.EXPORT, self._export.ExportMovie, request, _exported)

    async def finish_dataset(self, dataset: str, spec: MovieDatasetSpec) -> Made[Exported]:
        """What spans all movies."""
        request = export_service_pb2.FinishDatasetRequest(movie_dataset_id=dataset, spec=_spec(spec))
        return await self._unary(Stage.EXPORT, self._export.FinishDataset, request, _exported)

    async def _unary(
        self,
        stage: Stage,
        method: Callable[..., Awaitable[Any]],
        request: Message | bytes,
        value_of: Callable[[Any], T],
        *,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> Made[T]:
        data = request if isinstance(request, bytes) else _written(request)
        response = await called(stage, method(data, timeout=DEADLINES[stage], metadata=metadata))
        mends = tuple(wire.from_message(mend, Mend) for mend in getattr(response, "mends", ()))
        return Made(value_of(response), wire.from_message(response.work, Work), digest(data), mends)


def _spec(spec: MovieDatasetSpec) -> movie_dataset_service_pb2.MovieDatasetSpec:
    return wire.to_message(spec, movie_dataset_service_pb2.MovieDatasetSpec)


@kept(64)
def _outline(outline: Outline) -> movie_pb2.Outline:
    return wire.to_message(outline, movie_pb2.Outline)


@kept(512)
def _chapter(chapter: Chapter) -> movie_pb2.Chapter:
    return wire.to_message(chapter, movie_pb2.Chapter)


def _plot_so_far(outline: Outline, chapter: Chapter) -> bytes:
    """The fields `outline` and `chapter` of a request about a scene: the bytes of a message's parts make its bytes."""
    return _outline_field(outline) + _chapter_field(chapter)


@kept(64)
def _outline_field(outline: Outline) -> bytes:
    return _written(scripting_service_pb2.WriteSceneRequest(outline=_outline(outline)))


@kept(512)
def _chapter_field(chapter: Chapter) -> bytes:
    return _written(scripting_service_pb2.WriteSceneRequest(chapter=_chapter(chapter)))


def _written(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def _shape(spec: MovieDatasetSpec) -> movie_pb2.Shape:
    return wire.to_message(spec.shape, movie_pb2.Shape)


def _plot_prompts(spec: MovieDatasetSpec) -> list[movie_pb2.Prompt]:
    return [wire.to_message(prompt, movie_pb2.Prompt) for prompt in spec.prompts if not _is_for_questions(prompt)]


def _question_prompts(spec: MovieDatasetSpec) -> list[movie_pb2.Prompt]:
    return [wire.to_message(prompt, movie_pb2.Prompt) for prompt in spec.prompts if _is_for_questions(prompt)]


def _is_for_questions(prompt: Prompt) -> bool:
    return prompt.name.startswith("questions")


def _pictures(orders: tuple[PictureOrder, ...]) -> list[rendering_service_pb2.PictureOrder]:
    return [wire.to_message(order, rendering_service_pb2.PictureOrder) for order in orders]


def _questions(response: Any) -> Questions:
    return Questions(
        tuple(wire.from_message(question, Question) for question in response.questions),
        tuple(wire.from_message(dropped, Dropped) for dropped in response.dropped),
    )


def _exported(response: Any) -> Exported:
    return Exported(tuple(wire.from_message(file, StoredFile) for file in response.files))

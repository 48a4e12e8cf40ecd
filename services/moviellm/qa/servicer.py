"""QuestionService: convert, call, convert."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from moviellm import movie, rpc
from moviellm.errors import InvalidInput
from moviellm.qa.asking import Asked, Asker
from moviellm.qa.judge.judging import Case, Judge, Verdict
from moviellm.v1 import movie_pb2
from moviellm.v1 import question_service_pb2 as pb
from moviellm.v1 import question_service_pb2_grpc as pb_grpc
from moviellm.wire import from_message, to_message

NAME = pb.DESCRIPTOR.services_by_name["QuestionService"].full_name
R = TypeVar(
    "R",
    pb.AskMovieResponse,
    pb.AskChapterResponse,
    pb.AskSceneResponse,
    pb.AskOrderResponse,
    pb.ReviewQuestionsResponse,
)
Context = grpc.aio.ServicerContext[Any, Any]


class QuestionServicer(pb_grpc.QuestionServiceServicer):
    """Questions of one asker, verdicts of one judge; `clock` counts seconds for the bill."""

    def __init__(
        self,
        *,
        asker: Asker,
        judge: Judge,
        node_pool: str = "local",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._asker = asker
        self._judge = judge
        self._node_pool = node_pool
        self._clock = clock

    @rpc.method
    async def AskMovie(self, request: pb.AskMovieRequest, context: Context) -> pb.AskMovieResponse:
        """Overview questions from the outline."""
        started = self._clock()
        shape = _shape(request)
        asked = await self._asker.ask_movie(_outline(request, shape), shape, request.seed, _prompts(request))
        return self._answer(asked, started, pb.AskMovieResponse())

    @rpc.method
    async def AskChapter(self, request: pb.AskChapterRequest, context: Context) -> pb.AskChapterResponse:
        """Plot questions from one chapter."""
        started = self._clock()
        shape = _shape(request)
        chapter = _chapter(request.chapter, shape, "chapter")
        asked = await self._asker.ask_chapter(_outline(request, shape), chapter, shape, request.seed, _prompts(request))
        return self._answer(asked, started, pb.AskChapterResponse())

    @rpc.method
    async def AskScene(self, request: pb.AskSceneRequest, context: Context) -> pb.AskSceneResponse:
        """Plot questions from one scene."""
        started = self._clock()
        shape = _shape(request)
        chapter = _chapter(request.chapter, shape, "chapter")
        scene = _scene(request, chapter)
        asked = await self._asker.ask_scene(
            _outline(request, shape), chapter, scene, shape, request.seed, _prompts(request)
        )
        return self._answer(asked, started, pb.AskSceneResponse())

    @rpc.method
    async def AskOrder(self, request: pb.AskOrderRequest, context: Context) -> pb.AskOrderResponse:
        """Temporal questions from the order of the script."""
        started = self._clock()
        shape = _shape(request)
        chapters = tuple(_chapter(item, shape, f"chapters[{i}]") for i, item in enumerate(request.chapters))
        _once("chapters", [chapter.number for chapter in chapters])
        scenes = _scenes(request, shape)
        asked = await self._asker.ask_order(
            _outline(request, shape), chapters, shape, request.seed, _prompts(request), scenes
        )
        return self._answer(asked, started, pb.AskOrderResponse())

    @rpc.method
    async def ReviewQuestions(self, request: pb.ReviewQuestionsRequest, context: Context) -> pb.ReviewQuestionsResponse:
        """What stays of a movie's questions when all of them are seen together."""
        started = self._clock()
        if not request.HasField("outline"):
            raise InvalidInput("outline", "must be set")
        outline = from_message(request.outline, movie.Outline, "outline")
        questions = tuple(
            from_message(item, movie.Question, f"questions[{i}]") for i, item in enumerate(request.questions)
        )
        asked = await self._asker.review(outline, questions)
        return self._answer(asked, started, pb.ReviewQuestionsResponse())

    @rpc.method
    async def EstimateQuestions(
        self, request: pb.EstimateQuestionsRequest, context: Context
    ) -> pb.EstimateQuestionsResponse:
        """How many tokens the questions of one movie will take."""
        if request.dialogue_lines < 0:
            raise InvalidInput("dialogue_lines", f"must be at least 0, got {request.dialogue_lines}")
        forecast = await self._asker.estimate(request.theme, _shape(request), request.dialogue_lines, _prompts(request))
        return pb.EstimateQuestionsResponse(
            prompt_tokens=forecast.prompt_tokens, completion_tokens=forecast.completion_tokens, model=self._asker.name
        )

    @rpc.method
    async def Judge(self, request: pb.JudgeRequest, context: Context) -> pb.JudgeResponse:
        """Which of two answers is nearer to the reference."""
        started = self._clock()
        verdict = await self._judge.judge(_case(request))
        return pb.JudgeResponse(
            candidate_first=to_message(verdict.candidate_first, pb.Judgement),
            baseline_first=to_message(verdict.baseline_first, pb.Judgement),
            winner=pb.Winner.Value(f"WINNER_{verdict.winner.upper()}"),
            work=self._work(started, self._judge.name, verdict),
        )

    def _answer(self, asked: Asked, started: float, response: R) -> R:
        response.questions.extend(to_message(question, movie_pb2.Question) for question in asked.questions)
        response.dropped.extend(to_message(dropped, movie_pb2.Dropped) for dropped in asked.dropped)
        response.work.CopyFrom(self._work(started, self._asker.name, asked))
        return response

    def _work(self, started: float, model: str, usage: Asked | Verdict) -> movie_pb2.Work:
        work = movie.Work(
            node_pool=self._node_pool,
            seconds=self._clock() - started,
            model=model,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            prompt=usage.prompt,
        )
        return to_message(work, movie_pb2.Work)


def _shape(request: Any) -> movie.Shape:
    shape = from_message(request.shape, movie.Shape)
    for field in ("chapters", "scenes", "frames"):
        if getattr(shape, field) < 1:
            raise InvalidInput(f"shape.{field}", f"must be at least 1, got {getattr(shape, field)}")
    return shape


def _outline(request: Any, shape: movie.Shape) -> movie.Outline:
    if not request.HasField("outline"):
        raise InvalidInput("outline", "must be set")
    outline = from_message(request.outline, movie.Outline, "outline")
    for index, chapter in enumerate(outline.chapters):
        _within(f"outline.chapters[{index}].number", chapter.number, shape.chapters)
    _once("outline.chapters", [chapter.number for chapter in outline.chapters])
    return outline


def _chapter(message: Message, shape: movie.Shape, field: str) -> movie.Chapter:
    chapter = from_message(message, movie.Chapter, field)
    _within(f"{field}.number", chapter.number, shape.chapters)
    for index, scene in enumerate(chapter.scenes):
        _within(f"{field}.scenes[{index}].number", scene.number, shape.scenes)
    _once(f"{field}.scenes", [scene.number for scene in chapter.scenes])
    return chapter


def _scene(request: pb.AskSceneRequest, chapter: movie.Chapter) -> movie.Scene:
    scene = from_message(request.scene, movie.Scene, "scene")
    if scene.chapter != chapter.number:
        raise InvalidInput("scene.chapter", f"must be the chapter's number {chapter.number}, got {scene.chapter}")
    planned = [plan.number for plan in chapter.scenes]
    if scene.number not in planned:
        raise InvalidInput("scene.number", f"must be one of the chapter's scenes {planned}, got {scene.number}")
    return scene


def _scenes(request: pb.AskOrderRequest, shape: movie.Shape) -> tuple[movie.Scene, ...]:
    scenes = tuple(from_message(item, movie.Scene, f"scenes[{i}]") for i, item in enumerate(request.scenes))
    for index, scene in enumerate(scenes):
        _within(f"scenes[{index}].chapter", scene.chapter, shape.chapters)
        _within(f"scenes[{index}].number", scene.number, shape.scenes)
    if len({(scene.chapter, scene.number) for scene in scenes}) < len(scenes):
        raise InvalidInput("scenes", "must hold each scene once")
    return scenes


def _prompts(request: Any) -> tuple[movie.Prompt, ...]:
    return tuple(from_message(item, movie.Prompt, f"prompts[{i}]") for i, item in enumerate(request.prompts))


def _case(request: pb.JudgeRequest) -> Case:
    for field in ("question", "reference", "candidate", "baseline"):
        if not getattr(request, field).strip():
            raise InvalidInput(field, "must not be empty")
    return Case(request.question, request.reference, request.candidate, request.baseline)


def _within(field: str, number: int, most: int) -> None:
    if not 1 <= number <= most:
        raise InvalidInput(field, f"must be 1 to {most} as the shape says, got {number}")


def _once(field: str, numbers: list[int]) -> None:
    if len(set(numbers)) < len(numbers):
        raise InvalidInput(field, f"must hold each number once, got {numbers}")

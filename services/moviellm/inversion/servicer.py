"""InversionService on the wire: convert, call, convert."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc

from moviellm import rpc, wire
from moviellm.artifacts import ArtifactStore
from moviellm.dataset import MAX_VECTORS, StyleMethod
from moviellm.errors import InvalidInput
from moviellm.inversion.lessons import InversionResult, StyleTask, Subject
from moviellm.inversion.school import School
from moviellm.movie import StoredFile, Style
from moviellm.v1 import inversion_service_pb2 as pb
from moviellm.v1 import inversion_service_pb2_grpc as pb_grpc
from moviellm.v1 import movie_dataset_service_pb2

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["InversionService"].full_name

REFERENCES = range(3, 61)
MAX_STEPS = 10_000
MAX_KEYWORD = 64
MAX_WORDS = 2000


class InversionServicer(pb_grpc.InversionServiceServicer):
    """Answers LearnStyle with a school's progress and result."""

    def __init__(self, school: School, store: ArtifactStore) -> None:
        self._school = school
        self._store = store

    @rpc.method
    async def LearnStyle(
        self, request: pb.LearnStyleRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[pb.LearnStyleResponse]:
        """Learn a style; progress, then the result."""
        task = task_of(request, self._store)
        async with contextlib.aclosing(self._school.learn(task)) as updates:
            async for update in updates:
                if isinstance(update, InversionResult):
                    yield pb.LearnStyleResponse(result=wire.to_message(update, pb.InversionResult))
                else:
                    yield pb.LearnStyleResponse(progress=wire.to_message(update, pb.InversionProgress))

    @rpc.method
    async def DescribeModel(
        self, request: pb.DescribeModelRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.DescribeModelResponse:
        """Which model styles are learnt for."""
        teacher = self._school.teacher()
        methods = [
            movie_dataset_service_pb2.StyleMethod.Value(f"STYLE_METHOD_{name.upper()}") for name in teacher.methods
        ]
        return pb.DescribeModelResponse(model=teacher.model, weights=teacher.weights, methods=methods)


def task_of(request: pb.LearnStyleRequest, store: ArtifactStore) -> StyleTask:
    """The task of a request; raises InvalidInput, naming the field, for what it must not hold."""
    style = wire.from_message(request.style, Style, "style")
    references = tuple(wire.from_message(reference, StoredFile) for reference in request.references)
    _check_style(style)
    if len(references) not in REFERENCES:
        raise InvalidInput("references", f"must be 3 to 60 pictures; got {len(references)}")
    for i, reference in enumerate(references):
        store.key(reference.uri, f"references[{i}].uri")
    if not 0 <= request.steps <= MAX_STEPS:
        raise InvalidInput("steps", f"must be 0 (the service's own) to {MAX_STEPS}; got {request.steps}")
    if not 0 <= request.vectors <= MAX_VECTORS:
        raise InvalidInput("vectors", f"must be 0 (the model's own) to {MAX_VECTORS}; got {request.vectors}")
    captions = tuple(request.captions)
    if captions and len(captions) != len(references):
        raise InvalidInput("captions", f"must be none, or one for each of the {len(references)} references")
    for i, caption in enumerate(captions):
        if len(caption) > MAX_WORDS:
            raise InvalidInput(f"captions[{i}]", f"must have at most {MAX_WORDS} characters; got {len(caption)}")
    return StyleTask(
        style=style,
        references=references,
        output=store.key(request.output_uri, "output_uri").rstrip("/"),
        seed=request.seed,
        steps=request.steps,
        vectors=request.vectors,
        captions=captions,
        subject=_subject(request.subject),
        method=_method(request.method),
    )


def _subject(number: int) -> Subject:
    known: dict[int, Subject] = {
        pb.SUBJECT_UNSPECIFIED: Subject.STYLE,
        pb.SUBJECT_STYLE: Subject.STYLE,
        pb.SUBJECT_CHARACTER: Subject.CHARACTER,
    }
    if number not in known:
        raise InvalidInput("subject", "must be SUBJECT_STYLE or SUBJECT_CHARACTER")
    return known[number]


def _method(number: int) -> StyleMethod:
    known: dict[int, StyleMethod] = {
        movie_dataset_service_pb2.STYLE_METHOD_UNSPECIFIED: StyleMethod.TEXTUAL_INVERSION,
        movie_dataset_service_pb2.STYLE_METHOD_TEXTUAL_INVERSION: StyleMethod.TEXTUAL_INVERSION,
        movie_dataset_service_pb2.STYLE_METHOD_LORA: StyleMethod.LORA,
        movie_dataset_service_pb2.STYLE_METHOD_IP_ADAPTER: StyleMethod.IP_ADAPTER,
    }
    if number not in known:
        raise InvalidInput("method", "must be STYLE_METHOD_TEXTUAL_INVERSION, _LORA or _IP_ADAPTER")
    return known[number]


def _check_style(style: Style) -> None:
    if not style.keyword.strip() or len(style.keyword) > MAX_KEYWORD:
        raise InvalidInput("style.keyword", f"must have 1 to {MAX_KEYWORD} characters; got {len(style.keyword)}")
    if len(style.words) > MAX_WORDS:
        raise InvalidInput("style.phrases", f"must have at most {MAX_WORDS} characters in all; got {len(style.words)}")

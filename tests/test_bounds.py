"""What is too large for any part of any request is refused with the path of that part."""

import math

import pytest

from moviellm import bounds
from moviellm.errors import InvalidInput
from moviellm.v1 import movie_pb2
from moviellm.v1 import question_service_pb2 as qa_pb
from moviellm.v1 import rendering_service_pb2 as rendering_pb
from moviellm.v1 import scripting_service_pb2 as scripting_pb


def outline(**fields):
    return movie_pb2.Outline(**fields)


@pytest.mark.parametrize(
    ("request_", "field", "allowed"),
    [
        (qa_pb.AskMovieRequest(shape=movie_pb2.Shape(chapters=65)), "shape.chapters", "at most 64, got 65"),
        (qa_pb.AskMovieRequest(outline=outline(title="x" * 501)), "outline.title", "at most 500 characters, got 501"),
        (
            qa_pb.AskMovieRequest(outline=outline(chapters=[movie_pb2.ChapterOutline(content="x" * 20_001)])),
            "outline.chapters[0].content",
            "at most 20000 characters",
        ),
        (
            scripting_pb.WriteOutlineRequest(prompts=[movie_pb2.Prompt(text="x" * 40_001)]),
            "prompts[0].text",
            "at most 40000 characters",
        ),
        (rendering_pb.MeasurePicturesRequest(texts=["x"] * 10_001), "texts", "at most 10000 entries, got 10001"),
        (
            rendering_pb.RenderSceneRequest(options=rendering_pb.RenderOptions(min_score=math.nan)),
            "options.min_score",
            "finite number",
        ),
    ],
)
def test_what_is_too_large_names_its_place(request_, field, allowed):
    with pytest.raises(InvalidInput, match=allowed) as caught:
        bounds.check(request_)
    assert caught.value.field == field


def test_a_movie_of_the_papers_size_passes():
    scene = movie_pb2.Scene(chapter=1, number=1, frames=[movie_pb2.Frame(number=n, description="x") for n in range(11)])
    scenes = [scene] * 121
    bounds.check(qa_pb.AskOrderRequest(shape=movie_pb2.Shape(chapters=11, scenes=11, frames=11), scenes=scenes))

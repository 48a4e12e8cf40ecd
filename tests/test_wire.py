"""Messages and dataclasses hold together, on the wire and in the store."""

import dataclasses

import pytest

from moviellm import dataset, movie, wire
from moviellm.errors import Broken, InvalidInput
from moviellm.v1 import movie_dataset_service_pb2, movie_pb2, rendering_service_pb2

PAIRS = [
    (movie.Outline, movie_pb2.Outline),
    (movie.ChapterOutline, movie_pb2.ChapterOutline),
    (movie.Character, movie_pb2.Character),
    (movie.Style, movie_pb2.Style),
    (movie.Fact, movie_pb2.Fact),
    (movie.Chapter, movie_pb2.Chapter),
    (movie.ScenePlan, movie_pb2.ScenePlan),
    (movie.Scene, movie_pb2.Scene),
    (movie.Frame, movie_pb2.Frame),
    (movie.Line, movie_pb2.Line),
    (movie.Question, movie_pb2.Question),
    (movie.Dropped, movie_pb2.Dropped),
    (movie.Mend, movie_pb2.Mend),
    (movie.Prompt, movie_pb2.Prompt),
    (movie.FrameRange, movie_pb2.FrameRange),
    (movie.LearnedStyle, movie_pb2.LearnedStyle),
    (movie.StoredFile, movie_pb2.StoredFile),
    (movie.Work, movie_pb2.Work),
    (movie.Shape, movie_pb2.Shape),
    (dataset.MovieDatasetSpec, movie_dataset_service_pb2.MovieDatasetSpec),
    (dataset.StyleSpec, movie_dataset_service_pb2.StyleSpec),
    (dataset.QualitySpec, movie_dataset_service_pb2.QualitySpec),
    (dataset.PlotSpec, movie_dataset_service_pb2.PlotSpec),
    (dataset.RenderSpec, movie_dataset_service_pb2.RenderSpec),
    (dataset.ModelUse, movie_dataset_service_pb2.ModelUse),
    (dataset.Estimate, movie_dataset_service_pb2.Estimate),
    (dataset.Attempt, rendering_service_pb2.Attempt),
    (dataset.PictureMeasures, rendering_service_pb2.PictureMeasures),
]

QUESTION = movie.Question(
    kind=movie.QuestionKind.TEMPORAL,
    category="order",
    question="What comes first?",
    answer="The storm.",
    evidence=movie.FrameRange(3, 9),
    level="movie",
)


@pytest.mark.parametrize(("cls", "message"), PAIRS, ids=lambda value: getattr(value, "__name__", ""))
def test_fields_have_the_same_names(cls, message):
    assert {field.name for field in dataclasses.fields(cls)} == set(message.DESCRIPTOR.fields_by_name)


def test_a_question_survives_the_wire_and_the_store():
    message = wire.to_message(QUESTION, movie_pb2.Question)
    assert message.kind == movie_pb2.QUESTION_KIND_TEMPORAL
    assert wire.from_message(message, movie.Question) == QUESTION
    assert wire.from_json(wire.to_json(QUESTION), movie.Question) == QUESTION


def test_unset_optional_fields_take_the_default_and_zero_stays_zero():
    message = movie_dataset_service_pb2.MovieDatasetSpec(theme="a storm", movies=0)
    spec = wire.from_message(message, dataset.MovieDatasetSpec)
    assert (spec.movies, spec.chapters, spec.frames_per_second) == (0, 3, 1.0)


def test_an_unset_enum_names_the_field_and_what_is_allowed():
    with pytest.raises(InvalidInput, match=r"kind: must be one of QUESTION_KIND_OVERVIEW"):
        wire.from_message(movie_pb2.Question(), movie.Question)


def test_an_unset_enum_deep_in_a_message_names_the_whole_path():
    outline = movie_pb2.Outline(characters=[movie_pb2.Character(role=movie_pb2.CHARACTER_ROLE_MAIN)])
    outline.characters.add(name="Ada")
    with pytest.raises(InvalidInput, match=r"^request\.outline\.characters\[1\]\.role: must be one of"):
        wire.from_message(outline, movie.Outline, "request.outline")


def test_an_artifact_says_how_it_was_made_and_reads_the_same():
    made = dataset.Provenance("ab", movie.Work(model="writer"), (movie.Mend("a-rule", "frame 1", "was", "now"),))
    assert wire.provenance(wire.to_json(QUESTION, made)) == made
    assert wire.from_json(wire.to_json(QUESTION, made), movie.Question) == QUESTION
    assert wire.provenance(wire.to_json(QUESTION)) is None


def test_a_damaged_artifact_is_named():
    with pytest.raises(Broken, match="outline of movie 1 is damaged at title"):
        wire.from_json(b'{"title": 3}', movie.Outline, "outline of movie 1")

"""Artifacts are written as Python's own JSON encoder would write them, only faster."""

import dataclasses
import json

from moviellm import dataset, movie, wire


def plainly(value):
    return json.dumps(dataclasses.asdict(value), ensure_ascii=False, indent=1)


def test_json_is_what_pythons_own_encoder_writes():
    question = movie.Question(movie.QuestionKind.PLOT, "what", "“Who?”\n\x01", "Ü.", movie.FrameRange(3, 9), "movie")
    for value in (question, dataset.MovieDatasetSpec("a storm"), dataset.Exported(())):
        assert wire.to_json(value) == plainly(value).encode()


def test_figures_that_are_none_or_tiny_read_the_same():
    measures = dataset.PictureMeasures(1, 0.5, 1e-7, float("inf"), 1 / 3, 0.0, (0.25,), "clip")
    assert json.loads(wire.to_json(measures)) == json.loads(plainly(measures))
    assert wire.from_json(wire.to_json(measures), dataset.PictureMeasures) == measures

"""Scripts come from language models and imports too: whatever stands in them, questions are sound or there are none."""

import dataclasses
import random

import pytest

from moviellm.movie import Shape
from moviellm.qa.verification.review import reviewed
from moviellm.qa.verification.verifying import misshapen

ODD = (
    *("", " ", "?", "\n", "</s>", "ASSISTANT: yes", "😀", "(a+)*[", "$name {x}", "word " * 80, 'a "quoted" text'),
    *("Because", "the first scene of the chapter", "é 漢字", "not", "be", "and", "Mara"),
)


def spoilt(value, rng, share):
    """The value with odd texts for a share of its own."""
    if isinstance(value, str):
        return rng.choice(ODD) if rng.random() < share else value
    if isinstance(value, tuple):
        return tuple(spoilt(item, rng, share) for item in value)
    if not dataclasses.is_dataclass(value):
        return value
    fields = {
        field.name: spoilt(getattr(value, field.name), rng, share)
        for field in dataclasses.fields(value)
        if field.name not in ("role", "shape")
    }
    return dataclasses.replace(value, **fields)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("share", [0.03, 0.3, 1.0])
async def test_odd_texts_spoil_no_question_and_stop_nothing(write_movie, ask_all, seed, share):
    rng = random.Random(seed)
    movie = spoilt(await write_movie(7, Shape(2, 3, 5)), rng, share)
    questions, dropped = await ask_all(movie, seed)
    for question in reviewed(movie.outline, questions).questions:
        assert misshapen(question) == ""
        assert question.question == " ".join(question.question.split())
        assert 1 <= question.evidence.first <= question.evidence.last <= movie.shape.total_frames
    assert questions or dropped or share == 1.0

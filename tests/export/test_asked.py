"""Questions as trainers get them."""

from dataclasses import replace

import pytest

from moviellm.export.asked import INSTRUCTION, asked, evenly
from moviellm.export.dataset_folder import MovieFolder
from moviellm.export.record import Evidence, MovieRecord, QuestionRecord
from moviellm.movie import Difficulty, QuestionKind
from moviellm.wire import from_json

CHOICES = ("A lamp", "A ship")


@pytest.fixture(scope="module")
def record(exported):
    return from_json((exported / "movies/0001/movie.json").read_bytes(), MovieRecord)


def question(**changes):
    made = QuestionRecord(
        **{"id": "m0001-q0001", "kind": QuestionKind.PLOT, "category": "what", "level": "scene"},
        **{"question": "What is it?", "answer": "A ship", "evidence": Evidence(2, 9, 1.0, 9.0)},
        difficulty=Difficulty.HARD,
    )
    return replace(made, **changes)


def only(record, item):
    (found,) = asked(MovieFolder("movies/0001", record, (item,)))
    return found


def test_choices_are_written_out_and_the_answer_names_its_letter(record):
    found = only(record, question(choices=CHOICES))
    assert found.question == f"What is it?\nA. A lamp\nB. A ship\n{INSTRUCTION}"
    assert found.answer == "B. A ship"
    assert found.about()["choices"] == list(CHOICES)
    assert (found.about()["difficulty"], found.mended) == ("hard", False)


@pytest.mark.parametrize("choices", [("A lamp", "A letter"), tuple(map(str, range(30))), ()])
def test_choices_that_cannot_be_answered_leave_an_open_question(record, choices):
    found = only(record, question(choices=choices))
    assert (found.question, found.answer) == ("What is it?", "A ship")


@pytest.mark.parametrize(
    ("first", "last", "most", "numbers"),
    [
        *((2, 9, 3, [2, 5, 9]), (2, 9, 16, [*range(2, 10)]), (4, 4, 16, [4]), (2, 9, 2, [2, 9])),
        *((9, 2, 2, [1, 12]), (0, 3, 8, [1, 2, 3]), (11, 99, 8, [11, 12]), (50, 60, 2, [1, 12])),
    ],
)
def test_pictures_of_the_evidence_are_spread_from_first_to_last(record, first, last, most, numbers):
    found = only(record, question(evidence=Evidence(first, last, 0.0, 1.0)))
    assert [frame.number for frame in found.frames(most)] == numbers
    assert found.pictures(most)[0] == f"movies/0001/frames/{numbers[0]:06}.jpg"


def test_a_single_picture_is_taken_from_the_middle(record):
    assert [frame.number for frame in evenly(record.frames, 1)] == [7]

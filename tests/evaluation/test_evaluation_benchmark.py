"""The paper's benchmark questions, from movies of ours and from titles."""

import json

import pytest

from moviellm.errors import InvalidInput
from moviellm.evaluation.answers import Role
from moviellm.evaluation.benchmark import BenchmarkMovie, KnownQuestion, benchmark
from moviellm.evaluation.movies import movies_at
from moviellm.evaluation.reading import read_answers
from moviellm.movie import QuestionKind


def question(number, kind="plot", category="why", level="scene", **more):
    return {
        "id": f"m0001-q{number:04}",
        "kind": kind,
        "category": category,
        "level": level,
        "question": f"Question {number}?",
        "answer": f"Answer {number}.",
        **more,
    }


MOVIE = [
    question(1, "overview", "what", "movie"),
    question(2, "overview", "who", "movie"),
    *(question(number, "plot", ("what", "why", "how")[number % 3]) for number in range(3, 12)),
    question(12, "temporal", "order", "chapter"),
    question(13, "temporal", "order", "movie"),
    question(14, "dialogue", "who", "scene"),
]


@pytest.fixture
def dataset(write, tmp_path):
    for number in (1, 2):
        write(f"demo/movies/000{number}/qa.json", MOVIE)
        write(f"demo/movies/000{number}/movie.json", {"title": f"Movie {number}"})
    return tmp_path / "demo"


def test_our_movies_bring_one_two_one_with_their_answers(dataset):
    made = benchmark(movies_at([dataset]), seed=1)
    assert [one.kind for one in made.questions] == ["overview", "plot", "plot", "temporal"] * 2
    assert made.lacking == ()
    assert [one.id for one in made.questions[:4]] == [
        "demo-0001-overview-1",
        "demo-0001-plot-1",
        "demo-0001-plot-2",
        "demo-0001-temporal-1",
    ]
    answers = {one["question"]: one["answer"] for one in MOVIE}
    assert all(answers[one.question] == one.answer for one in made.questions)
    assert {one.title for one in made.questions} == {"Movie 1", "Movie 2"}


def test_questions_about_the_whole_movie_and_of_different_categories_come_first(dataset):
    for seed in range(20):
        made = benchmark(movies_at([dataset / "movies/0001"]), seed=seed)
        first, second = (
            next(q["category"] for q in MOVIE if q["question"] == made.questions[i].question) for i in (1, 2)
        )
        assert first != second
        assert made.questions[3].question == "Question 13?"


def test_open_questions_come_before_multiple_choice(write, tmp_path):
    records = [question(1, "plot", "what", choices=["Answer 1.", "No."]), question(2, "plot", "what")]
    write("movie/qa.json", records)
    counts = {QuestionKind.PLOT: 2}
    made = benchmark(movies_at([tmp_path / "movie"]), counts=counts)
    assert [(one.question, one.choices) for one in made.questions] == [
        ("Question 2?", ()),
        ("Question 1?", ("Answer 1.", "No.")),
    ]
    plain = made.as_json()["questions"]
    assert "choices" not in plain[0]
    assert plain[1]["choices"] == ("Answer 1.", "No.")


def test_the_seed_decides_and_other_movies_do_not(dataset):
    whole, part = movies_at([dataset]), movies_at([dataset / "movies/0002"])
    assert benchmark(whole, seed=1).questions[4:] == benchmark(part, seed=1).questions
    assert benchmark(whole, seed=1) == benchmark(whole, seed=1)
    assert len({benchmark(part, seed=seed).questions for seed in range(10)}) > 1


def test_what_a_movie_lacks_is_said(write, tmp_path):
    write("small/qa.json", [question(1, "overview"), question(2, "plot")])
    made = benchmark(movies_at([tmp_path / "small"]))
    assert made.lacking == ("small has 1 of 2 plot questions", "small has 0 of 1 temporal questions")


def test_titles_get_questions_that_fit_any_movie_and_blank_answers(write):
    listed = [
        write("titles.txt", "# films\nThe General\n\n  Metropolis \n"),
        write("a.json", ["Sunrise", {"title": "Greed"}]),
        write("b.json", {"movies": [{"name": "Nosferatu", "year": 1922}]}),
    ]
    made = benchmark(movies_at(listed, ["The General"]), seed=3)
    assert list(dict.fromkeys(one.movie for one in made.questions)) == [
        "the-general",
        "metropolis",
        "sunrise",
        "greed",
        "nosferatu",
        "the-general-2",
    ]
    assert len(made.questions) == 24
    for one in made.questions:
        assert one.answer == ""
        assert one.title not in one.question
    by_kind = {kind: {one.question for one in made.questions if one.kind == kind} for kind in QuestionKind}
    assert (len(by_kind["overview"]), len(by_kind["temporal"])) == (1, 1), "the same of every movie"
    assert len(by_kind["plot"]) > 2
    for number in range(0, 24, 4):
        assert made.questions[number + 1].question != made.questions[number + 2].question


def test_a_benchmark_is_read_back_as_reference_and_as_sheet(dataset, write):
    made = benchmark(movies_at([dataset]))
    right = read_answers(write("right.json", made.as_json()), Role.REFERENCE).answers
    blank = read_answers(write("blank.json", made.as_json(with_answers=False)), Role.CANDIDATE).answers
    assert [(one.id, one.movie, one.kind, one.answer) for one in right] == [
        (one.id, one.movie, one.kind, one.answer) for one in made.questions
    ]
    assert [(one.id, one.answer) for one in blank] == [(one.id, "") for one in made.questions]


def test_no_movie_more_questions_than_there_are():
    known = tuple(KnownQuestion(str(n), "plot", "why", "scene", f"{n}?", "x") for n in range(2))
    made = benchmark([BenchmarkMovie("m", "M", known)], counts={QuestionKind.PLOT: 5})
    assert sorted(one.question for one in made.questions) == ["0?", "1?"]
    assert len(benchmark([BenchmarkMovie("t", "T")], counts={QuestionKind.PLOT: 500}).questions) == 8


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.txt", "\n# nothing\n", "must hold a movie title a line"),
        ("t.json", {"films": ["x"]}, 'must be a list of titles, or an object with a list "movies"'),
        ("t.json", ["Sunrise", {"year": 1}], r"t.json: \[1\]: must be a title"),
        ("m/qa.json", [{"id": "q1", "question": "Who?"}], 'must be a list of questions, each with "kind"'),
        ("empty/x.txt", "x", "holds neither qa.json nor movies"),
    ],
)
def test_what_is_no_list_of_movies_is_refused_by_name(write, name, content, said):
    path = write(name, content)
    with pytest.raises(InvalidInput, match=said):
        movies_at([path.parent if path.parent.name in ("m", "empty") else path])


def test_a_path_that_is_not_there_hints_at_titles(tmp_path):
    with pytest.raises(InvalidInput, match="--title takes a single title"):
        movies_at([tmp_path / "Sunrise"])
    with pytest.raises(InvalidInput, match="at least one movie"):
        movies_at([], [" "])


def test_json_is_plain(dataset):
    made = benchmark(movies_at([dataset]))
    assert json.loads(json.dumps(made.as_json()))["questions"][0]["kind"] == "overview"

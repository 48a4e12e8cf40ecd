"""Which answers belong together, and what is refused by name."""

import pytest

from moviellm.errors import InvalidInput
from moviellm.evaluation.answers import Role
from moviellm.evaluation.pairing import paired
from moviellm.evaluation.reading import read_answers


@pytest.fixture
def pair(write):
    """Pair three contents as if they were files."""

    def pair(reference, candidate, baseline=None, **options):
        contents = {
            Role.REFERENCE: reference,
            Role.CANDIDATE: candidate,
            Role.BASELINE: candidate if baseline is None else baseline,
        }
        sets = [read_answers(write(f"{role}.json", content), role) for role, content in contents.items()]
        return paired(*sets, **options)

    return pair


RIGHT = [
    {"id": "a", "movie": "one", "kind": "plot", "question": "Who?", "answer": "Mara"},
    {"id": "b", "movie": "one", "kind": "temporal", "question": "When?", "answer": "First"},
    {"id": "c", "movie": "two", "kind": "plot", "question": "Who?", "answer": "Tom"},
]


def answers(pairs):
    return [(item.id, item.candidate, item.baseline) for item in pairs.items]


def test_by_id_in_the_order_of_the_reference(pair):
    pairs = pair(RIGHT, {"c": "3", "a": "1", "b": "2"}, [{"id": id, "pred": id} for id in "bca"])
    assert answers(pairs) == [("a", "1", "a"), ("b", "2", "b"), ("c", "3", "c")]
    assert [(item.movie, item.kind) for item in pairs.items] == [("one", "plot"), ("one", "temporal"), ("two", "plot")]
    assert pairs.notes == ()


def test_by_question_and_movie_where_there_are_no_ids(pair):
    given = [
        {"movie": "two", "question": "who", "answer": "3"},
        {"movie": "one", "question": "Who?", "answer": "1"},
        {"question": "WHEN ?", "answer": "2"},
    ]
    assert answers(pair(RIGHT, given)) == [("a", "1", "1"), ("b", "2", "2"), ("c", "3", "3")]


def test_published_stories_are_matched_by_their_questions(pair):
    def story(answer):
        return {"QA": [{"Question": question, "Answer": f"{answer} {question}"} for question in ("Who?", "Where?")]}

    pairs = pair(story("right"), story("new"), story("old"))
    assert answers(pairs) == [
        ("reference#1", "new Who?", "old Who?"),
        ("reference#2", "new Where?", "old Where?"),
    ]


def test_the_published_benchmark_asks_the_same_of_every_movie(write, tmp_path):
    def folder(name, answer):
        for title in ("The General", "Metropolis"):
            groups = {
                "overview_qa": [{"Question": "Can you tell it?", "Answer": f"{answer} tale of {title}"}],
                "plot_qa": [{"Question": f"Who is {title}?", "Answer": f"{answer} who"}],
                "temporal_qa": [{"Question": "In which order?", "Answer": f"{answer} order of {title}"}],
            }
            write(f"{name}/{title.lower()}.json", {"movie_title": title, "QA": groups})
        return tmp_path / name

    roles = zip(("gt", "ours", "theirs"), Role, strict=True)
    items = paired(*(read_answers(folder(name, name), role) for name, role in roles)).items
    assert [(item.movie, item.kind) for item in items] == [
        (movie, kind) for movie in ("Metropolis", "The General") for kind in ("overview", "plot", "temporal")
    ]
    assert [item.candidate for item in items if item.kind == "overview"] == [
        "ours tale of Metropolis",
        "ours tale of The General",
    ]
    assert items[5].baseline == "theirs order of The General"


def test_ids_that_start_again_in_each_movie(pair):
    right = [{**one, "id": 1} for one in (RIGHT[0], RIGHT[2])]
    given = [{"id": 1, "movie": "two", "answer": "2"}, {"id": 1, "movie": "one", "answer": "1"}]
    assert answers(pair(right, given)) == [("one/1", "1", "1"), ("two/1", "2", "2")]


def test_missing_answers_are_named_or_count_as_zero(pair):
    with pytest.raises(
        InvalidInput, match=r"candidate.json: has no answer to 2 of 3 questions: b, c; .*--missing zero"
    ):
        pair(RIGHT, {"a": "1", "b": " "})
    pairs = pair(RIGHT, {"a": "1"}, {"a": "0", "b": "2", "c": "3"}, missing_is_zero=True)
    assert answers(pairs) == [("a", "1", "0"), ("b", "", "2"), ("c", "", "3")]
    assert pairs.notes == ("candidate: 2 answers are missing and count as 0: b, c",)


def test_answers_to_other_questions_are_named(pair):
    with pytest.raises(InvalidInput, match="it answers x, y, which the reference does not ask"):
        pair(RIGHT, {"x": "1", "y": "2"})
    pairs = pair(RIGHT, {"a": "1", "b": "2", "c": "3", "z": "4"}, {"a": "4", "b": "5", "c": "6"})
    assert pairs.notes == ("candidate: 1 answers to questions the reference does not ask are left out: z",)


def test_long_lists_of_ids_are_shortened(pair):
    right = [{"id": str(number), "question": f"{number}?", "answer": "x"} for number in range(20)]
    with pytest.raises(InvalidInput, match="no answer to 19 of 20 questions: 1, 2, 3, 4, 5 and 14 more"):
        pair(right, {"0": "x"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([{"id": "a", "question": "When?", "answer": "x"}], r"\[0\]: answers 'When\?', but a of .* asks 'Who\?'"),
        ([{"id": "a", "answer": "x"}, {"movie": "one", "question": "Who?", "answer": "y"}], "a is answered twice"),
        ([{"question": "Who?", "answer": "x"}], r"\[0\]: 'Who\?' is asked of several movies"),
    ],
)
def test_answers_that_cannot_be_placed(pair, given, said):
    with pytest.raises(InvalidInput, match=said):
        pair(RIGHT, given)


@pytest.mark.parametrize(
    ("right", "said"),
    [
        ([{**RIGHT[0], "answer": ""}, RIGHT[1]], "reference.json: a: a reference needs an answer to every question"),
        ([{"id": "a", "answer": "x"}], "reference.json: a: a reference needs the question too"),
        ([RIGHT[0], RIGHT[0]], "reference.json: one/a is given twice"),
    ],
)
def test_references_that_are_none(pair, right, said):
    with pytest.raises(InvalidInput, match=said):
        pair(right, {"a": "x", "b": "y"})


def test_mixed_up_files_are_noticed(pair):
    same = {one["id"]: one["answer"] for one in RIGHT}
    notes = pair(RIGHT, same, {"a": "1", "b": "2", "c": "3"}).notes
    assert notes == ("3 of 3 of the candidate's answers are the reference's, word for word: is the right file named?",)
    assert "the candidate's answers are the baseline's" in pair(RIGHT, {"a": "1", "b": "2", "c": "3"}).notes[0]


def test_a_digest_changes_with_everything_a_judge_sees(pair):
    first, second = (pair(RIGHT, {"a": answer, "b": "2", "c": "3"}).items[0] for answer in ("1", "2"))
    assert first.digest("lexical") != second.digest("lexical")
    assert first.digest("lexical") != first.digest("model x")

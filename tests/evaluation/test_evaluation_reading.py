"""The layouts that are read, and what is said of files that have none of them."""

import json

import pytest

from moviellm.errors import InvalidInput
from moviellm.evaluation.answers import Role
from moviellm.evaluation.reading import read_answers

STORY = {
    "character": ["Mara: a woman"],
    "overview": "Mara sails.",
    "img_diag": [["frame", "a beach"], ["dialogue", "Mara: A letter!"]],
    "QA": [{"Question": "Who sails?", "Answer": "Mara."}, {"Question": "Where?", "Answer": "On the sea."}],
}


def read(path, role=Role.CANDIDATE):
    return [
        (answer.id, answer.movie, answer.kind, answer.question, answer.answer)
        for answer in read_answers(path, role).answers
    ]


def test_a_movie_of_ours(write, tmp_path):
    record = {
        "id": "m0001-q0001",
        "kind": "plot",
        "category": "why",
        "question": "Why?",
        "answer": "So.",
        "level": "scene",
    }
    write("demo/movies/0001/qa.json", [record])
    write("demo/movies/0001/movie.json", {"title": "The Letter"})
    write("demo/movies/0002/qa.json", [{**record, "id": "m0002-q0001"}])
    whole = [("m0001-q0001", "0001", "plot", "Why?", "So."), ("m0002-q0001", "0002", "plot", "Why?", "So.")]
    assert read(tmp_path / "demo") == whole
    assert read(tmp_path / "demo/movies") == whole
    assert read(tmp_path / "demo/movies/0001") == whole[:1]
    assert read(tmp_path / "demo/movies/0001/qa.json") == whole[:1]


def test_the_published_story(write, tmp_path):
    expected = [("", "tale", "other", "Who sails?", "Mara."), ("", "tale", "other", "Where?", "On the sea.")]
    assert read(write("tale.json", STORY)) == expected
    assert [one[1] for one in read(write("both.json", [{**STORY, "title": "One"}, {**STORY, "title": "Two"}]))] == [
        "One",
        "One",
        "Two",
        "Two",
    ]
    assert [one[1] for one in read(write("named.json", {"One": STORY, "Two": STORY}))] == ["One", "One", "Two", "Two"]
    write("folder/a.json", STORY)
    write("folder/b.json", STORY)
    assert [one[1] for one in read(tmp_path / "folder")] == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    "content",
    [
        [{"id": "q1", "question": "Who?", "pred": "Tom"}],
        [{"question_id": "q1", "prompt": "Who?", "text": "Tom", "model_id": "x"}],
        {"q1": {"Q": "Who?", "A": "Mara", "prediction": "Tom"}},
        {"answers": [{"qid": "q1", "Question": "Who?", "Answer": "Tom"}]},
        {"results": {"q1": {"question": "Who?", "response": "Tom"}}},
        {"format": "moviellm-benchmark/1", "questions": [{"id": "q1", "question": "Who?", "answer": "Tom"}]},
    ],
)
def test_answers_of_models_as_they_come(write, content):
    assert read(write("a.json", content)) == [("q1", "a", "other", "Who?", "Tom")]


def test_answers_grouped_by_kind(write):
    groups = {"Overview_QA": [{"Question": "Who?", "Answer": "x"}], "temporal questions": {"t1": "y"}}
    assert read(write("a.json", {"movie_title": "Sunrise", "QA": groups})) == [
        ("", "Sunrise", "overview", "Who?", "x"),
        ("t1", "Sunrise", "temporal", "", "y"),
    ]
    assert read(write("b.json", {"The Plot": [{"question": "Who?", "kind": "plot", "answer": "x"}]})) == [
        ("", "The Plot", "plot", "Who?", "x")
    ]


def test_answers_by_id_alone(write):
    assert read(write("a.json", {"q1": "Tom", "q2": 7, "q3": True, "q4": None})) == [
        ("q1", "a", "other", "", "Tom"),
        ("q2", "a", "other", "", "7"),
        ("q3", "a", "other", "", "yes"),
        ("q4", "a", "other", "", ""),
    ]


def test_json_lines(write):
    lines = "\n".join(json.dumps({"id": n, "video_name": "v.mp4", "pred": "Tom"}) for n in (1, 2))
    assert read(write("a.jsonl", lines + "\n\n")) == [
        ("1", "v.mp4", "other", "", "Tom"),
        ("2", "v.mp4", "other", "", "Tom"),
    ]


def test_where_a_record_holds_both_the_role_decides(write):
    path = write("a.json", [{"id": 1, "question": "Who?", "answer": "Mara", "pred": "Tom"}])
    assert read(path, Role.REFERENCE)[0][-1] == "Mara"
    assert read(path, Role.BASELINE)[0][-1] == "Tom"
    assert read(write("b.json", [{"id": 1, "answer": "Mara", "pred": ""}]))[0][-1] == ""


@pytest.mark.parametrize(
    ("spelt", "kind"),
    [
        ("Temporal Understanding", "temporal"),
        ("PLOT", "plot"),
        ("overview_q", "overview"),
        ("Cast!", "cast"),
        ("", "other"),
    ],
)
def test_kinds_as_people_spell_them(write, spelt, kind):
    assert read(write("a.json", [{"id": 1, "type": spelt, "answer": "x"}]))[0][2] == kind


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{]", "a.json: is not valid JSON: "),
        ("[]", "a.json: holds no answers"),
        ('"text"', "a.json: the top: must be a list"),
        ([["frame", "x"]], 'a.json: [0]: must be an object with "id" or "question"'),
        ([{"id": 1, "answer": "x"}, {"answer": "x"}], 'a.json: [1]: must have an "id" or a "question"'),
        ([{"id": 1, "answer": ["x"]}], "a.json: [0].answer: must be text, got a list"),
        (
            {"QA": [{"Question": {"text": "Who?"}, "Answer": "x"}]},
            "a.json: QA[0].question: must be text, got an object",
        ),
        ({"One": {"QA": [{"Answer": "x"}]}}, "a.json: ['One'].QA[0]: must have"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(write, content, said):
    path = write("a.json", content)
    with pytest.raises(InvalidInput) as raised:
        read(path)
    assert raised.value.message.removeprefix(f"{path.parent}/").startswith(said)


def test_files_that_cannot_be_read(write, tmp_path):
    with pytest.raises(InvalidInput, match="line 2: is not valid JSON"):
        read(write("a.jsonl", '{"id": 1, "answer": "x"}\n{'))
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="must be text in UTF-8"):
        read(tmp_path / "bytes.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="holds neither movies/"):
        read(tmp_path / "empty")
    with pytest.raises(InvalidInput, match="must be a file or a folder that is there"):
        read(tmp_path / "nothing.json")
    with pytest.raises(InvalidInput, match="nested too deeply"):
        read(write("deep.json", "[" * 100_000))

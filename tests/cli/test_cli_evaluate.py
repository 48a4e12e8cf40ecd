"""`moviellm benchmark` and `moviellm evaluate` with real judges: question services that talk to a real endpoint.

The command runs in the test's own process, to save its start, but where it is killed or interrupted.
"""

import json
import os
import signal
from collections import Counter
from types import SimpleNamespace

import pytest
from openai_endpoint import Endpoint, serving

from moviellm import errors, rpc
from moviellm.cli.commands import run_command
from moviellm.cli.evaluation_views import Meter
from moviellm.cli.processes import marked
from moviellm.v1 import question_service_pb2 as pb
from moviellm.v1 import question_service_pb2_grpc as pb_grpc

pytestmark = pytest.mark.timeout(300)  # each run starts a judge of its own, which takes a while on a busy machine

KINDS = ("overview", "plot", "plot", "temporal")


def shown(request):
    """What the judge is shown first and second: "new" or "old"."""
    text = request["messages"][1]["content"]
    return ("new", "old") if text.index("the new answer") < text.index("the old answer") else ("old", "new")


def scores(a, b):
    return {"score_a": a, "score_b": b, "better": "a" if a > b else "b" if b > a else "tie"}


def honest(request):
    """A judge that finds the new answer better, wherever it stands."""
    return 200, completion(scores(4, 1) if shown(request)[0] == "new" else scores(1, 4))


def partial(request):
    """A judge that finds the answer better that it sees first."""
    return 200, completion(scores(5, 2))


def completion(reply):
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": json.dumps(reply)}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    """The command in this process, in the folder of the test, on a terminal of 80 columns."""
    for name in [name for name in os.environ if name.startswith("MOVIELLM_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments):
        code = run_command(list(arguments))
        return SimpleNamespace(code=code, **capsys.readouterr()._asdict())

    return run


@pytest.fixture
def answers(tmp_path):
    """Three files about five movies with four questions each: right.json, new.json, old.json."""
    right = [
        {"id": f"m{movie}-{number}", "movie": f"m{movie}", "kind": kind, "question": f"What is {movie}.{number}?"}
        for movie in range(5)
        for number, kind in enumerate(KINDS)
    ]
    for one in right:
        one["answer"] = f"It is {one['id']}."
    (tmp_path / "right.json").write_text(json.dumps(right))
    for side in ("new", "old"):
        given = [{"id": one["id"], "pred": f"the {side} answer {one['id']}"} for one in right]
        (tmp_path / f"{side}.json").write_text(json.dumps(given))
    return ("--reference", "right.json", "--candidate", "new.json", "--baseline", "old.json")


@pytest.fixture
def endpoint():
    with serving(Endpoint([honest])) as endpoint:
        yield endpoint


@pytest.fixture
def model(endpoint):
    return ("--base-url", endpoint.url, "--model", "tiny-judge")


def result_in(tmp_path, name="evaluation.json"):
    return json.loads((tmp_path / name).read_text())


def prompts(endpoint):
    return Counter(request["messages"][1]["content"] for request in endpoint.requests)


def test_a_model_judges_both_orders_and_the_figures_are_printed_and_written(here, answers, endpoint, model, tmp_path):
    result = here("evaluate", *answers, *model)
    assert result.code == 0, result.err
    assert "judged 20 of 20" in result.err
    rows = [
        line.split() for line in result.out.splitlines() if line.startswith(("overview", "plot", "temporal", "all"))
    ]
    assert [row[:4] for row in rows] == [
        ["overview", "5", "1.00", "5/0/0"],
        ["plot", "10", "1.00", "10/0/0"],
        ["temporal", "5", "1.00", "5/0/0"],
        ["all", "20", "1.00", "20/0/0"],
    ]
    assert "20 prefer the answer shown first, 20 the second, 0 neither: bias +0.00" in result.out
    assert "…\n" not in result.out, "no figure is cut"
    assert "Tokens: 400 sent, 200 received." in result.out
    assert Counter(map(shown, endpoint.requests)) == {("new", "old"): 20, ("old", "new"): 20}
    found = result_in(tmp_path)
    assert found["judge"] == {"name": "model tiny-judge", "models": ["tiny-judge"]}
    assert found["kinds"]["temporal"]["candidate_score"] == {"value": 4.0, "low": 4.0, "high": 4.0}
    assert len(found["questions"]) == 20


def test_a_judge_that_prefers_the_first_is_found_out(here, answers, endpoint, model, tmp_path):
    endpoint.answers = [partial]
    result = here("evaluate", *answers, *model)
    assert result.code == 0, result.err
    whole = result_in(tmp_path)["kinds"]["all"]
    assert whole["net_wins"] == whole["score_difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert (whole["win_rate"]["value"], whole["ties"], whole["disagreements"]) == (0.5, 20, 20)
    assert (whole["position"]["bias"], whole["position"]["orders_agree"]["value"]) == (1.0, 0.0)
    assert "bias +1.00" in result.out
    assert "This judge prefers what it sees first." in result.out


def test_an_endpoint_in_trouble_is_outlasted(here, answers, endpoint, model, tmp_path):
    endpoint.answers = [
        (429, {"error": {"message": "slow down"}}, {"retry-after": "0"}),
        (500, {"error": {"message": "oops"}}),
        "no JSON at all",
        "",
        scores(9, 1),
        (200, b'{"choices": [{"mess'),
        honest,
    ]
    result = here("evaluate", *answers, *model, "--concurrency", "2")
    assert result.code == 0, result.err
    assert result_in(tmp_path)["kinds"]["all"]["candidate_wins"] == 20


async def test_a_killed_run_goes_on_and_pays_for_no_judgement_twice(moviellm, answers, endpoint, model, tmp_path):
    endpoint.answers = [honest] * 12 + [endpoint.silence]
    process = await moviellm.start("evaluate", *answers, *model, "--concurrency", "2")
    journal = tmp_path / "evaluation.journal.jsonl"
    await moviellm.until(lambda: len(endpoint.requests) >= 14 and len(journal.read_bytes().splitlines()) >= 5)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    await moviellm.until(lambda: not any(marked(f"{process.pid}/")))
    assert not (tmp_path / "evaluation.json").exists()
    before = prompts(endpoint)

    endpoint.answers = [honest]
    endpoint.requests.clear()
    line = ["evaluate", *answers, *model]
    refused, resumed, again = await moviellm.many(line, [*line, "--resume"], [*line, "--resume"])
    assert refused.code == 1
    assert "holds judgements of an earlier run; --resume goes on with them" in refused.err
    assert resumed.code == 0, resumed.err
    assert again.out == resumed.out
    assert len(endpoint.requests) == 40 - 12, "what was answered is not asked again, not even one order of two"
    assert set((before + prompts(endpoint)).values()) == {1, 2}
    assert not list(tmp_path.glob(".evaluation.replies/*")), "single replies are kept for a run that is not over"
    assert result_in(tmp_path)["kinds"]["all"]["candidate_wins"] == 20


async def test_an_interrupted_run_keeps_what_is_under_way(moviellm, answers, endpoint, model, tmp_path):
    process = None

    def interrupting(request):
        process.send_signal(signal.SIGINT)
        endpoint.closing.wait(1)
        return honest(request)

    endpoint.answers = [honest] * 7 + [interrupting, honest]
    process = await moviellm.start("evaluate", *answers, *model, "--concurrency", "1")
    result = await moviellm.end(process)
    assert result.code == 130
    assert "4 of 20 judgements are kept, and the same command with --resume goes on" in result.err
    assert len((tmp_path / "evaluation.journal.jsonl").read_bytes().splitlines()) == 4
    assert not any(marked(f"{process.pid}/"))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "refuses the key; give the right one with --key-file, or in MOVIELLM_QA_LLM_API_KEY"),
        ((404, {"error": {"message": "no such model"}}), "does not know the model tiny-judge"),
    ],
)
def test_what_cannot_work_fails_at_once(here, answers, endpoint, model, tmp_path, answer, said):
    (tmp_path / "key").write_text("sk-wrong-key\n")
    endpoint.key = "sk-right" if answer is None else None
    endpoint.answers = [answer]
    result = here("evaluate", *answers, *model, "--key-file", "key", "--concurrency", "1")
    assert result.code == 1
    assert said in result.err
    assert "sk-wrong-key" not in result.err
    assert len(endpoint.requests) <= 1
    assert not (tmp_path / "evaluation.json").exists()


def test_common_words_judge_without_a_model_and_missing_answers_count_as_zero(here, answers, tmp_path):
    new = json.loads((tmp_path / "new.json").read_text())
    (tmp_path / "new.json").write_text(json.dumps(new[:-1]))
    refused = here("evaluate", *answers, "--judge", "lexical")
    assert refused.code == 1
    assert "new.json: has no answer to 1 of 20 questions: m4-3; add them, or count them as 0" in refused.err
    result = here("evaluate", *answers, "--judge", "lexical", "--missing", "zero", "--output", "r/e.json")
    assert result.code == 0, result.err
    assert "Note: candidate: 1 answers are missing and count as 0: m4-3" in result.out
    assert "is of these answers by this judge" not in result.err
    temporal = result_in(tmp_path, "r/e.json")["kinds"]["temporal"]
    assert (temporal["missing"], temporal["baseline_wins"], temporal["ties"]) == (1, 1, 4)


class Judging(pb_grpc.QuestionServiceServicer):
    """A question service that finds every answer equally good, and may not speak of one question."""

    @rpc.method
    async def Judge(self, request, context):
        if request.question == "What is 3.1?":
            raise errors.Unsatisfied("the endpoint refuses the request", reason="LLM_REQUEST_REFUSED")
        tie = pb.Judgement(candidate_score=3, baseline_score=3, winner=pb.WINNER_TIE)
        return pb.JudgeResponse(candidate_first=tie, baseline_first=tie, winner=pb.WINNER_TIE)


async def test_a_running_question_service_judges(moviellm, answers, tmp_path):
    name = pb.DESCRIPTOR.services_by_name["QuestionService"].full_name
    add = pb_grpc.add_QuestionServiceServicer_to_server
    server = rpc.Server([rpc.Registration(name, lambda server: add(Judging(), server))], listen="127.0.0.1:0")
    await server.start()
    result = await moviellm("evaluate", *answers, "--judge", f"127.0.0.1:{server.port}")
    await server.stop()
    assert result.code == 1, result.err
    assert "1 questions could not be judged and are in no figure (m3-1): the endpoint refuses" in result.out
    found = result_in(tmp_path)
    assert (found["kinds"]["all"]["questions"], found["kinds"]["all"]["ties"]) == (19, 19)
    assert found["not_judged"] == {"m3-1": "the endpoint refuses the request"}
    other = await moviellm("evaluate", *answers, "--judge", "lexical", "--resume")
    assert other.code == 0
    assert "none of the judgements in evaluation.journal.jsonl is of these answers by this judge" in other.err


def test_a_wait_is_told_once(capsys):
    away = errors.Unavailable("the question service does not answer")
    with Meter() as meter:
        for seconds in (1.2, 2.4):
            meter.waits(away, seconds)
        meter.waits(errors.Exhausted("busy\x1b[2J"), 7.0)
    assert capsys.readouterr().err.splitlines() == [
        "the question service does not answer; trying again in 1 s",
        "busy [2J; trying again in 7 s",
    ]


def test_what_is_used_wrongly_is_said_before_anything_starts(here, answers, tmp_path):
    (tmp_path / "broken.json").write_text('[{"id": "m0-0", "answer": ["a"]}]')
    wrong = here("evaluate", *answers)
    judge = here("evaluate", *answers, "--judge", "gpt")
    url = here("evaluate", *answers, "--model", "m", "--base-url", "localhost:8000")
    key = here("evaluate", *answers, "--model", "m", "--key-file", "nowhere")
    lost = here("evaluate", *answers[:4], "--baseline", "nowhere.json", "--judge", "lexical")
    unread = here("evaluate", *answers[:4], "--baseline", "broken.json", "--judge", "lexical")
    assert (wrong.code, judge.code, url.code, key.code) == (2, 2, 2, 2)
    assert (lost.code, unread.code) == (1, 1)
    assert "--key-file nowhere must be a readable file" in key.err
    assert "nowhere.json: must be a file or a folder that is there" in lost.err
    assert "name the model that judges with --model" in wrong.err
    assert "'gpt' is neither model nor lexical nor the HOST:PORT of a question service" in judge.err
    assert "give a URL such as http://localhost:8000/v1" in url.err
    assert "broken.json: [0].answer: must be text, got a list" in unread.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.json", "new.json", "old.json", "right.json"]


def test_a_benchmark_of_titles_is_written_once_and_not_over_answers(here, tmp_path):
    (tmp_path / "titles.txt").write_text("The General\nMetropolis\n")
    command = ["benchmark", "titles.txt", "--sheet", "sheet.json", "--seed", "3"]
    first, again = here(*command), here(*command)
    assert (first.code, again.code) == (0, 0)
    assert "8 questions about 2 movies: questions.json" in first.out
    assert "8 right answers are to be written by people" in first.out
    made = json.loads((tmp_path / "questions.json").read_text())
    assert [one["kind"] for one in made["questions"]] == [*KINDS, *KINDS]
    made["questions"][0]["answer"] = "Written by hand."
    (tmp_path / "questions.json").write_text(json.dumps(made))
    kept, nothing, replaced = here(*command), here("benchmark"), here(*command, "--force")
    assert (kept.code, nothing.code, replaced.code) == (1, 1, 0)
    assert "questions.json is there already and differs" in kept.err
    assert "must name at least one movie" in nothing.err
    assert "Written by hand." not in (tmp_path / "questions.json").read_text()


def test_from_a_downloaded_dataset_to_figures(here, tmp_path):
    records = [
        {"id": f"m0001-q{number}", "kind": kind, "question": f"What is {number}?", "answer": f"It is {number}."}
        for number, kind in enumerate(KINDS)
    ]
    for movie in ("0001", "0002"):
        folder = tmp_path / "out/demo/movies" / movie
        folder.mkdir(parents=True)
        (folder / "qa.json").write_text(json.dumps(records))
    made = here("benchmark", "out/demo")
    same = ("--reference", "questions.json", "--candidate", "questions.json", "--baseline", "questions.json")
    judged = here("evaluate", *same, "--judge", "lexical")
    assert (made.code, judged.code) == (0, 0), made.err + judged.err
    assert "to be written by people" not in made.out
    assert "word for word: is the right file named?" in judged.out
    assert result_in(tmp_path)["kinds"]["all"]["candidate_score"]["value"] == 5.0

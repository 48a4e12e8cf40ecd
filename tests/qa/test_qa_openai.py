"""The language model's asker and judge against a real HTTP server that speaks the protocol, well and badly."""

import contextlib

import pytest
from openai_endpoint import Endpoint, completion, serving

from moviellm import errors, rpc
from moviellm.llm.openai_chat import OpenAIChat
from moviellm.movie import FrameRange, QuestionKind
from moviellm.qa.judging import Case, Winner
from moviellm.qa.openai_asker import OpenAIAsker
from moviellm.qa.openai_judge import OpenAIJudge
from moviellm.qa.servicer import NAME, QuestionServicer
from moviellm.v1 import movie_pb2
from moviellm.v1 import question_service_pb2 as pb
from moviellm.v1 import question_service_pb2_grpc as pb_grpc
from moviellm.wire import to_message

KEY = "sk-very-secret"
GOOD = [
    {"category": "what", "question": "What does Mara look for?", "answer": "She looks for her friend."},
    {"category": "why", "question": "Why does Mara go to sea?", "answer": "Her friend is lost there."},
]


@pytest.fixture
def endpoint_of():
    with contextlib.ExitStack() as started:
        yield lambda *answers: started.enter_context(serving(Endpoint(answers, usage=(100, 10))))


def chat_of(url, **options):
    return OpenAIChat(base_url=url, model="story-model", api_key=KEY, **options)


async def asked_movie(endpoint, outline, shape):
    return await OpenAIAsker(chat=chat_of(endpoint.url)).ask_movie(outline, shape, seed=3)


async def test_questions_of_the_model_get_their_kind_level_and_evidence_from_us(
    endpoint_of, outline, chapters, scene, shape
):
    endpoint = endpoint_of({"questions": GOOD})
    asker = OpenAIAsker(chat=chat_of(endpoint.url))
    movie = await asker.ask_movie(outline, shape, 3)
    chapter = await asker.ask_chapter(outline, chapters[1], shape, 3)
    of_scene = await asker.ask_scene(outline, chapters[0], scene, shape, 3)
    for asked, kind, level, evidence in (
        (movie, QuestionKind.OVERVIEW, "movie", FrameRange(1, 20)),
        (chapter, QuestionKind.PLOT, "chapter", FrameRange(11, 20)),
        (of_scene, QuestionKind.PLOT, "scene", FrameRange(1, 5)),
    ):
        assert [question.category for question in asked.questions] == ["what", "why"]
        assert [question.question for question in asked.questions] == [item["question"] for item in GOOD]
        assert {(question.kind, question.level, question.evidence) for question in asked.questions} == {
            (kind, level, evidence)
        }
        assert (asked.prompt_tokens, asked.completion_tokens) == (100, 10)


async def test_the_model_sees_the_script_and_the_schema(endpoint_of, outline, chapters, scene, shape):
    endpoint = endpoint_of({"questions": GOOD})
    await OpenAIAsker(chat=chat_of(endpoint.url)).ask_scene(outline, chapters[0], scene, shape, 2**40 + 3)
    request = endpoint.requests[0]
    assert endpoint.headers[0]["authorization"] == f"Bearer {KEY}"
    assert request["model"] == "story-model"
    assert request["seed"] == 3
    assert request["response_format"]["json_schema"]["strict"] is True
    categories = request["response_format"]["json_schema"]["schema"]["properties"]["questions"]["items"]["properties"]
    assert categories["category"]["enum"] == ["what", "why", "how", "where"]
    script = request["messages"][1]["content"]
    assert outline.overview in script
    assert "After a stormy night Mara searches the beach" in script
    assert "A letter!" in script


async def test_temporal_questions_never_come_from_the_model(endpoint_of, outline, chapters, shape):
    endpoint = endpoint_of({"questions": GOOD})
    asked = await OpenAIAsker(chat=chat_of(endpoint.url)).ask_order(outline, chapters, shape, 1)
    assert {question.kind for question in asked.questions} == {QuestionKind.TEMPORAL}
    assert endpoint.requests == []


def with_first(**changes):
    return {"questions": [GOOD[0] | changes, GOOD[1]]}


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("no json", "it is not one JSON object"),
        ("[1]", "it is not one JSON object"),
        ({"questions": []}, "at least one question"),
        ({"questions": ["What?"]}, "question 1 must have the texts"),
        (with_first(category="when"), "the category of question 1 must be one of what, who"),
        (with_first(question=" "), "question 1 is empty"),
        (with_first(answer=""), "question 1 has an empty answer"),
        (with_first(question="Tell me about Mara."), 'question 1 does not end with "?"'),
        (with_first(answer="She <image> looks."), 'question 1 holds the forbidden text "<image>"'),
        (with_first(question="What does the Assistant: say?"), 'forbidden text "ASSISTANT:"'),
        (with_first(question="Does she look: she looks for her friend?"), "contains its own answer"),
        ({"questions": [GOOD[0], GOOD[0] | {"question": "What does Mara look for??"}]}, "question 2 repeats"),
        ((200, completion('{"questions": [', finish_reason="length")), "cut off"),
        ((200, b"<html>proxy</html>", {"content-type": "text/html"}), "it is no chat completion"),
        ((200, b"{broken"), "it is no chat completion"),
    ],
)
async def test_a_bad_reply_is_asked_again_with_the_reason(endpoint_of, outline, shape, bad, why):
    endpoint = endpoint_of(bad, {"questions": GOOD})
    asked = await asked_movie(endpoint, outline, shape)
    assert len(asked.questions) == 2
    assert len(endpoint.requests) == 2
    assert why in endpoint.requests[1]["messages"][-1]["content"]


async def test_three_bad_replies_are_an_error_that_says_what_was_wrong(endpoint_of, outline, shape):
    endpoint = endpoint_of(with_first(answer=""))
    with pytest.raises(errors.Unavailable, match="question 1 has an empty answer") as caught:
        await asked_movie(endpoint, outline, shape)
    assert caught.value.reason == "LLM_INVALID_REPLY"
    assert len(endpoint.requests) == 3


async def test_all_attempts_are_on_the_bill(endpoint_of, outline, shape):
    endpoint = endpoint_of("nonsense", "nonsense", {"questions": GOOD})
    asked = await asked_movie(endpoint, outline, shape)
    assert (asked.prompt_tokens, asked.completion_tokens) == (300, 30)


@pytest.mark.parametrize(
    ("status", "headers", "kind", "reason", "retry_after"),
    [
        (401, {}, errors.Denied, "LLM_UNAUTHORIZED", None),
        (403, {}, errors.Denied, "LLM_UNAUTHORIZED", None),
        (404, {}, errors.Unsatisfied, "LLM_MODEL_UNKNOWN", None),
        (400, {}, errors.Unsatisfied, "LLM_REQUEST_REFUSED", None),
        (429, {"retry-after": "7"}, errors.Exhausted, "LLM_RATE_LIMITED", 7.0),
        (429, {}, errors.Exhausted, "LLM_RATE_LIMITED", None),
        (500, {}, errors.Unavailable, "LLM_UNREACHABLE", None),
        (503, {"retry-after": "2"}, errors.Unavailable, "LLM_UNREACHABLE", 2.0),
    ],
)
async def test_refusals_become_our_errors_at_once_and_never_name_the_key(
    endpoint_of, outline, shape, status, headers, kind, reason, retry_after
):
    endpoint = endpoint_of((status, {"error": {"message": f"bad key {KEY}"}}, headers))
    with pytest.raises(kind) as caught:
        await asked_movie(endpoint, outline, shape)
    assert caught.value.reason == reason
    assert getattr(caught.value, "retry_after", None) == retry_after
    assert endpoint.url in caught.value.message
    assert KEY not in caught.value.message
    assert len(endpoint.requests) == 1


async def test_no_server_and_a_silent_server_are_unreachable(endpoint_of, outline, shape):
    with pytest.raises(errors.Unavailable, match="does not answer") as caught:
        await OpenAIAsker(chat=chat_of("http://user:pass@127.0.0.1:1/v1")).ask_movie(outline, shape, 1)
    assert caught.value.reason == "LLM_UNREACHABLE"
    assert "pass" not in caught.value.message
    endpoint = endpoint_of(lambda request: endpoint.silence(request))
    chat = chat_of(endpoint.url, timeout_seconds=0.1)
    with pytest.raises(errors.Unavailable, match="does not answer in time"):
        await OpenAIAsker(chat=chat).ask_movie(outline, shape, 1)


@pytest.mark.parametrize(
    ("status", "kind"), [(200, None), (404, None), (429, None), (401, errors.Denied), (500, errors.Unavailable)]
)
async def test_health_asks_the_endpoint(endpoint_of, status, kind):
    endpoint = endpoint_of({})
    endpoint.models = (status, {"object": "list", "data": []})
    asker = OpenAIAsker(chat=chat_of(endpoint.url))
    if kind is None:
        await asker.check()
    else:
        with pytest.raises(kind):
            await asker.check()


async def test_health_fails_where_nobody_listens():
    with pytest.raises(errors.Unavailable):
        await OpenAIAsker(chat=chat_of("http://127.0.0.1:1/v1")).check()


CASE = Case("Why does Mara go to sea?", "Her friend is lost.", candidate="To find him.", baseline="To fish.")


async def test_a_judge_that_always_prefers_the_first_answer_makes_a_tie(endpoint_of):
    endpoint = endpoint_of({"score_a": 5, "score_b": 1, "better": "a"})
    verdict = await OpenAIJudge(chat=chat_of(endpoint.url)).judge(CASE)
    assert verdict.candidate_first.winner is Winner.CANDIDATE
    assert verdict.baseline_first.winner is Winner.BASELINE
    assert (verdict.baseline_first.candidate_score, verdict.baseline_first.baseline_score) == (1, 5)
    assert verdict.winner is Winner.TIE
    assert (verdict.prompt_tokens, verdict.completion_tokens) == (200, 20)


async def test_a_judge_that_knows_the_better_answer_names_it_in_both_orders(endpoint_of):
    def fair(request):
        candidate_first = "Answer a: To find him." in request["messages"][1]["content"]
        scores = (4, 1) if candidate_first else (1, 4)
        return {"score_a": scores[0], "score_b": scores[1], "better": "a" if candidate_first else "b"}

    verdict = await OpenAIJudge(chat=chat_of(endpoint_of(fair).url)).judge(CASE)
    assert verdict.winner is Winner.CANDIDATE
    assert verdict.candidate_first == verdict.baseline_first


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"score_a": 6, "score_b": 1, "better": "a"}, '"score_a" must be a number from 0 to 5'),
        ({"score_a": 2, "score_b": True, "better": "a"}, '"score_b" must be a number from 0 to 5'),
        ({"score_a": 2, "score_b": 1, "better": "c"}, '"better" must be'),
        ({"score_a": 2, "score_b": 4, "better": "a"}, "contradicts the scores"),
    ],
)
async def test_a_judgement_that_makes_no_sense_is_asked_again(endpoint_of, bad, why):
    endpoint = endpoint_of(bad, {"score_a": 2, "score_b": 2, "better": "tie"})
    verdict = await OpenAIJudge(chat=chat_of(endpoint.url)).judge(CASE)
    assert verdict.winner is Winner.TIE
    assert why in endpoint.requests[1]["messages"][-1]["content"]


async def test_questions_verdicts_bills_and_refusals_arrive_over_grpc(endpoint_of, outline, shape):
    judged = {"score_a": 5, "score_b": 1, "better": "a"}
    refusal = (401, {"error": {"message": KEY}})
    endpoint = endpoint_of({"questions": GOOD}, judged, judged, refusal)
    chat = chat_of(endpoint.url)
    servicer = QuestionServicer(asker=OpenAIAsker(chat=chat), judge=OpenAIJudge(chat=chat))
    server = rpc.Server(
        [rpc.Registration(NAME, lambda server: pb_grpc.add_QuestionServiceServicer_to_server(servicer, server))],
        listen="127.0.0.1:0",
    )
    await server.start()
    request = pb.AskMovieRequest(
        outline=to_message(outline, movie_pb2.Outline), shape=to_message(shape, movie_pb2.Shape)
    )
    async with rpc.channel(f"127.0.0.1:{server.port}") as peer:
        stub = pb_grpc.QuestionServiceStub(peer)
        asked = await rpc.call("qa", stub.AskMovie(request))
        assert [question.category for question in asked.questions] == ["what", "why"]
        assert (asked.work.model, asked.work.prompt_tokens, asked.work.completion_tokens) == ("story-model", 100, 10)
        verdict = await rpc.call(
            "qa", stub.Judge(pb.JudgeRequest(question="Why?", reference="So.", candidate="So.", baseline="No."))
        )
        assert verdict.winner == pb.WINNER_TIE
        assert verdict.work.prompt_tokens == 200
        with pytest.raises(errors.Denied) as caught:
            await rpc.call("qa", stub.AskMovie(request))
        assert caught.value.reason == "LLM_UNAUTHORIZED"
        assert KEY not in caught.value.message
    await server.stop()

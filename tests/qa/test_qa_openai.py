"""The language model's asker and judge against a real HTTP server that speaks the protocol, well and badly."""

import asyncio
import contextlib
import json
import re
from dataclasses import replace

import pytest
from openai_endpoint import Endpoint, Mischief, completion, serving

from moviellm import errors, rpc
from moviellm.llm.openai_chat import OpenAIChat
from moviellm.llm.tokens import estimated_tokens
from moviellm.movie import Difficulty, Dropped, FrameRange, Prompt, QuestionKind, Shape
from moviellm.qa.by_model.openai_asker import FELL_BACK, OpenAIAsker
from moviellm.qa.by_model.prompting import Templates
from moviellm.qa.judge.judging import Case, Winner
from moviellm.qa.judge.openai_judge import OpenAIJudge
from moviellm.qa.servicer import NAME, QuestionServicer
from moviellm.qa.verification.sieve import BLIND, DUPLICATE, MALFORMED, NOT_IN_EVIDENCE, TELLS
from moviellm.qa.verification.verifying import misshapen
from moviellm.v1 import movie_pb2
from moviellm.v1 import question_service_pb2 as pb
from moviellm.v1 import question_service_pb2_grpc as pb_grpc
from moviellm.wire import to_message

KEY = "sk-very-secret"


def pair(category, question, answer, wrong=(), first=1, last=1):
    return {
        "category": category,
        "question": question,
        "answer": answer,
        "wrong_answers": list(wrong),
        "first": first,
        "last": last,
    }


GOOD = [
    pair("what", "What does Mara look for?", "She looks for her friend.", first=1, last=2),
    pair("why", "Why does Mara go to sea?", "Her friend is lost there.", first=2, last=2),
]
TRUTH = {item["question"]: item["answer"] for item in GOOD}


class Model:
    """A language model that asks these questions, and answers by heart: with the evidence and without it."""

    def __init__(self, questions=GOOD, *, knows=TRUTH, guesses=None, same=()):
        self.questions = questions
        self.knows = knows
        self.guesses = guesses or {}
        self.same = same
        self.asked = []

    def __call__(self, request):
        title = request["response_format"]["json_schema"]["name"]
        user = request["messages"][1]["content"]
        self.asked.append((title, user))
        if title == "questions":
            return {"questions": self.questions}
        if title == "same":
            return {"same": list(self.same)}
        by_heart = self.knows if title == "answer" else self.guesses
        lines = re.findall(r"^(\d+)\. (.*)$", user.rpartition("Questions:")[2], re.MULTILINE)
        return {"answers": [{"number": int(number), "answer": recalled(by_heart, line)} for number, line in lines]}

    def case(self, title):
        """What the model was told of the last such request."""
        return next(user for asked, user in reversed(self.asked) if asked == title)


def recalled(by_heart, line):
    return next((answer for question, answer in by_heart.items() if question in line), "unknown")


@pytest.fixture
def endpoint_of():
    with contextlib.ExitStack() as started:
        yield lambda *answers: started.enter_context(serving(Endpoint(answers, usage=(100, 10))))


def chat_of(url, **options):
    usual = {"patience_seconds": 0.0, "backoff_seconds": 0.001}
    return OpenAIChat(base_url=url, model="story-model", api_key=KEY, **usual | options)


def asker_of(endpoint, **options):
    return OpenAIAsker(chat=chat_of(endpoint.url), **options)


async def asked_movie(endpoint, outline, shape, **options):
    return await asker_of(endpoint, **options).ask_movie(outline, shape, seed=3)


def counts(asked):
    return {dropped.reason: dropped.count for dropped in asked.dropped}


async def test_questions_that_hold_get_kind_level_evidence_and_difficulty(endpoint_of, outline, chapters, scene, shape):
    asker = asker_of(endpoint_of(Model()))
    movie = await asker.ask_movie(outline, shape, 3)
    chapter = await asker.ask_chapter(outline, chapters[1], shape, 3)
    of_scene = await asker.ask_scene(outline, chapters[0], scene, shape, 3)
    for asked, kind, level, proofs in (
        (movie, QuestionKind.OVERVIEW, "movie", [FrameRange(1, 20), FrameRange(11, 20)]),
        (chapter, QuestionKind.PLOT, "chapter", [FrameRange(11, 20), FrameRange(16, 20)]),
        (of_scene, QuestionKind.PLOT, "scene", [FrameRange(1, 2), FrameRange(2, 2)]),
    ):
        assert [question.question for question in asked.questions] == [item["question"] for item in GOOD]
        assert [question.category for question in asked.questions] == ["what", "why"]
        assert [question.evidence for question in asked.questions] == proofs
        assert {(question.kind, question.level) for question in asked.questions} == {(kind, level)}
        assert asked.dropped == ()
        assert (asked.prompt_tokens, asked.completion_tokens) == (300, 30)
        assert asked.prompt.startswith("questions@2 sha256:")
    assert [question.difficulty for question in of_scene.questions] == [Difficulty.MEDIUM, Difficulty.EASY]
    assert [question.difficulty for question in chapter.questions] == [Difficulty.HARD, Difficulty.MEDIUM]


async def test_evidence_beyond_the_part_means_the_whole_part(endpoint_of, outline, chapters, scene, shape):
    model = Model([GOOD[0] | {"first": 0, "last": 99}, GOOD[1] | {"first": "2"}])
    asked = await asker_of(endpoint_of(model)).ask_scene(outline, chapters[0], scene, shape, 3)
    assert {question.evidence for question in asked.questions} == {FrameRange(1, 5)}


async def test_who_and_said_are_questions_about_people_and_dialogue(endpoint_of, outline, chapters, scene, shape):
    said = [pair("who", "Who walks there?", "Mara does."), pair("said", "What is called out?", '"A letter!"')]
    model = Model(said, knows={"Who walks there?": "Mara", "What is called out?": "A letter!"})
    asked = await asker_of(endpoint_of(model)).ask_scene(outline, chapters[0], scene, shape, 3)
    assert [question.kind for question in asked.questions] == [QuestionKind.CHARACTER, QuestionKind.DIALOGUE]


async def test_the_model_sees_the_script_the_schema_and_what_each_question_may_use(
    endpoint_of, outline, chapters, scene, shape
):
    model = Model()
    endpoint = endpoint_of(model)
    await asker_of(endpoint).ask_scene(outline, chapters[0], scene, shape, 2**40 + 3)
    request = endpoint.requests[0]
    assert endpoint.headers[0]["authorization"] == f"Bearer {KEY}"
    assert (request["model"], request["seed"]) == ("story-model", 3)
    assert request["response_format"]["json_schema"]["strict"] is True
    item = request["response_format"]["json_schema"]["schema"]["properties"]["questions"]["items"]
    assert item["properties"]["category"]["enum"] == ["what", "why", "how", "where", "who", "said"]
    for told in (outline.overview, "After a stormy night Mara searches the beach", 'Mara says: "A letter!"'):
        assert told in model.case("questions")
        assert told in model.case("answer")
        assert told not in model.case("blind")
    assert "1. (use frames 1 to 2) What does Mara look for?" in model.case("answer")
    assert "2. (use frame 2) Why does Mara go to sea?" in model.case("answer")
    assert "She looks for her friend" not in model.case("answer")


async def test_what_the_evidence_does_not_answer_is_dropped(endpoint_of, outline, shape):
    wrong = TRUTH | {GOOD[1]["question"]: "Because she likes fishing."}
    asked = await asked_movie(endpoint_of(Model(knows=wrong)), outline, shape)
    assert [question.category for question in asked.questions] == ["what"]
    assert counts(asked) == {NOT_IN_EVIDENCE: 1}


async def test_what_is_answered_without_the_movie_is_dropped(endpoint_of, outline, shape):
    guesses = {GOOD[0]["question"]: "For a friend of hers, I think."}
    asked = await asked_movie(endpoint_of(Model(guesses=guesses)), outline, shape)
    assert [question.category for question in asked.questions] == ["why"]
    assert counts(asked) == {BLIND: 1}


@pytest.mark.parametrize(("same", "kept"), [((1,), 1), ((), 0)])
async def test_answers_that_words_cannot_compare_are_compared_by_the_model(endpoint_of, outline, shape, same, kept):
    question = pair("why", "Why is Mara sad?", "She has lost her oldest friend at sea.")
    model = Model([question, GOOD[0]], knows=TRUTH | {"Why is Mara sad?": "A companion was lost at sea"}, same=same)
    asked = await asked_movie(endpoint_of(model), outline, shape)
    assert len([item for item in asked.questions if item.category == "why"]) == kept
    pairs = model.case("same")
    assert "First answer: She has lost her oldest friend at sea." in pairs
    assert "What does Mara look for" not in pairs


async def test_wrong_answers_become_choices_by_letter(endpoint_of, outline, shape):
    wrong = ["She looks for her brother.", "She looks for the island.", "She looks for the old map."]
    question = GOOD[0] | {"wrong_answers": wrong}

    def by_letter(request):
        shown = re.search(r"([A-D])\) She looks for her friend", request["messages"][1]["content"])
        return shown[1] if shown else "unknown"

    class Chooser(Model):
        def __call__(self, request):
            self.knows = {question["question"]: f"{by_letter(request)})"}
            return super().__call__(request)

    asked = await asked_movie(endpoint_of(Chooser([question])), outline, shape, choice_share=1.0)
    assert set(asked.questions[0].choices) == {*wrong, "She looks for her friend."}
    assert asked.questions[0].answer == "She looks for her friend."


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (pair("when", "Whenever is it?", "Now."), MALFORMED),
        (pair("what", " ", "Nothing is."), MALFORMED),
        (pair("what", "What is it?", ""), MALFORMED),
        (pair("what", "Tell me about Mara.", "She is sad."), MALFORMED),
        (pair("what", "What does Tom see?", "He <image> sees it."), MALFORMED),
        (pair("what", "What does the Assistant: say?", "He says yes."), MALFORMED),
        (pair("what", "What is the end?", "USER: they go home."), MALFORMED),
        (pair("what", "What is told?", "word " * 61), MALFORMED),
        (pair("what", "What does Mara do when she looks for her friend?", "She looks for her friend."), TELLS),
        (pair("what", "What does Mara look for??", "She looks for her friend."), DUPLICATE),
        (pair("what", "Does Tom go?", "Yes."), BLIND),
    ],
)
async def test_a_bad_question_is_dropped_and_the_good_ones_stay(endpoint_of, outline, shape, bad, reason):
    endpoint = endpoint_of(Model([*GOOD, bad], knows=TRUTH | {bad["question"]: bad["answer"]}))
    asked = await asked_movie(endpoint, outline, shape)
    assert [question.question for question in asked.questions] == list(TRUTH)
    assert counts(asked) == {reason: 1}
    assert len(endpoint.requests) == 3


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"questions": []}, "at least one question"),
        ({"questions": ["What?"]}, "question 1 must have the texts"),
        ({"questions": [pair("what", "Tell me.", "No.")]}, 'question 1 does not end with "?"'),
        ((200, completion('{"questions": [', finish_reason="length", usage=(100, 10))), "cut off"),
    ],
)
async def test_a_reply_without_any_good_question_is_asked_again_with_the_reason(endpoint_of, outline, shape, bad, why):
    endpoint = endpoint_of(bad, Model())
    asked = await asked_movie(endpoint, outline, shape)
    assert len(asked.questions) == 2
    assert why in endpoint.requests[1]["messages"][-1]["content"]
    assert (asked.prompt_tokens, asked.completion_tokens) == (400, 40)


@pytest.mark.parametrize("bad", [{"questions": [pair("what", "Tell me.", "No.")]}, "no json"])
async def test_a_part_of_which_nothing_is_left_is_asked_by_the_facts_and_says_so(endpoint_of, outline, shape, bad):
    asked = await asked_movie(endpoint_of(bad), outline, shape)
    assert any(question.answer.startswith("Mara keeps a lonely lighthouse") for question in asked.questions)
    assert Dropped(FELL_BACK, 1) in asked.dropped
    assert asked.prompt_tokens == 300


async def test_a_model_that_cannot_answer_keeps_none_of_its_questions(endpoint_of, outline, chapters, scene, shape):
    endpoint = endpoint_of(Model(knows={}))
    asker = asker_of(endpoint)
    asked = await asker.ask_scene(outline, chapters[0], scene, shape, 1)
    assert counts(asked)[NOT_IN_EVIDENCE] == 2
    assert counts(asked)[FELL_BACK] == 1
    assert "Mara finds a letter in a bottle." in {question.answer for question in asked.questions}


async def test_small_models_may_leave_out_what_can_be_guessed(endpoint_of, outline, chapters, scene, shape):
    bare = [{"Question": item["question"], "Answer": item["answer"]} for item in GOOD]
    asked = await asker_of(endpoint_of(Model(bare))).ask_scene(outline, chapters[0], scene, shape, 1)
    assert [(item.category, item.evidence) for item in asked.questions] == [
        ("what", FrameRange(1, 5)),
        ("why", FrameRange(1, 5)),
    ]


async def test_temporal_questions_never_come_from_the_model(endpoint_of, outline, chapters, shape):
    endpoint = endpoint_of(Model())
    asked = await asker_of(endpoint).ask_order(outline, chapters, shape, 1)
    assert {question.kind for question in asked.questions} == {QuestionKind.TEMPORAL}
    assert endpoint.requests == []


async def test_a_request_brings_its_own_rules_and_a_deployment_its_own_prompts(endpoint_of, outline, shape, tmp_path):
    (tmp_path / "movie.md").write_text("Ask $count things about $name: $script")
    endpoint = endpoint_of(Model())
    asker = asker_of(endpoint, templates=Templates(tmp_path))
    own = (Prompt("scene", "for the writer"), Prompt("questions", "Ask only about the sea."))
    asked = await asker.ask_movie(outline, shape, 1, own)
    system, user = (message["content"] for message in endpoint.requests[0]["messages"])
    assert system == "Ask only about the sea."
    assert user.startswith("Ask 10 things about the movie: Title: The Letter from the Sea")
    assert asked.prompt.startswith("questions@own sha256:")


@pytest.mark.parametrize("text", ["", "Costs $5", "Ask $many questions", "x" * 20_001])
async def test_own_rules_that_cannot_be_filled_in_are_refused(endpoint_of, outline, shape, text):
    asker = asker_of(endpoint_of(Model()))
    with pytest.raises(errors.InvalidInput) as caught:
        await asker.ask_movie(outline, shape, 1, (Prompt("outline", ""), Prompt("questions", text)))
    assert caught.value.field == "prompts[1].text"


async def test_the_estimate_grows_with_the_movie_and_is_corrected_by_what_was_paid(endpoint_of, outline, shape):
    asker = asker_of(endpoint_of(Model()))
    small = await asker.estimate("the sea", Shape(2, 2, 5), 6)
    large = await asker.estimate("the sea", Shape(11, 11, 11), 6)
    assert 0 < 10 * small.prompt_tokens < large.prompt_tokens
    assert 0 < 10 * small.completion_tokens < large.completion_tokens
    talkative = await asker.estimate("the sea", Shape(2, 2, 5), 22)
    assert talkative.prompt_tokens > small.prompt_tokens
    own = await asker.estimate("the sea", Shape(2, 2, 5), 6, (Prompt("questions", "long words " * 500),))
    assert own.prompt_tokens > small.prompt_tokens + 7 * 500
    before = (await asker.estimate("the sea", Shape(1, 1, 1), 0)).completion_tokens
    await asker.ask_movie(outline, Shape(1, 1, 1), 3)
    after = (await asker.estimate("the sea", Shape(1, 1, 1), 0)).completion_tokens
    assert after < before


class Counted(Model):
    """Sends the bill that a tokenizer would make out."""

    def __init__(self):
        super().__init__()
        self.spent = [0, 0]

    def __call__(self, request):
        text = json.dumps(super().__call__(request))
        sent = sum(estimated_tokens(message["content"]) for message in request["messages"])
        usage = (sent, estimated_tokens(text))
        self.spent = [before + now for before, now in zip(self.spent, usage, strict=True)]
        return 200, completion(text, usage=usage)


async def test_what_one_movie_has_cost_the_next_is_estimated_at(endpoint_of, outline, chapters, scene, shape):
    model = Counted()
    asker = asker_of(endpoint_of(model))
    await asker.ask_movie(outline, shape, 1)
    for chapter in chapters:
        await asker.ask_chapter(outline, chapter, shape, 1)
        for number in (1, 2):
            own = replace(scene, chapter=chapter.number, number=number)
            await asker.ask_scene(outline, chapter, own, shape, number)
    next_one = await asker.estimate(outline.theme, shape, len(scene.dialogue))
    assert next_one.prompt_tokens == pytest.approx(model.spent[0], rel=0.15)
    assert next_one.completion_tokens == pytest.approx(model.spent[1], rel=0.15)


async def test_a_misbehaving_endpoint_costs_patience_and_no_questions(endpoint_of, outline, chapters, scene, shape):
    mischief = Mischief(Model(), share=0.3, seed=4)
    chat = chat_of(endpoint_of(mischief).url, patience_seconds=5.0, timeout_seconds=1.0)
    asker = OpenAIAsker(chat=chat)

    async def asked_for(seed):
        for _ in range(9):  # the controller asks again as well
            with contextlib.suppress(errors.Temporary):
                return await asker.ask_scene(outline, chapters[0], scene, shape, seed)
        raise AssertionError("the endpoint is not that bad")

    found = await asyncio.gather(*map(asked_for, range(6)))
    assert sum(mischief.done.values()) > mischief.done["good"] > 0
    for asked in found:
        assert len(asked.questions) >= 2
        assert all(misshapen(question) == "" for question in asked.questions)


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [(401, errors.Denied, "LLM_UNAUTHORIZED"), (404, errors.Unsatisfied, "LLM_MODEL_UNKNOWN")],
)
async def test_refusals_become_our_errors_at_once_and_never_name_the_key(
    endpoint_of, outline, shape, status, kind, reason
):
    endpoint = endpoint_of((status, {"error": {"message": f"bad key {KEY}"}}))
    with pytest.raises(kind) as caught:
        await asked_movie(endpoint, outline, shape)
    assert caught.value.reason == reason
    assert KEY not in caught.value.message
    assert len(endpoint.requests) == 1


async def test_a_refusal_during_verification_is_no_reason_to_drop(endpoint_of, outline, shape):
    endpoint = endpoint_of({"questions": GOOD}, (401, {"error": {"message": "expired"}}))
    with pytest.raises(errors.Denied):
        await asked_movie(endpoint, outline, shape)


@pytest.mark.parametrize("status", [200, 401])
async def test_health_asks_the_endpoint(endpoint_of, status):
    endpoint = endpoint_of({})
    endpoint.models = (status, {"object": "list", "data": []})
    if status == 200:
        await asker_of(endpoint).check()
    else:
        with pytest.raises(errors.Denied):
            await asker_of(endpoint).check()


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
    known = [{"number": number, "answer": item["answer"]} for number, item in enumerate(GOOD, 1)]
    unknown = [item | {"answer": "unknown"} for item in known]
    endpoint = endpoint_of({"questions": GOOD}, {"answers": known}, {"answers": unknown}, judged, judged, refusal)
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
        assert (asked.work.model, asked.work.prompt_tokens, asked.work.completion_tokens) == ("story-model", 300, 30)
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

"""All five RPCs over a real connection, and what bad requests get."""

import pytest

from moviellm import errors, rpc
from moviellm.qa.facts.fact_asker import FactAsker
from moviellm.qa.judge.lexical_judge import LexicalJudge
from moviellm.qa.servicer import NAME, QuestionServicer
from moviellm.v1 import movie_pb2
from moviellm.v1 import question_service_pb2 as pb
from moviellm.v1 import question_service_pb2_grpc as pb_grpc
from moviellm.wire import to_message


@pytest.fixture
async def stub():
    ticks = iter(range(100))
    servicer = QuestionServicer(
        asker=FactAsker(), judge=LexicalJudge(), node_pool="cpu-pool", clock=lambda: float(next(ticks))
    )
    server = rpc.Server(
        [rpc.Registration(NAME, lambda server: pb_grpc.add_QuestionServiceServicer_to_server(servicer, server))],
        listen="127.0.0.1:0",
    )
    await server.start()
    async with rpc.channel(f"127.0.0.1:{server.port}") as peer:
        yield pb_grpc.QuestionServiceStub(peer)
    await server.stop()


@pytest.fixture
def parts(outline, chapters, scene, shape):
    return {
        "outline": to_message(outline, movie_pb2.Outline),
        "chapters": [to_message(chapter, movie_pb2.Chapter) for chapter in chapters],
        "scene": to_message(scene, movie_pb2.Scene),
        "shape": to_message(shape, movie_pb2.Shape),
    }


def requests_of(parts, seed=1):
    outline, shape, chapter = parts["outline"], parts["shape"], parts["chapters"][0]
    return {
        "AskMovie": pb.AskMovieRequest(outline=outline, shape=shape, seed=seed),
        "AskChapter": pb.AskChapterRequest(outline=outline, chapter=chapter, shape=shape, seed=seed),
        "AskScene": pb.AskSceneRequest(outline=outline, chapter=chapter, scene=parts["scene"], shape=shape, seed=seed),
        "AskOrder": pb.AskOrderRequest(outline=outline, chapters=parts["chapters"], shape=shape, seed=seed),
    }


async def ask(stub, name, request):
    return await rpc.call("qa", getattr(stub, name)(request))


@pytest.mark.parametrize(
    ("name", "kinds", "levels"),
    [
        ("AskMovie", {movie_pb2.QUESTION_KIND_OVERVIEW, movie_pb2.QUESTION_KIND_CHARACTER}, {"movie"}),
        ("AskChapter", {movie_pb2.QUESTION_KIND_PLOT}, {"chapter"}),
        ("AskScene", {movie_pb2.QUESTION_KIND_PLOT, movie_pb2.QUESTION_KIND_CHARACTER}, {"scene"}),
        ("AskOrder", {movie_pb2.QUESTION_KIND_TEMPORAL}, {"movie", "chapter"}),
    ],
)
async def test_each_call_asks_its_kinds_of_questions_with_evidence_in_the_movie(stub, parts, name, kinds, levels):
    response = await ask(stub, name, requests_of(parts)[name])
    assert {question.kind for question in response.questions} == kinds
    assert {question.level for question in response.questions} == levels
    assert all(1 <= question.evidence.first <= question.evidence.last <= 20 for question in response.questions)
    assert response.work == movie_pb2.Work(node_pool="cpu-pool", seconds=1.0, model="facts")


@pytest.mark.parametrize("name", ["AskMovie", "AskChapter", "AskScene", "AskOrder"])
async def test_the_same_request_gets_the_same_questions_and_another_seed_others(stub, parts, name):
    first = await ask(stub, name, requests_of(parts, seed=7)[name])
    again = await ask(stub, name, requests_of(parts, seed=7)[name])
    assert first.questions == again.questions
    others = [await ask(stub, name, requests_of(parts, seed=seed)[name]) for seed in range(8, 12)]
    assert any(other.questions != first.questions for other in others)


async def test_the_judge_answers_with_both_orders(stub):
    request = pb.JudgeRequest(
        question="What does Mara find?",
        reference="Mara finds a letter in a bottle.",
        candidate="She finds a letter in a bottle.",
        baseline="A ship sinks.",
    )
    response = await rpc.call("qa", stub.Judge(request))
    assert response.winner == pb.WINNER_CANDIDATE
    assert response.candidate_first == response.baseline_first
    assert response.candidate_first.candidate_score > response.candidate_first.baseline_score
    assert response.work.model == "lexical"


def spoiled(parts, **changes):
    """The scene's request with one thing wrong."""
    request = requests_of(parts)["AskScene"]
    for path, value in changes.items():
        target, _, field = path.rpartition("__")
        setattr(getattr(request, target), field, value)
    return request


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"shape__frames": 0}, "shape.frames"),
        ({"shape__scenes": -1}, "shape.scenes"),
        ({"shape__chapters": 0}, "shape.chapters"),
        ({"chapter__number": 0}, "chapter.number"),
        ({"chapter__number": 3}, "chapter.number"),
        ({"scene__chapter": 2}, "scene.chapter"),
        ({"scene__number": 3}, "scene.number"),
    ],
)
async def test_numbers_outside_the_shape_are_named(stub, parts, change, field):
    with pytest.raises(errors.InvalidInput) as caught:
        await ask(stub, "AskScene", spoiled(parts, **change))
    assert caught.value.field == field


@pytest.mark.parametrize("name", ["AskMovie", "AskChapter", "AskScene", "AskOrder"])
async def test_a_missing_outline_is_named(stub, parts, name):
    request = requests_of(parts)[name]
    request.ClearField("outline")
    with pytest.raises(errors.InvalidInput) as caught:
        await ask(stub, name, request)
    assert (caught.value.field, caught.value.allowed) == ("outline", "must be set")


async def test_wrong_numbers_in_lists_are_named_with_their_place(stub, parts):
    request = requests_of(parts)["AskOrder"]
    request.chapters[1].number = 1
    with pytest.raises(errors.InvalidInput) as caught:
        await ask(stub, "AskOrder", request)
    assert caught.value.field == "chapters"
    request.chapters[1].number = 2
    request.chapters[1].scenes[0].number = 9
    with pytest.raises(errors.InvalidInput) as caught:
        await ask(stub, "AskOrder", request)
    assert caught.value.field == "chapters[1].scenes[0].number"
    request.chapters[1].scenes[0].number = 1
    request.outline.chapters[1].number = 12
    with pytest.raises(errors.InvalidInput) as caught:
        await ask(stub, "AskOrder", request)
    assert caught.value.field == "outline.chapters[1].number"


@pytest.mark.parametrize("field", ["question", "reference", "candidate", "baseline"])
async def test_the_judge_needs_all_four_texts(stub, field):
    texts = {"question": "Why?", "reference": "So.", "candidate": "So.", "baseline": "No."}
    with pytest.raises(errors.InvalidInput) as caught:
        await rpc.call("qa", stub.Judge(pb.JudgeRequest(**(texts | {field: "  "}))))
    assert caught.value.field == field


async def test_a_review_of_all_questions_drops_what_is_asked_twice(stub, parts):
    asked = await ask(stub, "AskChapter", requests_of(parts)["AskChapter"])
    twice = [*asked.questions, asked.questions[0]]
    response = await rpc.call(
        "qa", stub.ReviewQuestions(pb.ReviewQuestionsRequest(outline=parts["outline"], questions=twice))
    )
    assert list(response.questions) == list(asked.questions)
    assert list(response.dropped) == [movie_pb2.Dropped(reason="near duplicate", count=1)]
    assert response.work.model == "facts"
    with pytest.raises(errors.InvalidInput) as caught:
        await rpc.call("qa", stub.ReviewQuestions(pb.ReviewQuestionsRequest(questions=twice)))
    assert caught.value.field == "outline"


async def test_embedded_questions_cost_no_tokens(stub, parts):
    request = pb.EstimateQuestionsRequest(theme="the sea", shape=parts["shape"], dialogue_lines=6)
    response = await rpc.call("qa", stub.EstimateQuestions(request))
    assert (response.prompt_tokens, response.completion_tokens, response.model) == (0, 0, "facts")
    for field, request in (
        ("dialogue_lines", pb.EstimateQuestionsRequest(shape=parts["shape"], dialogue_lines=-1)),
        ("shape.chapters", pb.EstimateQuestionsRequest()),
    ):
        with pytest.raises(errors.InvalidInput) as caught:
            await rpc.call("qa", stub.EstimateQuestions(request))
        assert caught.value.field == field


async def test_with_all_scenes_order_tells_how_long_and_how_people_look(stub, parts):
    request = requests_of(parts)["AskOrder"]
    for chapter, number in ((1, 1), (1, 2), (2, 1), (2, 2)):
        scene = movie_pb2.Scene()
        scene.CopyFrom(parts["scene"])
        scene.chapter, scene.number = chapter, number
        place = parts["chapters"][chapter - 1].scenes[number - 1].location
        for frame in scene.frames:
            frame.description = f"Mara is walking at the {place}"
        request.scenes.append(scene)
    asked = await ask(stub, "AskOrder", request)
    answers = {question.answer for question in asked.questions}
    assert answers & {"5 frames", 'The chapter "The Bottle" is on the beach for 5 frames.'}
    kinds = {question.kind for question in asked.questions}
    assert kinds == {movie_pb2.QUESTION_KIND_TEMPORAL, movie_pb2.QUESTION_KIND_CHARACTER}
    request.scenes[1].number = 1
    with pytest.raises(errors.InvalidInput) as caught:
        await ask(stub, "AskOrder", request)
    assert caught.value.field == "scenes"
    request.scenes[1].number = 7
    with pytest.raises(errors.InvalidInput) as caught:
        await ask(stub, "AskOrder", request)
    assert caught.value.field == "scenes[1].number"

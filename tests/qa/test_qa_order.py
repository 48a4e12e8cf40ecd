"""Temporal questions hold for any script: here every event carries the number of its place in the story."""

import re
from dataclasses import replace

import pytest

from moviellm.movie import Chapter, ChapterOutline, Fact, FrameRange, QuestionKind, ScenePlan, Shape
from moviellm.qa.facts.fact_asker import FactAsker, Limits

SHAPES = [Shape(1, 2, 3), Shape(2, 1, 5), Shape(3, 3, 6), Shape(5, 1, 2), Shape(1, 6, 1), Shape(11, 11, 11)]


def asker(choice_share=0.5):
    """Keeps all questions."""
    return FactAsker(limits=Limits(1000, 1000, 1000, 1000), choice_share=choice_share)


def asked_in(question):
    """The events that the question or its choices name."""
    return stones(" ".join((question.question, *question.choices)))


def numbered_script(outline, shape):
    """Every scene has two events: Mara carries stone 10·n, Tom lifts stone 10·n + 1 in the n-th scene of the movie."""
    chapters = []
    for chapter in range(1, shape.chapters + 1):
        plans = []
        for scene in range(1, shape.scenes + 1):
            stone = 10 * ((chapter - 1) * shape.scenes + scene)
            facts = (Fact("Mara", f"carry stone {stone}"), Fact("Tom", f"lift stone {stone + 1}"))
            plans.append(ScenePlan(scene, "beach", "", facts))
        chapters.append(Chapter(chapter, tuple(plans)))
    outlines = tuple(ChapterOutline(chapter.number, f"Part {chapter.number}", (), "") for chapter in chapters)
    return replace(outline, chapters=outlines), tuple(chapters)


def stones(text):
    return [int(number) for number in re.findall(r"stone (\d+)", text)]


def scene_of(stone):
    return stone // 10


async def order_questions(outline, shape, seed):
    script, chapters = numbered_script(outline, shape)
    return (await asker().ask_order(script, chapters, shape, seed)).questions


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.chapters}x{shape.scenes}x{shape.frames}")
@pytest.mark.parametrize("seed", range(5))
async def test_answers_follow_the_order_of_the_script(outline, shape, seed):
    questions = await order_questions(outline, shape, seed)
    assert {"order", "before", "after"} <= {question.category for question in questions}
    for question in questions:
        assert question.kind is QuestionKind.TEMPORAL
        asked, answered = asked_in(question), stones(question.answer)
        scenes = [scene_of(stone) for stone in answered]
        if question.category == "order":
            assert sorted(stones(question.question)) == answered
            assert len(set(scenes)) == len(scenes)
        elif question.category == "first":
            assert answered == [min(asked)]
        elif question.category == "last":
            assert answered == [max(asked)]
        elif question.category == "before":
            assert set(scenes) == {scene_of(asked[0]) - 1}
        else:
            assert set(scenes) == {scene_of(asked[0]) + 1}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.chapters}x{shape.scenes}x{shape.frames}")
async def test_evidence_spans_exactly_the_scenes_that_are_compared(outline, shape):
    for question in await order_questions(outline, shape, 3):
        scenes = sorted(scene_of(stone) for stone in asked_in(question) + stones(question.answer))
        assert question.evidence == FrameRange((scenes[0] - 1) * shape.frames + 1, scenes[-1] * shape.frames)


async def test_questions_within_a_chapter_name_it_and_stay_in_it(outline):
    questions = await order_questions(outline, Shape(3, 3, 6), 1)
    for number in (1, 2, 3):
        inside = [question for question in questions if f'In the chapter "Part {number}"' in question.question]
        assert {question.category for question in inside} == {"order", "first", "last", "before", "after"}
        for question in inside:
            assert question.level == "chapter"
            assert (number - 1) * 18 < question.evidence.first <= question.evidence.last <= number * 18
    over_all = [question for question in questions if question.level == "movie"]
    assert {question.category for question in over_all} == {"order", "first", "last", "before", "after"}


async def test_events_are_not_always_listed_in_their_order(outline):
    listed = [
        stones(question.question)
        for seed in range(10)
        for question in await order_questions(outline, Shape(2, 1, 2), seed)
        if question.category == "order"
    ]
    assert {tuple(item) == tuple(sorted(item)) for item in listed} == {True, False}


@pytest.mark.parametrize(
    ("choice_share", "chosen"), [(0.0, set()), (1.0, {"order", "first", "last", "before", "after"})]
)
async def test_the_share_of_choices_is_what_was_asked_for(outline, choice_share, chosen):
    script, chapters = numbered_script(outline, Shape(2, 5, 3))
    questions = (await asker(choice_share).ask_order(script, chapters, Shape(2, 5, 3), 1)).questions
    assert {question.category for question in questions if question.choices} <= chosen
    assert ({"order", "first", "last"} <= {q.category for q in questions if q.choices}) is bool(chosen)


async def test_one_scene_orders_nothing(outline):
    assert await order_questions(outline, Shape(1, 1, 6), 1) == ()


async def test_an_event_that_happens_twice_marks_no_time(outline):
    script, chapters = numbered_script(outline, Shape(1, 3, 2))
    again = replace(chapters[0].scenes[2], facts=chapters[0].scenes[0].facts)
    chapters = (replace(chapters[0], scenes=(*chapters[0].scenes[:2], again)),)
    for seed in range(8):
        assert (await asker().ask_order(script, chapters, Shape(1, 3, 2), seed)).questions == ()


@pytest.mark.parametrize("deed", ["want to go home", "be afraid", "do not give up", "never sleep", "know the way", ""])
async def test_states_and_what_is_not_done_have_no_moment(outline, deed):
    script, chapters = numbered_script(outline, Shape(1, 2, 2))
    still = replace(chapters[0].scenes[1], facts=(Fact("Mara", deed),))
    chapters = (replace(chapters[0], scenes=(chapters[0].scenes[0], still)),)
    assert (await asker().ask_order(script, chapters, Shape(1, 2, 2), 1)).questions == ()


async def test_chapters_whose_scenes_tell_nothing_are_ordered_by_their_outline(outline, shape):
    questions = (await asker().ask_order(outline, (), shape, 1)).questions
    assert {question.evidence for question in questions} == {FrameRange(1, 20)}
    assert {question.category for question in questions} == {"order", "before", "after"}
    assert all("scene" not in question.question for question in questions)


async def test_scenes_with_something_untold_between_them_are_no_neighbours(outline):
    script, chapters = numbered_script(outline, Shape(1, 3, 2))
    gap = replace(chapters[0].scenes[1], facts=())
    chapters = (replace(chapters[0], scenes=(chapters[0].scenes[0], gap, chapters[0].scenes[2])),)
    questions = (await asker().ask_order(script, chapters, Shape(1, 3, 2), 1)).questions
    assert {question.category for question in questions} == {"order"}

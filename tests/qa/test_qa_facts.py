"""The embedded asker's overview and plot questions."""

from dataclasses import replace

import pytest

from moviellm.movie import Chapter, ChapterOutline, Fact, FrameRange, QuestionKind, ScenePlan, Shape
from moviellm.qa.asking import flaw, tells, words
from moviellm.qa.facts.fact_asker import FactAsker, Limits
from moviellm.qa.facts.overview import gist

SEEDS = range(12)
ALL = Limits(1000, 1000, 1000, 1000)


def asker_of_all():
    """Asks everything, and openly."""
    return FactAsker(limits=ALL, choice_share=0.0)


def about(asked, *kinds):
    return [question for question in asked.questions if question.kind in kinds]


async def plot_of(outline, chapter, scene, shape, seed=0):
    return about(await asker_of_all().ask_scene(outline, chapter, scene, shape, seed), QuestionKind.PLOT)


async def all_questions(outline, chapters, scene, shape, seed):
    asker = asker_of_all()
    return [
        await asker.ask_movie(outline, shape, seed),
        await asker.ask_chapter(outline, chapters[0], shape, seed),
        await asker.ask_scene(outline, chapters[0], scene, shape, seed),
        await asker.ask_order(outline, chapters, shape, seed),
    ]


async def chapter_questions(outline, chapter, shape, seed=0):
    return (await asker_of_all().ask_chapter(outline, chapter, shape, seed)).questions


def of(questions, category):
    return [question for question in questions if question.category == category]


def with_facts(outline, *facts, number=1):
    """The outline with other facts in one chapter."""
    chapters = tuple(
        replace(chapter, facts=facts) if chapter.number == number else chapter for chapter in outline.chapters
    )
    return replace(outline, chapters=chapters)


@pytest.mark.parametrize("seed", SEEDS)
async def test_every_pair_is_good_english_and_none_is_asked_twice(outline, chapters, scene, shape, seed):
    for asked in await all_questions(outline, chapters, scene, shape, seed):
        assert len(asked.questions) >= 5
        texts = [words(question.question) for question in asked.questions]
        assert len(set(texts)) == len(texts)
        for question in asked.questions:
            assert flaw(question.question, question.answer) == ""
            assert question.question[0].isupper()
            assert question.answer[0].isupper()
            assert question.answer.endswith(".")
            assert "  " not in question.question + question.answer


async def test_the_overview_tells_what_who_wants_what_and_how_it_ends(outline, shape):
    asked = await asker_of_all().ask_movie(outline, shape, 0)
    by_answer = {question.answer: question for question in asked.questions}
    about = by_answer[outline.overview]
    assert (about.kind, about.category, about.level) == (QuestionKind.OVERVIEW, "what", "movie")
    assert about.evidence == FrameRange(1, 20)
    wish = by_answer["Mara wants to find her lost friend."]
    assert wish.category == "what"
    assert "Mara" in wish.question
    assert by_answer["Mara wants to find her lost friend because he saved her life."].category == "why"
    obstacle = by_answer["The sea is wide and Tom is afraid of it."]
    assert obstacle.category == "what"
    end = by_answer["Tom and Mara find a map in the library. They sail at night."]
    assert end.evidence == FrameRange(11, 20)
    assert end.category == "how"
    assert "The main characters are Mara, a lighthouse keeper, and Tom, an archivist." in by_answer


async def test_a_chapter_asks_what_why_how_and_where(outline, chapters, shape):
    asked = await chapter_questions(outline, chapters[0], shape)
    assert {(question.category, question.answer) for question in asked} == {
        ("what", "Mara finds a letter in a bottle on the beach. She shows it to Tom at the lighthouse."),
        ("how", "Mara shows the letter to Tom, who recognises the hand."),
        ("where", 'The chapter "The Bottle" takes place on the beach and at the lighthouse.'),
        ("what", "Mara finds a letter in a bottle."),
        ("what", "Tom recognizes the handwriting."),
        ("why", "Mara finds a letter in a bottle because the storm has washed it ashore."),
        ("why", "Tom recognizes the handwriting because his brother wrote it."),
    }
    proofs = {question.answer: question.evidence for question in asked}
    assert proofs["Mara shows the letter to Tom, who recognises the hand."] == FrameRange(6, 10)
    assert proofs["Mara finds a letter in a bottle because the storm has washed it ashore."] == FrameRange(1, 5)
    assert proofs["Mara finds a letter in a bottle."] == FrameRange(1, 10)


async def test_a_chapter_asks_everything_about_deeds_that_no_scene_tells(outline, shape):
    asked = await chapter_questions(outline, Chapter(1, ()), shape)
    assert {
        ("why", "Mara finds a letter in a bottle because the storm has washed it ashore."),
        ("how", "Mara finds a letter in a bottle by searching the sand at low tide."),
        ("where", "Mara finds a letter in a bottle on the beach."),
        ("how", "Tom recognizes the handwriting by comparing it with a map."),
    } <= {(question.category, question.answer) for question in asked}


async def test_a_scene_asks_what_why_how_and_where_about_each_fact(outline, chapters, scene, shape):
    asked = await plot_of(outline, chapters[0], scene, shape, 2)
    assert {(question.category, question.answer) for question in asked} == {
        ("what", "After a stormy night Mara searches the beach and finds a bottle."),
        ("what", "Mara finds a letter in a bottle."),
        ("why", "Mara finds a letter in a bottle because the storm has washed it ashore."),
        ("how", "Mara finds a letter in a bottle by searching the sand at low tide."),
        ("where", "Mara finds a letter in a bottle on the beach."),
    }
    assert all("In the first scene of" in question.question for question in of(asked, "why"))


async def test_a_scene_gives_its_place_to_facts_without_one_and_its_frames_as_evidence(outline, chapters, shape, scene):
    asked = await plot_of(outline, chapters[1], replace(scene, chapter=2, number=2), shape)
    assert [question.answer for question in of(asked, "where")] == [
        "Mara steers the ship through the fog on the ship deck."
    ]
    assert {question.evidence for question in asked} == {FrameRange(16, 20)}


async def test_what_a_chapter_tells_is_left_to_the_chapter(outline, shape):
    obstacle = Fact("Tom", "recognize the handwriting", "his brother wrote it")
    asked = (await asker_of_all().ask_movie(replace(outline, facts=(obstacle,)), shape, 1)).questions
    assert not of(asked, "why")


async def test_wordings_differ_by_seed(outline, chapters, shape):
    asked = {seed: of(await chapter_questions(outline, chapters[0], shape, seed), "why")[0] for seed in SEEDS}
    assert len({question.question for question in asked.values()}) > 2
    assert len({question.answer for question in asked.values()}) == 1


async def test_empty_parts_of_a_fact_give_no_question(outline, chapters, shape):
    asked = await chapter_questions(with_facts(outline, Fact("Mara", "wait")), chapters[0], shape)
    assert not of(asked, "why")
    assert "Mara waits." in {question.answer for question in asked}
    nothing = with_facts(outline, Fact("Mara", "", "it is late", "by waiting", "beach"))
    assert len(await chapter_questions(nothing, chapters[0], shape)) == 3


@pytest.mark.parametrize(
    ("who", "asked"),
    [("", "does somebody light"), ("a stranger", "does a stranger light"), ("The twins", "do the twins light")],
)
async def test_facts_of_people_that_are_no_characters_work(outline, chapters, shape, who, asked):
    questions = await chapter_questions(
        with_facts(outline, Fact(who, "light the lamp", place="lighthouse")), chapters[0], shape, 1
    )
    assert any(asked in question.question or "light" in question.answer for question in of(questions, "where"))
    wordings = [
        of(
            await chapter_questions(
                with_facts(outline, Fact(who, "light the lamp", "it is dark")), chapters[0], shape, s
            ),
            "why",
        )[0]
        for s in SEEDS
    ]
    assert any(asked in question.question for question in wordings)


async def test_two_deeds_at_one_place_make_one_question_with_a_whole_answer(outline, chapters, scene, shape):
    facts = (
        Fact("Mara", "light the lamp", place="lighthouse"),
        Fact("Mara", "find a letter", place="lighthouse"),
        Fact("Tom", "wait", place="lighthouse"),
    )
    plan = replace(chapters[0].scenes[0], facts=facts)
    for seed in SEEDS:
        asked = of(await plot_of(outline, Chapter(1, (plan,)), scene, shape, seed), "what")
        about_mara = [
            question for question in asked if "Mara do" in question.question or "Mara does" in question.question
        ]
        assert [question.answer for question in about_mara] == ["Mara lights the lamp and finds a letter."]


async def test_a_deed_told_in_two_chapters_is_asked_about_with_its_chapter(outline, chapters, shape):
    twice = with_facts(outline, Fact("Mara", "talk to Tom", "she is lonely"), number=1)
    twice = with_facts(twice, Fact("Mara", "talk to Tom", "she has a plan"), number=2)
    questions = [of(await chapter_questions(twice, chapter, shape), "why") for chapter in chapters]
    assert 'In the chapter "The Bottle"' in questions[0][0].question
    assert 'In the chapter "The Map"' in questions[1][0].question


async def test_a_deed_with_two_reasons_in_one_chapter_is_not_asked_about(outline, chapters, shape):
    unclear = with_facts(outline, Fact("Mara", "wait", "it rains"), Fact("Mara", "wait", "Tom is late"))
    for seed in SEEDS:
        assert of(await chapter_questions(unclear, chapters[0], shape, seed), "why") == []


async def test_chapters_of_the_same_title_are_told_apart_by_number(outline, chapters, shape):
    same = replace(outline, chapters=tuple(replace(chapter, title="The Way") for chapter in outline.chapters))
    asked = await chapter_questions(same, chapters[1], shape)
    assert "the second chapter" in asked[0].question


async def test_a_question_that_tells_its_answer_is_dropped(outline, chapters, shape):
    telling = with_facts(outline, Fact("Mara", "climb to the top of the lighthouse", place="lighthouse"))
    asked = await chapter_questions(telling, chapters[0], shape)
    assert not any("climb" in question.question for question in of(asked, "where"))


async def test_words_that_join_sentences_do_not_begin_an_answer(outline, chapters, scene, shape):
    plan = replace(chapters[0].scenes[0], content="In the end on the beach, Mara waits.")
    chapter = Chapter(1, (plan, chapters[0].scenes[1]))
    asked = await plot_of(outline, chapter, scene, shape, 1)
    assert asked[0].answer == "On the beach, Mara waits."


async def test_what_somebody_learns_is_asked(outline, shape):
    wiser = replace(outline, facts=(*outline.facts, Fact("Tom", "learn that the sea gives back", "they come home")))
    answers = {question.answer for question in (await asker_of_all().ask_movie(wiser, shape, 1)).questions}
    assert "Tom learns that the sea gives back." in answers


async def test_the_order_of_the_parts_does_not_depend_on_other_calls(outline, chapters, scene, shape):
    first = await all_questions(outline, chapters, scene, shape, 5)
    await all_questions(outline, chapters, scene, shape, 6)
    assert await all_questions(outline, chapters, scene, shape, 5) == first


async def test_an_outline_with_nothing_to_ask_gives_no_questions(outline, shape):
    bare = replace(outline, overview="", locations=(), characters=(), chapters=(), facts=())
    assert (await asker_of_all().ask_movie(bare, shape, 1)).questions == ()
    assert (await asker_of_all().ask_chapter(bare, Chapter(1, ()), shape, 1)).questions == ()
    assert (await asker_of_all().ask_order(bare, (), shape, 1)).questions == ()


async def test_a_movie_of_one_scene(outline, scene):
    shape = Shape(1, 1, 5)
    plan = ScenePlan(1, "beach", "Mara waits.", (Fact("Mara", "wait"),))
    single = replace(outline, chapters=(ChapterOutline(1, "All of It", ("beach",), "Mara waits.", plan.facts),))
    asked = await plot_of(single, Chapter(1, (plan,)), scene, shape, 1)
    assert {question.category for question in asked} == {"what", "where"}
    assert all("scene of" not in question.question for question in asked)
    chapter = await chapter_questions(single, Chapter(1, (plan,)), shape)
    assert not {question.question for question in chapter} & {question.question for question in asked}
    assert {question.evidence for question in asked} == {FrameRange(1, 5)}
    assert (await asker_of_all().ask_order(single, (Chapter(1, (plan,)),), shape, 1)).questions == ()


def test_an_answer_is_told_word_for_word_only():
    assert tells("Where is the old lighthouse lamp?", "lighthouse")
    assert tells("Does Mara’s friend, Tom, wait?", "friend Tom")
    assert not tells("Where are the lighthouses?", "lighthouse")
    assert not tells("Where?", "")


def test_the_gist_of_a_long_overview_says_wish_obstacle_and_end():
    filler = "They walk through the rain for a very long time and talk about nothing in particular at all."
    told = (
        f"{filler} One day Mara wants to find her friend. {filler} But Tom, who wants to stay, is afraid of the sea. "
        f"{filler} In the end they bring him home."
    )
    assert gist(told) == (
        f"{filler} One day Mara wants to find her friend. But Tom, who wants to stay, is afraid of the sea. "
        f"{filler} In the end they bring him home."
    ).replace(f"the sea. {filler}", "the sea.")
    assert gist("But he must go.") == "he must go."
    assert gist("") == ""

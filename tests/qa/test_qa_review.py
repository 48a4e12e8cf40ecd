"""What only shows when all questions of a movie are seen together."""

import random
from collections import Counter

import pytest

from moviellm.movie import FrameRange, Question, QuestionKind, Shape
from moviellm.qa.facts.fact_asker import FactAsker, Limits, selected
from moviellm.qa.verification.likeness import without_duplicates
from moviellm.qa.verification.review import reviewed
from moviellm.qa.verification.sieve import BLIND, DUPLICATE, MALFORMED, SEVERAL, Sieve


def question(text, answer, *choices, category="what", kind=QuestionKind.PLOT):
    return Question(kind, category, text, answer, FrameRange(1, 5), "scene", tuple(choices))


def counts(sieve):
    return {item.reason: item.count for item in sieve.dropped}


@pytest.mark.parametrize(
    ("second", "kept", "reasons"),
    [
        (("What does Mara find on the beach?", "Mara finds a letter."), 1, {DUPLICATE: 1}),
        (("What does Mara find on the beach", "Mara finds a letter!"), 1, {DUPLICATE: 1}),
        (("What is it that Mara finds on the beach?", "Mara finds a letter."), 2, {}),
        (("What does Mara find on the beach?", "Mara finds a map."), 0, {SEVERAL: 2}),
        (("What does Tom find on the beach?", "Tom finds a map."), 2, {}),
    ],
)
def test_the_same_question_is_asked_once_and_never_with_two_answers(second, kept, reasons):
    sieve = Sieve()
    pairs = [question("What does Mara find on the beach?", "Mara finds a letter."), question(*second)]
    assert without_duplicates(pairs, sieve) == pairs[:kept]
    assert counts(sieve) == reasons


def test_the_same_wording_over_other_choices_is_another_question():
    sieve = Sieve()
    first = question("Which comes first?", "Mara sings.", "Mara sings.", "Tom sleeps.")
    second = question("Which comes first?", "Tom reads.", "Tom reads.", "Ivo waits.")
    assert without_duplicates([first, second], sieve) == [first, second]


def test_numbers_tell_questions_apart():
    sieve = Sieve()
    pairs = [question(f"What does Mara find on day {number} of the long journey?", "A letter.") for number in (1, 2)]
    assert without_duplicates(pairs, sieve) == pairs


def test_an_answer_that_has_become_a_habit_is_thinned_out(outline):
    same = [question(f'Who says "{word} it is"?', "Mara says it to Tom.") for word in "abcdefghij"]
    others = [question(f'Who says "{word} it was"?', "Tom says it to Mara.") for word in "klm"]
    asked = reviewed(outline, [*same, *others])
    said = Counter(item.answer for item in asked.questions)
    assert said["Tom says it to Mara."] == 3
    assert said["Mara says it to Tom."] == 2
    assert counts(asked) == {BLIND: 8}


def test_choices_that_are_right_because_they_are_the_longest_are_thinned_out(outline):
    wrong = ("No.", "So.", "It.")
    lucky = [question(f"What is in room {n}?", f"A long story {n}.", f"A long story {n}.", *wrong) for n in range(12)]
    asked = reviewed(outline, lucky)
    assert len(asked.questions) == 1
    assert counts(asked) == {BLIND: 11}


async def test_a_whole_movie_stays_a_good_mixture(write_movie, ask_all):
    movie = await write_movie(5, Shape(3, 4, 8))
    questions, _ = await ask_all(movie, 5)
    asked = reviewed(movie.outline, questions)
    kinds = Counter(item.kind for item in asked.questions)
    assert set(kinds) == set(QuestionKind)
    assert max(kinds.values()) <= 0.5 * len(asked.questions)
    categories = {item.category for item in asked.questions if item.kind is QuestionKind.PLOT}
    assert categories == {"what", "why", "how", "where"}
    assert {"order", "first", "last", "before", "after", "duration"} <= {item.category for item in asked.questions}
    assert len({item.difficulty for item in asked.questions}) == 3
    chosen = [item for item in asked.questions if item.choices]
    assert 0.1 * len(asked.questions) <= len(chosen) <= 0.6 * len(asked.questions)
    assert all(len(set(item.choices)) == 4 and item.answer in item.choices for item in chosen)
    places = Counter(item.choices.index(item.answer) for item in chosen)
    assert max(places.values()) <= 0.5 * len(chosen)
    assert len(asked.questions) >= 0.85 * len(questions)


async def test_the_density_of_the_paper_is_reached_many_times_and_never_beyond_the_limits(write_movie, ask_all):
    movie = await write_movie(1, Shape(3, 4, 8))
    limits = Limits(movie=6, chapter=3, scene=2, order=9)
    questions, _ = await ask_all(movie, 1, FactAsker(limits=limits))
    per_level = Counter(item.level for item in questions)
    assert len(questions) == 6 + 3 * 3 + 12 * 2 + 9
    assert per_level["scene"] == 24
    more, _ = await ask_all(movie, 1)
    assert len(more) >= 144 * movie.shape.total_frames / 1331


def test_a_selection_takes_each_kind_in_turn():
    many = [question(f"What is {n}?", f"It is {n}.") for n in range(20)]
    few = [question(f"When is {n}?", f"At {n}.", category="order", kind=QuestionKind.TEMPORAL) for n in range(2)]
    kept = selected([*many, *few], 4, random.Random(1))
    assert [item.kind for item in kept] == [QuestionKind.PLOT] * 2 + [QuestionKind.TEMPORAL] * 2


@pytest.mark.parametrize("spoilt", ["", " ", "See <image> there.", "</s>", "assistant: yes", "USER: no"])
def test_what_corrupts_labels_does_not_pass_wherever_it_comes_from(outline, spoilt):
    good = question("Who is it, and why?", "It is Tom " + "because he must " * 30)
    bad = [question(spoilt, "It is Tom."), question("Who?", spoilt), question("Which?", "A", "A", spoilt, "C", "D")]
    asked = reviewed(outline, [good, *bad])
    assert asked.questions == (good,)
    assert counts(asked) == {MALFORMED: 3}

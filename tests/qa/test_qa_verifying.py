"""The verifier is held to its word: spoilt questions must go, good ones must stay."""

import random
from dataclasses import replace

import pytest

from moviellm.movie import Difficulty, FrameRange, Question, QuestionKind, Shape
from moviellm.qa.asking import words
from moviellm.qa.facts.fact_asker import FactAsker, Limits
from moviellm.qa.verification.blind import gives_away, guessable
from moviellm.qa.verification.reader import Reader
from moviellm.qa.verification.sieve import NOT_IN_EVIDENCE, Sieve
from moviellm.qa.verification.verifying import LexicalVerifier, holds, misshapen

CASES = [(1, "a love story about a duchess and a commoner"), (2, "a lighthouse keeper"), (3, "a robot detective")]
SHAPE = Shape(3, 4, 8)


@pytest.fixture(params=CASES, ids=[theme for _, theme in CASES])
async def good(request, write_movie, ask_all):
    """A movie and all the questions that were verified part by part."""
    seed, theme = request.param
    movie = await write_movie(seed, SHAPE, theme)
    questions, _ = await ask_all(movie, seed, FactAsker(limits=Limits(1000, 1000, 1000, 1000)))
    return movie, questions


def same(one, other):
    """Whether the answers say the same: "Mara and Tom are seen", "Tom and Mara are seen"."""
    a, b = sorted((words(one), words(other)), key=len)
    return a in b or sorted(a.split()) == sorted(b.split())


def swapped(questions, rng):
    """Each question with the answer, and the choices, of another one of its kind and category."""
    for question in questions:
        others = [
            other
            for other in questions
            if (other.kind, other.category) == (question.kind, question.category)
            and not same(other.answer, question.answer)
            and bool(other.choices) == bool(question.choices)
        ]
        if others:
            other = rng.choice(others)
            yield replace(question, answer=other.answer, choices=other.choices)


def mischosen(questions, rng):
    """Each multiple-choice question with one of its wrong answers for the right one."""
    for question in questions:
        if question.choices:
            wrong = rng.choice([choice for choice in question.choices if choice != question.answer])
            yield replace(question, answer=wrong)


def shifted(questions, rng, total=SHAPE.total_frames):
    """Each question with as much evidence elsewhere; what needs half of the movie and more has no elsewhere."""
    for question in questions:
        size = question.evidence.last - question.evidence.first + 1
        before = question.evidence.first - size
        after = total - size + 1 - question.evidence.last
        starts = [*range(1, before + 1), *range(question.evidence.last + 1, question.evidence.last + after + 1)]
        if starts:
            start = rng.choice(starts)
            yield replace(question, evidence=FrameRange(start, start + size - 1))


async def test_a_second_reading_of_the_whole_script_keeps_the_good_ones(good):
    movie, questions = good
    assert len(questions) > 150
    reader = Reader(movie.script)
    lost = [question for question in questions if not holds(reader, question)]
    assert len(lost) <= 0.05 * len(questions), lost[:5]


@pytest.mark.parametrize("spoil", [swapped, mischosen, shifted])
async def test_the_spoilt_ones_are_found(good, spoil):
    movie, questions = good
    spoilt = list(spoil(questions, random.Random(7)))
    assert len(spoilt) > 40
    reader = Reader(movie.script)
    missed = [question for question in spoilt if holds(reader, question)]
    assert len(missed) <= 0.05 * len(spoilt), missed[:5]


async def test_the_verifier_counts_what_it_drops(good):
    movie, questions = good
    spoilt = list(swapped(questions, random.Random(3)))[:50]
    sieve = Sieve()
    verified = await LexicalVerifier().verify(movie.script, [*questions, *spoilt], 0, sieve)
    dropped = {item.reason: item.count for item in sieve.dropped}
    assert dropped[NOT_IN_EVIDENCE] >= 45
    assert sum(dropped.values()) + len(verified.questions) == len(questions) + len(spoilt)
    assert set(verified.questions) <= {*questions, *spoilt}


def question(text="Why does Mara go to sea?", answer="Her friend is lost.", choices=(), **changes):
    proof = FrameRange(1, 2)
    plain = Question(QuestionKind.PLOT, "why", text, answer, proof, "scene", tuple(choices), Difficulty.MEDIUM)
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        ({"text": ""}, "is empty"),
        ({"text": "Tell me."}, 'does not end with "?"'),
        ({"answer": "  "}, "has an empty answer"),
        ({"answer": "The <video> shows it."}, 'holds the forbidden text "<video>"'),
        ({"text": "What does the user: want?"}, 'holds the forbidden text "USER:"'),
        ({"answer": "word " * 61}, "has an answer of more than 60 words"),
        ({"answer": "A.", "choices": ("A.", "</s>", "B.", "C.")}, "has a choice that cannot be used"),
        ({"answer": "A.", "choices": ("B.", "C.", "D.", "E.")}, "does not have its answer once among its choices"),
        ({"answer": "A.", "choices": ("A.", "A.", "B.", "C.")}, "does not have its answer once among its choices"),
        ({}, ""),
        ({"answer": "A.", "choices": ("B.", "A.", "C.", "D.")}, ""),
    ],
)
def test_pairs_that_trainers_cannot_use(spoilt, why):
    assert misshapen(question(**spoilt)) == why


@pytest.mark.parametrize(
    ("text", "answer", "given"),
    [
        ("What does Mara do when she finds the letter?", "She finds the letter.", True),
        ("What does Mara do in the house?", "Mara finds the letter.", False),
        ('To whom does Tom say "Stay, Mara!"?', "Tom says it to Mara.", True),
        ('To whom does Tom say "Stay!"?', "Tom says it to Mara.", False),
    ],
)
def test_questions_that_say_their_answer(text, answer, given):
    assert gives_away(question(text, answer)) is given


@pytest.mark.parametrize(
    ("text", "answer", "choices", "found"),
    [
        ("Does Mara go home?", "Yes.", (), True),
        ("Does Mara go home or to sea, and why?", "To sea.", (), False),
        (
            "Why?",
            "Because she has waited for so long.",
            ("Because she has waited for so long.", "No.", "So.", "It."),
            True,
        ),
        (
            "Why?",
            "Because it rains.",
            ("Because it rains.", "By ship, slowly.", "By night, alone.", "By sea, alone."),
            True,
        ),
        (
            "Why?",
            "Because it rains.",
            ("Because it rains.", "Because she can.", "Because he left.", "Because of it."),
            False,
        ),
        (
            "Why does she carry the red lantern home?",
            "She needs the red lantern home.",
            ("She needs the red lantern home.", "She has lost her own friend.", "She is angry with him.", "She waits."),
            True,
        ),
    ],
)
def test_what_can_be_guessed_by_the_wording(outline, text, answer, choices, found):
    assert guessable(question(text, answer, choices), outline) is found


def test_a_line_that_names_everybody_else_tells_its_speaker(outline):
    said = question('Who says "Good night, Tom."?', "Mara says it.", kind=QuestionKind.DIALOGUE, category="speaker")
    assert guessable(said, outline)
    assert not guessable(replace(said, question='Who says "Good night."?'), outline)


def test_events_that_name_their_own_place_in_time(outline):
    last = question("Which of these happens last: a; b?", "Last of all, the journey ends.")
    last = replace(last, kind=QuestionKind.TEMPORAL, category="last")
    assert guessable(last, outline)
    assert not guessable(replace(last, answer="Last of all, Mara sings."), outline)

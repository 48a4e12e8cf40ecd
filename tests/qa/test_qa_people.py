"""Questions about people, what they do in single frames, what they say, and for how long."""

from dataclasses import replace

import pytest

from moviellm.movie import Character, CharacterRole, Difficulty, Frame, FrameRange, Line, QuestionKind, Scene
from moviellm.qa.facts.fact_asker import FactAsker, Limits

MARA, TOM, IDA = "Mara", "Tom", "Ida"
FRAMES = (
    ("Mara is thinking with a calm face on the beach at dawn, wide shot", (MARA,)),
    ("Mara and Tom are talking with sad faces on the beach at dawn", (MARA, TOM)),
    ("Mara is holding a letter with a happy face on the beach at dawn", (MARA,)),
    ("Mara is thinking with a sad face on the beach at dawn", (MARA,)),
    ("Tom is waving with a surprised face on the beach at dawn", (TOM,)),
)
LINES = (
    Line(1, MARA, "Nobody has been here for days."),
    Line(2, TOM, "What are you looking for?"),
    Line(3, MARA, "For something that the sea has kept."),
    Line(3, MARA, "Here it is, a letter!"),
    Line(5, TOM, "Wait for me there."),
)


@pytest.fixture
def scene():
    frames = tuple(Frame(number, text, who) for number, (text, who) in enumerate(FRAMES, 1))
    return Scene(1, 1, frames, LINES)


@pytest.fixture
def cast(outline):
    """Three people with appearances."""
    return replace(
        outline,
        characters=(
            Character(MARA, CharacterRole.MAIN, "a young woman with long red hair in a green dress", "green", "keeper"),
            Character(TOM, CharacterRole.MAIN, "an old man with short white hair in a blue coat", "blue", "archivist"),
            Character(IDA, CharacterRole.SUPPORTING, "a girl with black hair in a red coat", "red", "fisher"),
        ),
    )


@pytest.fixture
def ask(cast, chapters, shape):
    async def asked(scene, *kinds, choice_share=0.0, seed=1):
        asker = FactAsker(limits=Limits(1000, 1000, 1000, 1000), choice_share=choice_share)
        found = await asker.ask_scene(cast, chapters[0], scene, shape, seed)
        return [question for question in found.questions if question.kind in kinds]

    return asked


def proofs(questions, category):
    """Answers with the first and last frame of their evidence."""
    return {q.answer: (q.evidence.first, q.evidence.last) for q in questions if q.category == category}


async def test_who_is_seen_has_the_shortest_proof(ask, scene):
    asked = await ask(scene, QuestionKind.CHARACTER)
    assert proofs(asked, "presence") == {"Mara and Tom are seen.": (2, 2)}


async def test_faces_are_asked_where_one_frame_alone_shows_the_doing(ask, scene):
    asked = await ask(scene, QuestionKind.CHARACTER)
    assert proofs(asked, "expression") == {
        "Mara and Tom look sad.": (2, 2),
        "Mara looks happy.": (3, 3),
        "Tom looks surprised.": (5, 5),
    }
    assert not any("thinking" in question.question for question in asked if question.category == "expression")
    assert {question.difficulty for question in asked} == {Difficulty.EASY}


async def test_what_is_held_and_what_is_done_first(ask, scene):
    asked = await ask(scene, QuestionKind.CHARACTER)
    assert proofs(asked, "object") == {"Mara holds a letter.": (3, 3)}
    assert proofs(asked, "action") == {"Mara is thinking.": (1, 1)}


async def test_two_things_held_make_no_question(ask, scene):
    more = replace(scene.frames[3], description="Mara is reading a book with a sad face on the beach at dawn")
    asked = await ask(replace(scene, frames=(*scene.frames[:3], more, scene.frames[4])), QuestionKind.CHARACTER)
    assert proofs(asked, "object") == {}


async def test_descriptions_in_other_words_make_no_questions_about_single_frames(ask, scene):
    told = tuple(replace(frame, description=f"{' and '.join(frame.characters)} by the sea") for frame in scene.frames)
    asked = await ask(replace(scene, frames=told), QuestionKind.CHARACTER)
    assert {question.category for question in asked} == {"presence"}


async def test_frames_are_counted(ask, scene):
    asked = await ask(scene, QuestionKind.TEMPORAL)
    assert proofs(asked, "duration") == {
        "Mara is seen alone for 3 frames.": (1, 5),
        "Tom is seen alone for 1 frame.": (1, 5),
        "Mara and Tom are seen together for 1 frame.": (1, 5),
    }


async def test_a_count_that_the_descriptions_contradict_is_dropped(ask, scene):
    hidden = replace(scene.frames[3], description="The empty beach at dawn")
    asked = await ask(replace(scene, frames=(*scene.frames[:3], hidden, scene.frames[4])), QuestionKind.TEMPORAL)
    assert "Mara is seen alone for 3 frames." not in proofs(asked, "duration")
    assert "Tom is seen alone for 1 frame." in proofs(asked, "duration")


async def test_who_says_what_to_whom_where_two_are_present(ask, scene):
    asked = await ask(scene, QuestionKind.DIALOGUE)
    said = {question.question: question for question in asked if question.category == "speaker"}
    question = next(question for text, question in said.items() if "Wait for me there." in text)
    assert question.answer == "Tom says it to Mara."
    assert question.evidence == FrameRange(5, 5)
    assert "Tom says it to Mara." in proofs(asked, "listener")


async def test_to_whom_is_not_said_where_three_are_present(ask, scene):
    third = Frame(5, "Ida is waving with a calm face on the beach at dawn", (IDA,))
    asked = await ask(replace(scene, frames=(*scene.frames[:4], third)), QuestionKind.DIALOGUE)
    assert proofs(asked, "listener") == {}
    assert {question.answer for question in asked if question.category == "speaker"} == {
        "Mara says it.",
        "Tom says it.",
    }


async def test_what_is_answered_and_what_is_said_meanwhile(ask, scene):
    asked = await ask(scene, QuestionKind.DIALOGUE)
    lines = {question.question: question for question in asked if question.category == "line"}
    reply = next(item for text, item in lines.items() if "Mara say right after Tom says" in text)
    assert reply.answer == 'Mara says: "For something that the sea has kept."'
    assert reply.evidence == FrameRange(2, 3)
    again = next(item for text, item in lines.items() if "right after saying" in text)
    assert again.answer == 'Mara says: "Here it is, a letter!"'
    meanwhile = next(item for text, item in lines.items() if "while Tom is waving" in text)
    assert (meanwhile.answer, meanwhile.evidence) == ('Tom says: "Wait for me there."', FrameRange(5, 5))
    assert not any("while Mara is holding a letter" in text for text in lines), "two lines are said there"


async def test_a_line_that_is_said_twice_is_left_out(ask, scene):
    twice = (*LINES[:4], replace(LINES[1], after_frame=5))
    asked = await ask(replace(scene, dialogue=twice), QuestionKind.DIALOGUE)
    assert not any("What are you looking for?" in question.question for question in asked)


async def test_quotation_marks_within_a_line_do_not_break_the_question(ask, scene):
    lines = (replace(LINES[0], text='They call it "the end" here.'), *LINES[1:])
    asked = await ask(replace(scene, dialogue=lines), QuestionKind.DIALOGUE)
    assert any("\"They call it 'the end' here.\"" in question.question for question in asked)


async def test_choices_are_lines_of_the_same_scene(ask, scene):
    lines = (*LINES[:3], Line(4, MARA, "It smells of salt and tar."), LINES[4])
    for seed in range(6):
        asked = await ask(replace(scene, dialogue=lines), QuestionKind.DIALOGUE, choice_share=1.0, seed=seed)
        for question in asked:
            if question.choices:
                assert set(question.choices) <= {line.text for line in lines}
                assert question.answer in question.choices


async def test_who_somebody_is_and_what_they_look_like(cast, chapters, shape, scene):
    asker = FactAsker(limits=Limits(1000, 1000, 1000, 1000), choice_share=0.0)
    known = (await asker.ask_movie(cast, shape, 1)).questions
    answers = {question.answer for question in known if question.kind is QuestionKind.CHARACTER}
    assert {
        "Mara is a keeper, one of the main characters.",
        "Ida is a fisher, a supporting character.",
        "Tom is an archivist.",
    } <= answers
    places = {1: ("beach", "lighthouse"), 2: ("library", "ship deck")}
    scenes = tuple(
        replace(
            scene,
            chapter=chapter,
            number=number,
            frames=tuple(
                replace(frame, description=frame.description.replace("beach", places[chapter][number - 1]))
                for frame in scene.frames
            ),
        )
        for chapter in (1, 2)
        for number in (1, 2)
    )
    seen = (await asker.ask_order(cast, chapters, shape, 1, (), scenes)).questions
    looks = {q.answer: q.evidence for q in seen if q.kind is QuestionKind.CHARACTER}
    assert looks["Mara wears a green dress."] == FrameRange(1, 1)
    assert looks["Tom is an old man with short white hair in a blue coat."] == FrameRange(5, 5)
    assert looks["Mara has red hair."] == FrameRange(1, 1)
    assert not any("Ida" in answer for answer in looks), "nobody sees her"
    assert {q.answer for q in seen if q.category == "duration"} == {
        'The chapter "The Bottle" is on the beach for 5 frames.',
        'The chapter "The Bottle" is at the lighthouse for 5 frames.',
        'The chapter "The Map" is in the library for 5 frames.',
        'The chapter "The Map" is on the ship deck for 5 frames.',
    }

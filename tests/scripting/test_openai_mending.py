"""What a program mends of a language model's replies, rule by rule, and that no reply of any form breaks it."""

import json
import random

import pytest

from moviellm import errors
from moviellm.llm.reply import NothingUsable, Reply, Unusable
from moviellm.movie import Chapter, Character, CharacterRole, ScenePlan
from moviellm.scripting.by_model import prompts, reply_samples
from moviellm.scripting.by_model.chapter_level import ChapterLevel
from moviellm.scripting.by_model.mending import rightly_named
from moviellm.scripting.by_model.openai_writer import OpenAIWriter
from moviellm.scripting.by_model.outline_level import OutlineLevel
from moviellm.scripting.by_model.persistence import most_completions
from moviellm.scripting.by_model.scene_level import SceneLevel
from moviellm.scripting.checker import rules
from moviellm.scripting.storyteller import chapter as chapters
from moviellm.scripting.storyteller import outline as outlines
from moviellm.scripting.storyteller import scene as scenes
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

OUTLINE = {
    "title": "The Keeper's Light",
    "overview": "Dr. Clara Whitfield, a marine biologist, comes to {location} and meets Tom Hale, the keeper.",
    "style": {"keyword": "Neo Noir", "phrases": ["rain-slick streets"], "adjectives": ["moody"]},
    "locations": ["Old Lighthouse Tower", "The Harbor", "Clara's Cabin", "beach", "Harbor", "Fish Market", "Town Hall"],
    "characters": [
        {
            "name": "Dr. Clara Whitfield",
            "aliases": ["Clara", "the doctor", "Doc"],
            "role": "protagonist",
            "appearance": "Clara is a woman who looks like Emma Stone, with auburn hair and a yellow raincoat",
            "clothing_color": "Yellow",
            "occupation": "Marine biologist",
        },
        {
            "name": "Tom Hale",
            "role": "main",
            "appearance": "a tall old man in a yellow coat",
            "clothing_color": "yellow",
        },
        {"name": "Mayor Briggs", "role": "antagonist", "appearance": "a stout man in a grey suit"},
        {"name": "Lily", "role": "supporting", "appearance": "a little girl in a red dress", "clothing_color": "red"},
    ],
    "chapters": [
        {
            "title": "Arrival",
            "locations": ["Old Lighthouse Tower", "the harbor"],
            "content": "Clara arrives at the harbor. Tom shows her the lighthouse tower.",
            "facts": [
                {"who": "Clara Whitfield", "deed": "arrive", "reason": "because of the whales", "place": "The Harbor"},
                {"who": "The town", "deed": "watch"},
            ],
            "after": "Clara knows Tom.",
        },
        {
            "title": "",
            "locations": ["Attic room of the house"],
            "content": "Briggs wants it torn down.",
            "before": "No.",
        },
        {"content": "They save the lighthouse together.", "before": "No."},
        {"title": "One too many", "content": "Everybody goes home."},
    ],
}
FRAMES = [
    {"description": "Frame 1: Dr. Whitfield stands on the beach looking worried.", "characters": ["Clara"]},
    {"description": "TOM HALE holds a lantern with a stern face in the {location}.", "characters": ["Tom Hale"]},
    {"description": "She smiles at him in the lighthouse tower", "characters": ["Clara", "Tom"]},
    {"description": "An image of waves crashing against the rocks below.", "characters": ["Tom"]},
    {
        "description": "Clara and Tom shake hands, then they walk up the stairs of the lighthouse tower",
        "characters": [],
    },
    {
        "description": "Clara stands with a calm face in the ancient, enormous, weather-beaten lighthouse tower while "
        "wonderful golden evening light streams through innumerable narrow dusty windows and screaming seagulls circle "
        "endlessly outside above the churning, foaming, greyish-green and utterly merciless northern sea, wide shot",
        "characters": ["Clara"],
    },
    {"description": "Tom is waving with a happy face in the lighthouse tower", "characters": ["Tom"]},
]
LINES = [
    {"after_frame": 5, "speaker": "CLARA", "text": '"Is this where you live?"'},
    {"after_frame": "frame 2", "speaker": "Hale", "text": "TOM: For forty years. <image>"},
    {"after_frame": 99, "speaker": "Briggs", "text": "They do not know what is coming."},
    {"Tom": "Good night."},
]


def outline_of(reply, chapters=3):
    request = OutlineRequest("a biologist and a lighthouse keeper", chapters, 7)
    level = OutlineLevel(request, prompts.chosen(()))
    return level.mended(level.read(reply)), level


def scene_of(frames, lines, wanted=(7, 4)):
    outline, _ = outline_of(OUTLINE)
    chapter = Chapter(1, (ScenePlan(1, "lighthouse tower", "Clara meets Tom."),))
    level = SceneLevel(SceneRequest(outline, chapter, 1, *wanted, seed=7), prompts.chosen(()))
    return level.mended(level.read({"frames": frames, "dialogue": lines})), level


def rules_of(level):
    return {mend.rule for mend in level.notes.mends}


def test_an_outline_with_every_usual_fault_keeps_all_rules():
    outline, level = outline_of(OUTLINE)
    assert level.flaws(outline) == ()
    clara, tom, briggs = outline.characters
    assert (clara.name, tom.name, briggs.name) == ("Clara", "Tom", "Briggs")
    assert {"Doc", "Clara Whitfield", "Whitfield"} <= set(clara.aliases)
    assert "the doctor" not in clara.aliases
    assert clara.appearance == "a woman, with auburn hair and a yellow raincoat"
    assert tom.clothing_color != clara.clothing_color == "yellow"
    assert (tom.role, briggs.role) == (CharacterRole.MAIN, CharacterRole.SUPPORTING)
    assert outline.style.keyword == "noir"
    assert outline.locations[:3] == ("lighthouse tower", "harbor", "beach")
    assert outline.chapters[0].locations == ("lighthouse tower", "harbor")
    assert outline.chapters[1].locations == ("lighthouse",)
    assert [fact.who for fact in outline.chapters[0].facts] == ["Clara"]
    assert outline.chapters[0].facts[0].reason == "of the whales"
    assert outline.chapters[1].before == outline.chapters[0].after == "Clara knows Tom."
    assert outline.chapters[1].title
    assert outline.chapters[2].content == "Everybody goes home."
    assert rules_of(level) <= {rule.name for rule in rules.RULES}
    assert {"chapters-counted", "cast-size", "appearance-invented", "clothing-differs", "chapters-join"} <= rules_of(
        level
    )


def test_a_scene_with_every_usual_fault_keeps_all_rules():
    scene, level = scene_of(FRAMES, LINES)
    assert level.flaws(scene) == ()
    told = [frame.description for frame in scene.frames]
    assert told[0] == "Clara stands in the lighthouse tower looking worried."
    assert told[1] == "Tom Hale holds a lantern with a stern face in the lighthouse tower."
    assert told[2] == "Clara smiles at Tom in the lighthouse tower"
    assert told[3] == "In the lighthouse tower, waves crashing against the rocks below."
    assert told[4].startswith("Clara and Tom shake hands") or told[4].startswith(
        "In the lighthouse tower, Clara and Tom"
    )
    assert "walk" not in told[4]
    assert told[5].startswith("Clara stands with a calm face in the")
    assert [frame.characters for frame in scene.frames[:4]] == [("Clara",), ("Tom",), ("Clara", "Tom"), ()]
    assert [(line.after_frame, line.speaker) for line in scene.dialogue][:2] == [(2, "Tom"), (5, "Clara")]
    assert {line.text for line in scene.dialogue} >= {"Is this where you live?", "For forty years.", "Good night."}
    assert all(line.speaker in ("Clara", "Tom") for line in scene.dialogue)
    assert rules_of(level) <= {rule.name for rule in rules.RULES}
    assert {"frame-window", "frame-moment", "frame-aliases", "dialogue-speaker", "dialogue-placed"} <= rules_of(level)


def test_a_name_that_is_a_word_is_not_found_everywhere():
    rose = Character("Rose", CharacterRole.MAIN, "a woman in a red coat", "red", aliases=("Rose Hill",))
    assert rightly_named("ROSE HILL holds a rose", (rose,)) == "Rose Hill holds a rose"
    assert rightly_named("rose hill is sitting", (rose,)) == "Rose Hill is sitting"
    assert rightly_named("Rose Rose is sitting", (rose,)) == "Rose is sitting"


def test_what_a_program_cannot_mend_is_a_flaw_of_its_piece():
    frames = [*FRAMES[:3], {"description": "Dmitri runs in the lighthouse tower.", "characters": []}]
    frames += [FRAMES[6]] * 3
    scene, level = scene_of(frames, LINES[:3])
    found = {flaw.piece: flaw.breach.rule for flaw in level.flaws(scene)}
    assert found == {"frame 4": "frame-aliases", "frame 7": "frames-alike", "line 4": "dialogue-counted"}
    reduced = level.reduced(scene, "frame 7")
    assert "frame 7" not in {flaw.piece for flaw in level.flaws(reduced)}
    assert "waving" in reduced.frames[6].description


def test_too_many_frames_and_lines_are_left_out_evenly():
    frames = [{"description": f"Tom is waving with a happy face in the lighthouse tower, view {n}"} for n in range(9)]
    lines = [{"after_frame": n + 1, "speaker": "Tom", "text": f"Line {n} it is."} for n in range(9)]
    scene, level = scene_of(frames, lines, wanted=(3, 3))
    assert [frame.description[-1] for frame in scene.frames] == ["0", "4", "8"]
    assert [line.text for line in scene.dialogue] == ["Line 0 it is.", "Line 4 it is.", "Line 8 it is."]
    assert level.flaws(scene) == ()


def test_mending_what_is_mended_changes_nothing():
    scene, level = scene_of(FRAMES, LINES)
    assert level.mended(scene) == scene
    outline, level = outline_of(OUTLINE)
    assert level.mended(outline) == outline


@pytest.mark.parametrize("seed", range(4))
def test_no_reply_of_any_form_breaks_the_reader(seed):
    """Good replies with fields dropped, renamed, doubled, emptied or of another type: a draft or Unusable, no more."""
    rng = random.Random(seed)
    outline_request = OutlineRequest("a duchess and a commoner", 2, seed)
    outline = outlines.write(outline_request)
    chapter_request = ChapterRequest(outline, 1, 3, seed)
    chapter = chapters.write(chapter_request)
    scene_request = SceneRequest(outline, chapter, 2, 4, 3, seed)
    scene = scenes.write(scene_request)
    drafts = 0
    for _ in range(60):
        for level, good in (
            (OutlineLevel(outline_request, prompts.chosen(())), outline),
            (ChapterLevel(chapter_request, prompts.chosen(())), chapter),
            (SceneLevel(scene_request, prompts.chosen(())), scene),
        ):
            value = json.loads(reply_samples.as_reply(good))
            for _ in range(rng.randint(1, 6)):
                value = spoilt(value, rng)
            try:
                draft = level.mended(level.read(value if isinstance(value, dict) else {"it": value}))
            except Unusable:
                continue
            drafts += 1
            assert all(flaw.piece in level.pieces(draft) for flaw in level.flaws(draft)), level.flaws(draft)
    assert drafts > 40


def spoilt(value, rng):
    """The value with something in it changed."""
    junk = [
        None,
        0,
        -7,
        1e99,
        True,
        "",
        "{name}",
        "x" * 3000,
        "\x00\ud800\n",
        [],
        [[]],
        {},
        {"a": {"b": []}},
        "<image>",
        "Tom",
    ]
    if isinstance(value, dict) and value and rng.random() < 0.97:
        key = rng.choice(sorted(value))
        changed = dict(value)
        match rng.randint(0, 5):
            case 0:
                changed.pop(key)
            case 1:
                changed[key] = rng.choice(junk)
            case 2:
                changed[key.upper()] = changed.pop(key)
            case 3:
                changed[key] = [changed[key]]
            case _:
                changed[key] = spoilt(changed[key], rng)
        return changed
    if isinstance(value, list) and value and rng.random() < 0.95:
        index = rng.randrange(len(value))
        changed = list(value)
        match rng.randint(0, 4):
            case 0:
                changed.pop(index)
            case 1:
                changed.insert(index, rng.choice(junk))
            case 2:
                changed.append(changed[index])
            case _:
                changed[index] = spoilt(changed[index], rng)
        return changed
    return rng.choice(junk)


class Babbler:
    """A chat whose model answers anything: good parts with faults, sentences of any kind, and nothing."""

    model = "babbler"

    def __init__(self, good, seed):
        self._good = json.loads(reply_samples.as_reply(good))
        self._rng = random.Random(seed)
        self.replies = 0

    async def ask(self, schema, system, user, read, *, attempts, bill, **_):
        for _ in range(attempts):
            self.replies += 1
            try:
                return Reply(read(self._reply(schema["title"])), 1, 1)
            except Unusable as error:
                reason = str(error)
        raise NothingUsable("no usable reply", why=reason, bill=bill)

    def _reply(self, title):
        if title == "OneReply":
            return {"text": self._sentence()}
        if title == "AgainReply":
            pieces = [f"{kind} {n}" for kind in ("frame", "line", "scene", "chapter") for n in range(1, 5)]
            return {"parts": [{"where": piece, "text": self._sentence()} for piece in (*pieces, "overview")]}
        value = self._good
        for _ in range(self._rng.randint(2, 12)):
            value = spoilt(value, self._rng)
        return value if isinstance(value, dict) else {}

    def _sentence(self):
        words = (
            "she he they {name} runs then Tom the garden a man with happy face <image> ASSISTANT: sits in . , looks {x}"
        )
        return " ".join(self._rng.choice(words.split()) for _ in range(self._rng.randint(0, 14)))


async def told(writing):
    try:
        return await writing, ""
    except errors.MovieLLMError as error:
        return None, error.message


@pytest.mark.parametrize("seed", range(8))
async def test_babble_ends_in_a_part_by_the_rules_or_in_an_error_within_the_bound(seed):
    outline_request = OutlineRequest("a duchess and a commoner", 2, seed)
    outline = outlines.write(outline_request)
    chapter_request = ChapterRequest(outline, 1, 3, seed)
    chapter = chapters.write(chapter_request)
    scene_request = SceneRequest(outline, chapter, 2, 4, 3, seed)
    scene = scenes.write(scene_request)
    for level, request, good, pieces, breaches in (
        ("outline", outline_request, outline, 4, rules.breaches_of_outline),
        ("chapter", chapter_request, chapter, 3, rules.breaches_of_chapter),
        ("scene", scene_request, scene, 7, rules.breaches_of_scene),
    ):
        chat = Babbler(good, seed)
        written, error = await told(getattr(OpenAIWriter(chat=chat), level)(request))
        if written is None:
            assert any(rule.name in error for rule in rules.RULES), error
        else:
            assert breaches(written.value, request) == ()
        assert chat.replies <= most_completions(pieces)

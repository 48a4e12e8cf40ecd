"""Plots that requesters bring: three layouts, every defect mended and listed, or refused by its path."""

import asyncio
import copy
import json
import os
import random
from dataclasses import asdict, replace

import pytest
from published_story import CLARA, published, story

from moviellm.errors import InvalidInput
from moviellm.movie import QuestionKind, Shape, drawn
from moviellm.scripting.checker import rules
from moviellm.scripting.own_plot.import_frames import without_prefix
from moviellm.scripting.own_plot.imported_plot import ImportRequest, import_plot
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

ANY = Shape(0, 0, 0)


def imported(plot, shape=ANY, theme="a duchess and a commoner", seed=3, **more):
    data = plot if isinstance(plot, bytes) else json.dumps(plot).encode()
    return import_plot(ImportRequest(data, theme, shape, seed, **more))


def breaches(plot, request_theme="a duchess and a commoner", seed=3):
    """Everything that is wrong with an imported plot."""
    outline, shape = plot.outline, plot.shape
    found = list(rules.breaches_of_outline(outline, OutlineRequest(request_theme, shape.chapters, seed)))
    chapters = {chapter.number: chapter for chapter in plot.chapters}
    for number, chapter in chapters.items():
        found += rules.breaches_of_chapter(chapter, ChapterRequest(outline, number, shape.scenes, seed))
    for scene in plot.scenes:
        request = SceneRequest(outline, chapters[scene.chapter], scene.number, shape.frames, len(scene.dialogue), seed)
        found += rules.breaches_of_scene(scene, request)
    return found


def rules_of(plot):
    return {mend.rule for mend in plot.mends}


def written(chapters=2, scenes=2, frames=3, lines=2):
    """A script of the storyteller as a requester would send it."""

    async def write():
        teller = Storyteller()
        outline = (await teller.outline(OutlineRequest("a lighthouse keeper who finds a message", chapters, 5))).value
        plans, told = [], []
        for number in range(1, chapters + 1):
            plans.append((await teller.chapter(ChapterRequest(outline, number, scenes, number))).value)
            for scene in range(1, scenes + 1):
                told.append((await teller.scene(SceneRequest(outline, plans[-1], scene, frames, lines, scene))).value)
        return outline, plans, told

    outline, plans, told = asyncio.run(write())
    script = {
        "outline": asdict(outline),
        "chapters": [asdict(plan) for plan in plans],
        "scenes": [asdict(scene) for scene in told],
    }
    return json.loads(json.dumps(script))


def test_a_published_story_comes_out_clean():
    plot = imported(published(121))
    assert breaches(plot) == []
    assert plot.shape == Shape(4, 5, 6)
    assert len(plot.chapters) == 4
    assert len(plot.scenes) == 20
    assert plot.outline.style.keyword == "gothic"
    assert {"harbor", "grand hall", "market", "library", "garden"} <= set(plot.outline.locations)
    texts = json.dumps([asdict(plot.outline), [asdict(scene) for scene in plot.scenes]])
    assert "Moonlight" not in texts
    assert "Star" not in texts
    for scene in plot.scenes:
        for frame in scene.frames:
            prompt = drawn(frame.description, plot.outline.characters)
            assert not any(word in prompt for word in ("Clara", "Whitfield", "Lady", "Edmund", "image on"))
    assert {"frame-aliases", "frame-plain", "frame-names-location", "appearance-invented", "frames-alike"} <= rules_of(
        plot
    ) | {"frames-alike"}
    assert {mend.was for mend in plot.mends if mend.rule == "dialogue-speaker"} >= {"Mrs. Whitfield"}


def test_a_story_of_the_papers_size_keeps_every_frame():
    plot = imported(published(1331))
    assert plot.shape == Shape(11, 11, 11)
    assert len(plot.scenes) == 121
    assert breaches(plot) == []
    assert not any(mend.rule == "frames-counted" for mend in plot.mends)


def test_alike_neighbours_are_seen_from_another_distance():
    told = [["frame", f"{CLARA} is standing with a calm face in the garden"]] * 6
    plot = imported(story(1) | {"img_diag": told}, Shape(1, 1, 6))
    texts = [frame.description for frame in plot.scenes[0].frames]
    assert breaches(plot) == []
    assert len(set(texts)) > 1
    assert "frames-alike" in rules_of(plot)


def test_a_story_is_grouped_as_asked_and_what_is_left_over_is_listed():
    plot = imported(published(100), Shape(2, 3, 5))
    assert plot.shape == Shape(2, 3, 5)
    assert len(plot.scenes) == 6
    left_out = [mend for mend in plot.mends if mend.rule == "frames-counted"]
    assert len(left_out) == 70
    assert breaches(plot) == []


def test_a_story_that_is_shorter_than_asked_leaves_the_rest_to_be_written():
    plot = imported(published(20), Shape(3, 3, 6))
    assert [(scene.chapter, scene.number) for scene in plot.scenes] == [(1, 1), (1, 2), (1, 3), (2, 1)]
    assert [chapter.number for chapter in plot.chapters] == [1, 2]
    assert len(plot.outline.chapters) == 3
    invented = [mend for mend in plot.mends if mend.rule == "invented" and mend.where.startswith("chapter 2, scene 1")]
    assert len(invented) == 4
    assert breaches(plot) == []


def test_questions_get_a_kind_and_evidence():
    plot = imported(published(121))
    kinds = [question.kind for question in plot.questions]
    assert kinds == [QuestionKind.OVERVIEW, QuestionKind.TEMPORAL, QuestionKind.PLOT]
    overview, _, held = plot.questions
    assert (overview.evidence.first, overview.evidence.last) == (1, plot.shape.total_frames)
    frames = {
        plot.shape.frame_number(scene.chapter, scene.number, frame.number): frame.description
        for scene in plot.scenes
        for frame in scene.frames
    }
    assert any(
        "garden" in frames[number] and "letter" in frames[number]
        for number in range(held.evidence.first, held.evidence.last + 1)
    )
    assert all(question.category == "imported" and question.level == "movie" for question in plot.questions)
    assert {"question-whole", "question-repeated"} <= rules_of(plot)


@pytest.mark.parametrize(
    "characters",
    [
        {"Clara": "a young woman in a red dress", "Edmund": "an old man in a blue coat"},
        [{"name": "Clara", "appearance": "a young woman in a red dress"}, {"name": "Edmund"}],
        ["Clara: a young woman in a red dress", "Edmund: an old man in a blue coat"],
        "Clara: a young woman in a red dress\nEdmund: an old man in a blue coat",
        {"Clara": {"appearance": "a young woman in a red dress", "color": "red"}, "Edmund": None},
    ],
)
def test_characters_may_be_told_in_many_ways(characters):
    plot = imported(story(12) | {"character": characters})
    assert [one.name for one in plot.outline.characters] == ["Clara", "Edmund"]
    assert plot.outline.characters[0].appearance == "a young woman in a red dress"
    assert breaches(plot) == []


@pytest.mark.parametrize(
    "told",
    [
        [["frame", "{} in the garden"], ["dialogue", "Clara: Here."], ["Frame ", "{} in the market"]],
        [["image", "{} in the garden"], ["dialogues", ["Clara: Here."]], ["frame_2", "{} in the market"]],
        [{"frame": "{} in the garden"}, {"dialogue": "Clara: Here."}, {"frame": "{} in the market"}],
        [{"frame": "{} in the garden", "dialogue": "Clara: Here."}, {"frame": "{} in the market"}],
        [{"type": "frame", "text": "{} in the garden"}, {"type": "line", "text": "Clara: Here."},
         {"type": "frame", "text": "{} in the market"}],
        [[["frame", "{} in the garden"], ["dialogue", {"speaker": "Clara", "text": "Here."}]],
         [["frame", "{} in the market"]]],
    ],
)  # fmt: skip
def test_frames_and_lines_may_be_told_in_many_ways(told):
    text = json.dumps(told).replace("{}", "Clara is standing with a calm face")
    plot = imported({"character": {"Clara": "a woman in a red dress"}, "img_diag": json.loads(text)}, Shape(1, 1, 2))
    assert breaches(plot) == []
    assert plot.scenes[0].frames[0].description == "Clara is standing with a calm face in the garden"
    assert [(line.after_frame, line.speaker, line.text) for line in plot.scenes[0].dialogue] == [(1, "Clara", "Here.")]


@pytest.mark.parametrize(
    "questions",
    [
        [{"Question": "What is in the garden?", "Answer": "Clara."}],
        [{"q": "What is in the garden?", "a": "Clara."}],
        [["What is in the garden?", "Clara."]],
        {"overview_qa": [{"Q": "What is in the garden?", "A": "Clara."}], "plot_qa": []},
        {"Question": "What is in the garden?", "Answer": "Clara."},
    ],
)
def test_questions_may_be_told_in_many_ways(questions):
    (question,) = imported(story(12) | {"QA": questions}).questions
    assert (question.question, question.answer) == ("What is in the garden?", "Clara.")


def test_a_clean_script_passes_unchanged():
    script = written()
    plot = imported(script, theme="a lighthouse keeper who finds a message")
    outline = json.loads(json.dumps(asdict(plot.outline)))
    assert outline == script["outline"] | {"chapters": outline["chapters"]}
    assert json.loads(json.dumps([asdict(scene) for scene in plot.scenes])) == script["scenes"]
    assert not {mend.rule for mend in plot.mends} - {"invented"}


def test_a_script_may_have_gaps_at_every_level():
    script = written(3, 3, 4)
    del script["chapters"][1]
    script["scenes"] = script["scenes"][:4]
    script["scenes"][1]["frames"] = script["scenes"][1]["frames"][:2]
    del script["outline"]["chapters"][2], script["outline"]["style"], script["outline"]["title"]
    script["outline"]["locations"] = script["outline"]["locations"][:4]
    plot = imported(script, Shape(3, 3, 4))
    assert breaches(plot) == []
    assert len(plot.outline.chapters) == 3
    assert {"invented", "locations-enough"} <= rules_of(plot)


@pytest.mark.parametrize(
    "outline",
    [
        {"title": "The Lamp"},
        {"overview": "Clara looks for her brother in the mountains."},
        {"title": "The Lamp", "chapters": ["Clara finds a lamp in the attic.", "Clara lights it at the harbor."]},
        {"characters": [{"name": "Clara"}], "chapters": [{"title": "One", "content": "Clara is alone in the garden."}]},
        {"locations": ["The Old Mill", "Clara's house", "castle", "castle"], "characters": ["Clara"]},
        {"characters": [{"name": name} for name in ("Ann", "Bob", "Cyd", "Dan", "Eve")], "overview": "Eve and Ann."},
        {"style": "dark ink", "title": "The Well"},
    ],
)  # fmt: skip
def test_an_outline_may_lack_almost_everything(outline):
    plot = imported(outline, Shape(3, 0, 0))
    assert breaches(plot) == []
    assert len(plot.outline.chapters) == 3
    assert plot.outline.title == outline.get("title", plot.outline.title)
    assert plot.outline.overview == outline.get("overview", plot.outline.overview)
    assert plot.mends


def test_no_real_faces():
    for look in (
        "a woman who looks like Grace Kelly in a white dress",
        "resembles Tom Hanks, brown hair",
        "played by Meryl Streep",
        "Marilyn Monroe in a red dress",
    ):
        plot = imported({"characters": [{"name": "Clara", "appearance": look}]})
        appearance = plot.outline.characters[0].appearance
        assert not any(word in appearance for word in look.split() if word[:1].isupper())
        assert "appearance-invented" in rules_of(plot)


@pytest.mark.parametrize(
    ("data", "field", "allowed"),
    [
        (b"", "plot", "must be JSON"),
        (b"{", "plot", "line 1"),
        (b"[]", "plot", "must be a JSON object"),
        (b'{"title": NaN}', "plot", "must be JSON"),
        (b"\xff\xfe", "plot", "UTF-8"),
        (b"{}", "plot", "outline"),
        (b'{"a": 1}', "plot", "outline"),
        (b" " * (8 * 1024 * 1024 + 1), "plot", "8 MiB"),
        (b'{"title":' + b"[" * 5000 + b"]" * 5000 + b"}", "plot", "levels deep"),
        (b'{"title":' + b"9" * 9999 + b"}", "plot", "JSON"),
        (b'{"title": ["a", "b"]}', "plot.title", "must be text"),
        (b'{"title": true}', "plot.title", "must be text"),
        (b'{"chapters": 3}', "plot.chapters", "must be a list"),
        (b'{"chapters": [{"title": {}}]}', "plot.chapters[0].title", "must be text"),
        (b'{"chapters": [3]}', "plot.chapters[0]", "must be an object"),
        (b'{"scenes": [{"frames": [7]}]}', "plot.scenes[0].frames[0]", "must be an object"),
        (b'{"scenes": [{"chapter": "two"}]}', "plot.scenes[0].chapter", "whole number"),
        (b'{"img_diag": []}', "plot.img_diag", "at least one"),
        (b'{"img_diag": [["dialogue", "Clara: hello"]]}', "plot.img_diag", "at least one"),
        (b'{"img_diag": [["music", "a waltz"]]}', "plot.img_diag[0][0]", '"frame" or "dialogue"'),
        (b'{"img_diag": [5]}', "plot.img_diag[0]", '["frame", text]'),
        (json.dumps({"img_diag": [["frame", "a house"]] * 1332}).encode(), "plot.img_diag", "at most 1331"),
        (json.dumps({"scenes": [{"frames": ["a"] * 800}] * 2}).encode(), "plot.scenes", "at most 1331"),
        (json.dumps({"chapters": ["a"] * 65}).encode(), "plot.chapters", "at most 64"),
        (json.dumps({"overview": "long " * 5000}).encode(), "plot.overview", "at most 20000"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_plot_is_refused_by_its_path(data, field, allowed):
    with pytest.raises(InvalidInput) as caught:
        imported(data)
    assert caught.value.field == field
    assert allowed in caught.value.allowed


def test_a_shape_out_of_range_is_refused():
    with pytest.raises(InvalidInput) as caught:
        imported(published(4), Shape(65, 0, 0))
    assert caught.value.field == "shape.chapters"


def test_the_same_plot_is_always_mended_the_same_way():
    assert imported(published(40)) == imported(published(40))
    assert imported(published(40)).outline.characters != imported(published(40), seed=4).outline.characters


CASES = int(os.environ.get("MOVIELLM_TEST_FUZZ_CASES", "300"))

JUNK = (
    None, True, 0, -7, 2**70, 1.5, "", " ", "x", "Clara", "<image>", "ASSISTANT: yes", "{name}", "\x00\x1b[0m",
    "then she", "???", "Clara, Clara Whitfield and Edmund", "爱情故事", "looks like Brad Pitt", "long " * 60, [], {},
    [[]], [None],
    {"name": "Clara"}, ["frame", "a man"], "she is", "The Stranger is walking with the man", "a\u202eb\ud83d", "…",
)  # fmt: skip


def mutated(plot, rng):
    """The plot with one to four places changed, removed, doubled or moved."""
    plot = copy.deepcopy(plot)
    for _ in range(rng.randint(1, 4)):
        node, key = plot, rng.choice(list(plot) or [""])
        while isinstance(node, dict | list) and key in (node if isinstance(node, dict) else range(len(node))):
            child = node[key]
            if not isinstance(child, dict | list) or not child or rng.random() < 0.25:
                break
            node, key = child, rng.choice(list(child) if isinstance(child, dict) else range(len(child)))
        deed = rng.randrange(5)
        if deed == 0:
            del node[key]
        elif deed == 1 and isinstance(node, list):
            node.insert(rng.randrange(len(node) + 1), copy.deepcopy(node[key]))
        elif deed == 2 and isinstance(node, list):
            rng.shuffle(node)
        elif deed == 3 and isinstance(node[key], str):
            node[key] = f"{rng.choice([junk for junk in JUNK if isinstance(junk, str)])} {node[key]}"
        else:
            node[key] = copy.deepcopy(rng.choice(JUNK))
        if not plot:
            break
    return plot


def test_whatever_is_sent_is_refused_or_comes_out_clean():
    rng = random.Random(11)
    script = written(2, 1, 2, 1)
    sources = [story(5), script["outline"], script, {key: script[key] for key in ("chapters", "scenes")}]
    accepted, refused = 0, []
    for case in range(CASES):
        plot = mutated(sources[case % len(sources)], rng)
        data = json.dumps(plot).encode("utf-8", "surrogatepass")
        if case % 10 == 0:
            data = bytes(byte if rng.random() > 0.01 else rng.randrange(256) for byte in data)
        shape = Shape(rng.choice((0, 1, 2)), rng.choice((0, 1)), rng.choice((0, 1, 3)))
        try:
            done = imported(data, shape, seed=case)
        except InvalidInput as error:
            refused.append((error.field, error.allowed))
            continue
        accepted += 1
        assert breaches(done) == [], case
    assert [one for one in refused if not one[0].startswith("plot") or "cannot be mended" in one[1]] == []
    assert accepted > 100


def test_mends_are_bounded():
    bad = [["frame", "image on Bruno is then walking"]] * 1331
    plot = imported({"img_diag": bad, "character": {"Clara": CLARA}})
    assert len(plot.mends) <= 4001
    assert breaches(replace(plot)) == []


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("image on the beach, Anna stands", "on the beach, Anna stands"),
        ("image on Clara standing in the harbor", "Clara standing in the harbor"),
        ("generate an image in Gothic style: On the pier", "On the pier"),
        ("frame 3: image on a hill, Tom", "on a hill, Tom"),
    ],
)
def test_a_prefix_goes_and_a_place_stays(told, kept):
    assert without_prefix(told) == kept

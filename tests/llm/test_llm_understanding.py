"""What a model wrote is understood where its meaning is plain, and said to be unusable where it is not."""

import contextlib
import json

import pytest

from moviellm.llm.reply import Unusable
from moviellm.llm.understanding import understood

ANY = {"title": "any", "type": "object"}
STORY = {
    "title": "story",
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "clothing_color": {"type": "string"},
        "phrases": {"type": "array", "items": {"type": "string"}},
        "role": {"type": "string", "enum": ["main", "supporting"]},
        "year": {"type": "integer"},
        "frames": {"type": "array", "items": {"$ref": "#/$defs/Frame"}},
    },
    "required": ["title", "frames"],
    "additionalProperties": False,
    "$defs": {
        "Frame": {
            "type": "object",
            "properties": {"description": {"type": "string"}, "after_frame": {"type": "integer"}},
            "required": ["description"],
        }
    },
}
FRAME = {"description": "Mara stands on the beach."}


def anything(value):
    return value


def strictly(value):
    """A story with its title and whole frames, nothing else."""
    if not isinstance(value.get("title"), str) or not value.get("frames"):
        raise Unusable("title and frames are needed")
    if any(not isinstance(frame, dict) or not frame.get("description") for frame in value["frames"]):
        raise Unusable("each frame needs a description")
    if unknown := value.keys() - STORY["properties"].keys():
        raise Unusable(f"{sorted(unknown)} are unknown")
    return value


def story(text, **options):
    return understood(text, STORY, strictly, **options)[0]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        ' \n{"a": 1}\n',
        '```json\n{"a": 1}\n```',
        '```\n{"a": 1}```',
        'Here it is {as asked}:\n```json\n{"a": 1}\n```\nAnything else?',
        'Sure! {"a": 1} Enjoy.',
        '<think>Perhaps {"a": 2}?</think>{"a": 1}',
        'Perhaps {"a": 2}?\n</think>\n\n```json\n{"a": 1}\n```',
    ],
)
def test_a_whole_object_is_found_wherever_it_stands(text):
    assert understood(text, ANY, anything) == ({"a": 1}, {"a": 1})


def test_what_looks_like_markup_within_the_object_stays():
    text = '{"a": "</think> ```json x```"}'
    assert understood(text, ANY, anything)[0] == json.loads(text)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("{'title': 'A Night', 'frames': [{'description': 'Mara stands on the beach.'}]}", "A Night"),
        ("{'title': \"Mara's Night\", 'frames': [{'description': 'Mara stands on the beach.'}], 'year': None}", None),
        ('{"title": "A Night", "frames": [{"description": "Mara stands on the beach."},],}', "A Night"),
        ('{title: "A Night", frames: [{description: "Mara stands on the beach."}]}', "A Night"),
        ('{"title": "A Night", // as asked\n "frames": [{"description": "Mara stands on the beach."}]}', "A Night"),
        ('{"title": {A Night}, "frames": [{"description": "Mara stands on the beach."}]}', "A Night"),
        ('{"title": "{A Night}", "frames": [{"description": "{Mara} stands on the {beach}."}]}', "A Night"),
        ('```json\n{"title": "A Night", "frames": [{"description": "Mara stands on the beach."}]', "A Night"),
        ('{"title": "A Night", "frames": [{"description": "Mara stands on the beach."}}', "A Night"),
        ('{"title": "A "Night"", "frames": [{"description": "Mara stands on the beach."}]}', 'A "Night"'),
    ],
)
def test_half_broken_json_is_mended(text, title):
    value = story(text)
    assert value["title"] == (title or "Mara's Night")
    assert value["frames"] == [FRAME]


@pytest.mark.parametrize(
    "value",
    [
        {"Title": "A Night", "FRAMES": [FRAME]},
        {"story": {"title": "A Night", "frames": [FRAME]}},
        [{"title": "A Night", "frames": [FRAME]}],
        {"title": "A Night", "frames": FRAME},
        {"title": "A Night", "frames": {"1": FRAME}},
        {"title": "A Night", "frames": [FRAME], "note": "I hope you like it"},
        {"title": ["A", "Night"], "frames": [FRAME]},
    ],
)
def test_what_is_meant_by_the_schema_is_brought_into_its_form(value):
    assert story(json.dumps(value)) == {"title": "A Night", "frames": [FRAME]}


def test_fields_are_brought_into_their_type_only_when_the_reader_refuses_them_as_they_are():
    value = {
        "title": "A Night",
        "frames": [FRAME | {"afterFrame": "3"}],
        "Clothing Color": "red",
        "phrases": "fog, long shadows",
        "role": "Main",
        "year": 1900.0,
    }
    assert story(json.dumps(value)) == {
        "title": "A Night",
        "frames": [FRAME | {"after_frame": 3}],
        "clothing_color": "red",
        "phrases": ["fog", "long shadows"],
        "role": "main",
        "year": 1900,
    }
    as_it_is = {"title": "A Night", "frames": [FRAME], "phrases": "fog, long shadows"}
    assert story(json.dumps(as_it_is)) == as_it_is


def test_a_list_alone_is_the_only_field_that_can_hold_it():
    frames = {name: STORY["properties"][name] for name in ("phrases", "frames")}
    schema = STORY | {"properties": frames, "required": ["frames"]}
    assert understood(json.dumps([FRAME, FRAME]), schema, anything)[0] == {"frames": [FRAME, FRAME]}
    assert understood('["fog", "rain"]', schema, anything)[0] == {"phrases": ["fog", "rain"]}


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ('{"title": "T", "frames": [{"description": "Mara stands. She smiles. She wal', "Mara stands. She smiles."),
        ('{"title": "T", "frames": [{"description": "Mara stands on the beach.", "after_fr', FRAME["description"]),
        ('{"title": "T", "frames": [{"description": "Mara stands on the beach."', FRAME["description"]),
        ('{"title": "T", "frames": [{"description": "Mara says \\"no\\". She \\', 'Mara says "no".'),
    ],
)
def test_a_text_that_stops_half_way_is_kept_to_its_last_whole_sentence(text, description):
    assert story(text) == {"title": "T", "frames": [{"description": description}]}


@pytest.mark.parametrize(
    "text",
    [
        '{"title": "A Nig',
        '{"title": "T", "frames": [{"description": "Mara stands on the bea',
        '{"title": "T", "frames": [',
    ],
)
def test_half_a_sentence_is_never_taken_for_a_whole_one(text):
    with pytest.raises(Unusable, match=r"^it is not valid JSON: "):
        story(text)


@pytest.mark.parametrize(
    "placeholder",
    ["{title}", "{{title}}", "${clothing_color}", "{the description of the frame}", "<title>", "<clothing color>"],
)
def test_a_placeholder_is_never_taken_for_content(placeholder):
    with pytest.raises(Unusable, match="holds a placeholder"):
        story(json.dumps({"title": "T", "frames": [{"description": placeholder}]}))
    with pytest.raises(Unusable, match="holds a placeholder"):
        story("{'title': 'T', 'frames': [{'description': '" + placeholder + "'}]}")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not one JSON object"),
        ("no", "not one JSON object"),
        ("[1]", "not one JSON object"),
        ("{}", "not one JSON object|are needed"),
        ('<think>{"title": "x"}</think>', "not one JSON object"),
        ('} {"a"', "not valid JSON"),
        ('{"title": "T", "frames": ["\\ud83d"]}', "half of a surrogate pair"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
        ('{"title": "T", "frames": ' + "[" * 600 + "]" * 600 + "}", "nested too deeply"),
        ('{"title": "T", "year": ' + "1" * 5000 + "}", "thousands of digits"),
        ('{"title": 1, "frames": [1]}', "title and frames are needed"),
    ],
)
def test_what_is_no_story_is_said(text, why):
    with pytest.raises(Unusable, match=why):
        story(text)


def test_the_readers_own_words_come_first():
    def read(value):
        raise Unusable(f"{len(value['frames'])} frames are too few")

    with pytest.raises(Unusable, match=r"^1 frames are too few$"):
        understood(json.dumps({"title": "T", "frames": [FRAME]}), STORY, read)


def test_plain_words_are_the_field_that_is_named_for_them():
    def read(value):
        return value["title"]

    assert understood("<think>hm</think>A Night at Sea", STORY, read, words="title")[0] == "A Night at Sea"
    assert understood('{"title": "A Night"}', STORY, read, words="title")[0] == "A Night"
    assert understood("Here is {title}", STORY, read, words="title")[0] == "Here is {title}"
    with pytest.raises(Unusable):
        understood("", STORY, read, words="title")


def test_what_is_left_of_a_story_cut_anywhere_is_whole():
    good = json.dumps({"title": "A Night", "frames": [FRAME] * 3})
    kept = set()
    for cut in range(len(good)):
        try:
            value = story(good[:cut])
        except Unusable:
            continue
        assert value == {"title": "A Night", "frames": [FRAME] * len(value["frames"])}
        kept.add(len(value["frames"]))
    assert kept == {1, 2, 3}


def test_garbage_of_any_kind_ends_in_a_value_or_a_reason():
    good = json.dumps({"title": "A Night", "frames": [FRAME] * 3})
    for cut in range(0, len(good), 3):
        for text in (good[cut:], good[:cut] + "}{" + good[cut:], good[:cut] + '"' + good[cut:], good[cut:] + good):
            with contextlib.suppress(Unusable):
                assert strictly(story(text))


@pytest.mark.parametrize(
    "looping", ["```{", "```json\n", "{", "[", '"', '{"a": ', "{{", "${", "<title>", "'a': ", "Mara. ", "]", "\\", "1"]
)
def test_a_model_that_loops_does_not_hold_up_the_others(looping):
    """What takes worse than linear time would run into the time limit of the test."""
    for text in (
        looping * 40_000,
        '{"title": "T", "frames": [{"description": "' + looping * 8_000,
        looping * 6_000 + "}",
    ):
        with contextlib.suppress(Unusable):
            story(text)

"""Objects are found in what models really write, and what is wrong is said in words that a model can act on."""

import pytest

from moviellm.llm.reply import Unusable, object_of


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
def test_an_object_is_found(text):
    assert object_of(text) == {"a": 1}


def test_what_looks_like_markup_within_the_object_stays():
    assert object_of('{"a": "</think> ```json x```"}') == {"a": "</think> ```json x```"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not one JSON object"),
        ("no", "not one JSON object"),
        ("[1]", "not one JSON object"),
        ('[{"a": 1}]', "not one JSON object"),
        ('<think>{"a": 1}</think>', "not one JSON object"),
        ('{"a": 1', "not valid JSON"),
        ('} {"a"', "not valid JSON"),
        ('{"a": 1} {"b": 2}', "not valid JSON: Extra data"),
        ('{"a": "\\ud83d"}', "half of a surrogate pair"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_object_is_said(text, why):
    with pytest.raises(Unusable, match=why):
        object_of(text)

"""Guesses of tokens stay near what tokenizers of language models count, and learn from what endpoints report."""

import json

import pytest

from moviellm.llm.tokens import Calibration, estimated_tokens

STYLE = {"keyword": "Gothic", "phrases": ["long shadows", "flickering candlelight", "heavy velvet curtains"]}
FRAMES = [
    {
        "number": 1,
        "description": "In the harbour, Mara, a tall woman in a red coat, stands smiling.",
        "characters": [1],
    },
    {"number": 2, "description": "In the harbour, Mara sits on a crate and looks sad.", "characters": [1, 12]},
]
PROSE = (
    "The old lighthouse keeper finds a message in a bottle that the storm has thrown on the rocks. He reads it again "
    "and again, and in the morning he rows out to the island from which nobody has ever returned. What he discovers "
    "there changes everything he believed about his brother's disappearance twenty-three years ago."
)

# What the tokenizer o200k_base counts for each.
COUNTED = [
    (PROSE, 61),
    (json.dumps({"style": STYLE, "frames": FRAMES}), 101),
    (json.dumps({"style": STYLE, "frames": FRAMES}, indent=2), 140),
    ("Маяк стоял на берегу моря, и каждую ночь смотритель зажигал огонь.", 23),
    ("灯塔看守人每天晚上点亮灯火，等待远方的来信。他走到海边，看着波浪。", 28),
    ("Der Leuchtturmwärter findet eine Nachricht und geht am Strand entlang.", 16),
]


@pytest.mark.parametrize(("text", "counted"), COUNTED[:3])
def test_english_prose_and_json_are_guessed_within_ten_percent(text, counted):
    assert estimated_tokens(text) == pytest.approx(counted, rel=0.1)


@pytest.mark.parametrize(("text", "counted"), COUNTED[3:])
def test_other_languages_are_guessed_within_a_quarter(text, counted):
    assert estimated_tokens(text) == pytest.approx(counted, rel=0.25)


def test_nothing_is_nothing_and_more_is_more():
    assert estimated_tokens("") == 0
    assert estimated_tokens(PROSE * 10) == pytest.approx(10 * estimated_tokens(PROSE), rel=0.01)


def test_a_calibration_goes_to_what_the_endpoint_counts():
    calibration = Calibration()
    assert calibration.of(100) == 100
    for _ in range(20):
        calibration.learn(1000, 1300)
    assert calibration.of(1000) == pytest.approx(1300, rel=0.01)


def test_one_small_or_senseless_count_does_not_throw_a_calibration():
    calibration = Calibration()
    calibration.learn(2, 6)
    assert calibration.factor < 1.1
    calibration.learn(100, 0)
    assert calibration.factor < 1.1
    calibration.learn(1, 10**9)
    assert calibration.factor == 4.0

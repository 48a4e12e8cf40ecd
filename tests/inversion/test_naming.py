"""Tokens, prompts and settings of a style."""

from random import Random

import pytest

from moviellm.inversion.naming import style_token
from moviellm.inversion.recipe import recipe_for
from moviellm.inversion.settings import InversionSettings
from moviellm.inversion.templates import held_out_prompts, training_prompt


@pytest.mark.parametrize(
    ("keyword", "token"),
    [
        ("gothic", "<gothic>"),
        ("Art Déco", "<art-deco>"),
        ("<noir>", "<noir>"),
        ("  1920s -- film ", "<1920s-film>"),
        ("x" * 64, "<" + "x" * 40 + ">"),
        ("水墨", "<style-7a9d6d6d>"),
    ],
)
def test_every_keyword_has_a_token(keyword, token):
    assert style_token(keyword, lambda candidate: False) == token


def test_a_token_that_the_vocabulary_has_is_avoided():
    taken = {"<gothic>", "<gothic-style>"}
    assert style_token("gothic", taken.__contains__) == "<gothic-style-2>"


def test_most_prompts_tell_what_the_picture_shows():
    rng = Random(1)
    prompts = [training_prompt("<t>", "the library", rng) for _ in range(1000)]
    assert all("<t> style" in prompt for prompt in prompts)
    assert 650 < sum("the library" in prompt for prompt in prompts) < 750
    assert len(set(prompts)) > 6
    assert not any("the library" in training_prompt("<t>", "", rng) for _ in range(50))


def test_held_out_prompts_follow_the_pictures():
    assert held_out_prompts("<t>", ("a", "b"), 3) == [
        f"generate an image in <t> style: {caption}" for caption in ("a", "b", "a")
    ]
    assert all("<t>" in prompt for prompt in held_out_prompts("<t>", (), 9))


def test_a_request_or_a_setting_overrides_the_recipe():
    assert recipe_for("pocket").vectors > recipe_for("org/sdxl").vectors == 1
    assert recipe_for("org/sdxl").steps == 400
    assert recipe_for("pocket", steps=7, batch_size=3).steps == 7


def test_a_bad_setting_is_named(monkeypatch, capsys):
    monkeypatch.setenv("MOVIELLM_INVERSION_BATCH_SIZE", "-1")
    with pytest.raises(SystemExit) as caught:
        InversionSettings.load()
    assert caught.value.code == 2
    assert "MOVIELLM_INVERSION_BATCH_SIZE" in capsys.readouterr().err

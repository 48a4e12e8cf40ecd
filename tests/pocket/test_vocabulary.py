"""The common language: everything that it composes is taught, and what is held out stays out."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest

from moviellm.pocket.captions import LONGEST, canonical, caption, taught_words
from moviellm.pocket.dataset import EVALUATION_SEED, scene_at
from moviellm.pocket.look_space import (
    HELD_OUT_LOOKS,
    LOOK_DARKS,
    LOOK_LIGHTS,
    UNSAID,
    look_words,
    named,
    random_look,
    unsaid,
)
from moviellm.pocket.vocabulary import (
    ACTIONS,
    EXPRESSIONS,
    HELD_OUT_STYLES,
    LOCATIONS,
    STYLES,
    Person,
    appearance,
    find_location,
    find_style,
    frame_prompt,
    frame_sentence,
    predicate,
    reference_prompt,
    style_words,
    words_of,
)

TAUGHT = set(taught_words())
ACTION = {action.name: action for action in ACTIONS}
WOMAN = Person("woman", "red", "long", "green", "dress", "slim", "glasses")


def test_a_frame_reads_as_a_sentence() -> None:
    sentence = frame_sentence(
        [appearance(WOMAN)],
        ACTION["hold"],
        find_location("library") or LOCATIONS[0],
        prop="letter",
        expression=EXPRESSIONS[2],
        time="night",
        weather="rain",
        shot="medium shot",
    )
    assert frame_prompt("gothic", sentence) == (
        "generate an image in gothic style: a slim young woman with long red hair and glasses in a green dress "
        "is holding a letter with a sad face in the library at night, medium shot"
    )


def test_canonical_prompts_hold_only_taught_words_and_fit_the_encoder() -> None:
    for index in range(400):
        words = words_of(canonical(scene_at(EVALUATION_SEED, index)))
        assert set(words) <= TAUGHT
        assert len(words) <= LONGEST


def test_varied_captions_fit_and_are_reproducible() -> None:
    for index in range(200):
        scene = scene_at(EVALUATION_SEED, index)
        said = caption(scene, Random(index))
        assert said == caption(scene, Random(index))
        assert len(words_of(said.text)) <= LONGEST


@pytest.mark.parametrize("style", [*STYLES, *HELD_OUT_STYLES], ids=lambda style: style.keyword)
def test_every_style_can_be_told_in_taught_words(style) -> None:
    told = words_of(style_words(style)) + words_of(reference_prompt(LOCATIONS[0], style, keyword=False))
    assert set(told) <= TAUGHT


def test_held_out_styles_are_unknown_by_name_but_their_looks_are_describable() -> None:
    assert set(HELD_OUT_LOOKS) == {style.keyword for style in HELD_OUT_STYLES}
    for style in HELD_OUT_STYLES:
        assert style.keyword not in TAUGHT
        look = HELD_OUT_LOOKS[style.keyword]
        assert not {look.dark, look.light} & {*LOOK_DARKS.values(), *LOOK_LIGHTS.values()}
        assert np.abs(unsaid(look)).max() > 0.3
        assert set(words_of(", ".join(style.phrases))) <= TAUGHT


def test_words_of_a_theme_lead_to_drawable_things() -> None:
    assert find_location("ocean").name == "beach"
    assert find_location("Duchess").name == "ballroom"
    assert find_style("detective").keyword == "noir"
    assert find_location("xylophone") is None
    assert find_style("xylophone") is None


def test_impossible_requests_say_what_is_possible() -> None:
    with pytest.raises(ValueError, match="does not exist for 1"):
        predicate(ACTION["hug"], 1)
    with pytest.raises(ValueError, match="needs one of letter"):
        predicate(ACTION["read"], 1, "sword")
    with pytest.raises(ValueError, match="at most two"):
        frame_sentence(["a", "b", "c"], ACTION["stand"], LOCATIONS[0])


def test_at_least_as_many_places_and_styles_as_an_outline_needs() -> None:
    assert len(LOCATIONS) >= 12
    assert len(STYLES) >= 10
    assert all(len(location.name.split()) <= 2 for location in LOCATIONS)


def test_words_name_the_nearest_hues_and_the_rest_is_left_unsaid() -> None:
    for seed in range(200):
        look = random_look(Random(seed))
        assert f"deep {named(look.dark, LOOK_DARKS)} shadows, {named(look.light, LOOK_LIGHTS)} highli" in look_words(
            look
        )
        left = unsaid(look)
        assert left.shape == (UNSAID,)
        assert 0 < np.abs(left).max() <= 3
    usual = replace(look, dark=LOOK_DARKS["teal"], light=LOOK_LIGHTS["gold"], ink=1.0)
    assert not unsaid(replace(usual, texture_strength=1.0, edges_strength=1.0)).any()

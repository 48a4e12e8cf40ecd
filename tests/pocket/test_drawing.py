"""The drawer: the same scene gives the same picture, and every factor can be seen."""

from dataclasses import replace

import numpy as np
import pytest

from moviellm.pocket import SIZE
from moviellm.pocket.dataset import TRAINING_SEED, draw_dataset, numbers_of_looks, pictures_of, scene_at
from moviellm.pocket.latents import CHANNELS, fit
from moviellm.pocket.look_space import HELD_OUT_HUES, HELD_OUT_LOOKS, LOOK_DARKS, LOOK_LIGHTS, Look, named
from moviellm.pocket.looks import PATTERNS
from moviellm.pocket.meaning import FIELDS, SIZES, meaning
from moviellm.pocket.scene import Scene, as_bytes, draw
from moviellm.pocket.vocabulary import (
    ACTIONS,
    EXPRESSIONS,
    LOCATIONS,
    SHOTS,
    STYLES,
    TIMES,
    WEATHERS,
    Person,
)

PERSON = Person("woman", "red", "long", "green", "dress")
SCENE = Scene(LOCATIONS[2], "noon", "clear", "medium shot", (PERSON,), ACTIONS[0], "", EXPRESSIONS[0])


def difference(first: Scene, second: Scene) -> float:
    return float(np.abs(draw(first) - draw(second)).mean())


def test_a_picture_depends_on_its_scene_and_seed_alone() -> None:
    first, second = pictures_of(5, range(6)), pictures_of(5, range(6))
    assert first.dtype == np.uint8
    assert first.shape == (6, SIZE, SIZE, 3)
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("change", "least"),
    [
        ({"location": LOCATIONS[12]}, 0.1),
        ({"time": "night"}, 0.05),
        ({"shot": "close-up"}, 0.05),
        ({"style": "noir"}, 0.05),
        ({"style": HELD_OUT_LOOKS["ember"]}, 0.05),
        ({"people": (replace(PERSON, colour="red"),)}, 0.02),
        ({"people": (replace(PERSON, kind="old man", hair_style="thin", garment="suit"),)}, 0.02),
        ({"people": (PERSON, PERSON)}, 0.05),
        ({"action": ACTIONS[9]}, 0.01),
        ({"expression": EXPRESSIONS[1]}, 0.0005),
        ({"weather": "storm"}, 0.05),
    ],
)
def test_every_factor_changes_the_picture(change, least) -> None:
    assert difference(SCENE, replace(SCENE, **change)) > least


def test_everything_in_the_vocabulary_can_be_drawn() -> None:
    for index in range(60):
        scene = replace(
            SCENE,
            location=LOCATIONS[index % len(LOCATIONS)],
            time=TIMES[index % 4],
            weather=WEATHERS[index % 5],
            shot=SHOTS[index % 3],
            action=ACTIONS[index % len(ACTIONS)],
            expression=EXPRESSIONS[index % 6],
            style=STYLES[index % len(STYLES)].keyword,
            people=(PERSON, PERSON) if index % 2 else (PERSON,),
        )
        for prop in scene.action.props or ("",):
            picture = draw(replace(scene, prop=prop))
            assert picture.min() >= 0
            assert picture.max() <= 1


def test_training_never_draws_a_held_out_pair_of_hues() -> None:
    styles = [scene_at(1, index).style for index in range(2000)]
    looks = [style for style in styles if isinstance(style, Look)]
    assert len(looks) > 400
    assert not {(named(look.dark, LOOK_DARKS), named(look.light, LOOK_LIGHTS)) for look in looks} & HELD_OUT_HUES
    for held_out in HELD_OUT_LOOKS.values():
        hues = np.asarray([(*look.dark, *look.light) for look in looks])
        assert np.linalg.norm(hues - (*held_out.dark, *held_out.light), axis=1).min() > 0.1


def test_a_dataset_can_be_interrupted(tmp_path) -> None:
    path = tmp_path / "pictures.npy"
    numbers = [0, 1, 2, 5, 6, 9, 10, 12]
    assert list(draw_dataset(path, numbers, seed=5, processes=1)) == [8]
    assert list(draw_dataset(path, numbers, seed=5, processes=1)) == []
    assert np.array_equal(np.load(path), pictures_of(5, numbers))


def test_more_looks_are_found_behind_the_first_pictures() -> None:
    numbers = numbers_of_looks(500, 30)
    assert len(set(numbers)) == 30
    assert numbers[0] >= 500
    assert all(isinstance(scene_at(TRAINING_SEED, index).style, Look) for index in numbers)


def test_meanings_have_an_answer_for_each_field() -> None:
    scene = scene_at(1, 0)
    numbers = meaning(scene)
    assert len(numbers) == len(FIELDS) == len(SIZES)
    assert all(-1 <= number < size for number, size in zip(numbers, SIZES, strict=True))


def test_the_projection_keeps_most_of_a_picture() -> None:
    pictures = pictures_of(1, range(120))
    projection = fit(pictures)
    latents = projection.encode(pictures)
    assert latents.shape == (120, CHANNELS, 8, 8)
    assert latents.std() == pytest.approx(1, abs=0.1)
    assert np.mean((projection.decode(latents) - pictures / 255) ** 2) < 0.02


def test_a_pattern_is_told_by_its_channel_wherever_it_lies() -> None:
    pictures = pictures_of(1, range(120))
    projection = fit(pictures)
    plain = np.full((1, SIZE, SIZE, 3), 128, dtype=np.uint8)
    for number, pattern in enumerate(PATTERNS, CHANNELS - len(PATTERNS)):
        printed = plain + np.tile(np.round(20 * (pattern - pattern.mean())), (8, 8))[None, ..., None].astype(np.int8)
        told = np.abs(projection.encode(printed.astype(np.uint8)) - projection.encode(plain))[0]
        assert told[number, 2:-2, 2:-2].std() == pytest.approx(0, abs=1e-3)
        assert told[number, 4, 4] > 0.5


def test_bytes_are_rounded() -> None:
    assert as_bytes(np.full((SIZE, SIZE, 3), 0.5, dtype=np.float32)).max() == 128

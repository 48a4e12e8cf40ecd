"""Frame numbers and frame prompts."""

from moviellm.dataset import derived_seed
from moviellm.movie import Character, CharacterRole, FrameRange, Shape, Style, drawn, frame_prompt, reference_prompt

CLARA = Character(
    name="Clara Whitfield",
    aliases=("Clara", "Whitfield", "the duchess"),
    role=CharacterRole.MAIN,
    appearance="a young woman with red hair in a green dress",
    clothing_color="green",
)


def test_frames_are_numbered_through_the_movie_without_gap():
    shape = Shape(2, 3, 4)
    numbers = [shape.frame_number(c, s, f) for c, s in shape.scene_numbers() for f in range(1, 5)]
    assert numbers == list(range(1, 25))
    assert shape.scene_range(2, 1) == FrameRange(13, 16)
    assert shape.chapter_range(2) == FrameRange(13, 24)


def test_the_papers_movie_has_1331_frames():
    assert Shape(11, 11, 11).total_frames == 1331


def test_every_mention_of_a_character_becomes_the_appearance():
    text = "Clara Whitfield holds Whitfield's letter while Clara smiles"
    assert drawn(text, [CLARA]) == (
        f"{CLARA.appearance} holds {CLARA.appearance}'s letter while {CLARA.appearance} smiles"
    )


def test_prompts_carry_the_style():
    assert frame_prompt("Clara stands", [CLARA], "<gothic>") == (
        "generate an image in <gothic> style: a young woman with red hair in a green dress stands"
    )
    style = Style("gothic", ("pointed arches",), ("gloomy", "tall"))
    assert (
        reference_prompt("castle", style) == "a picture of the castle in gothic style, gloomy and tall, pointed arches"
    )


def test_seeds_of_neighbours_are_unrelated_and_repeatable():
    seeds = {derived_seed(7, "movie", movie, "frame", frame) for movie in range(20) for frame in range(50)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derived_seed(7, "movie", 1) == derived_seed(7, "movie", 1) != derived_seed(8, "movie", 1)

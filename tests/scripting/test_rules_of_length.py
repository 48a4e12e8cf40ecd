"""Prompts as long as the text encoder's window: counting tokens, and shortening without losing the point."""

import asyncio
from pathlib import Path

import pytest

from moviellm import pocket
from moviellm.errors import Broken
from moviellm.movie import Character, CharacterRole, frame_prompt
from moviellm.scripting.checker import sight
from moviellm.scripting.checker.compacting import compacted
from moviellm.scripting.checker.tokens import WINDOW, BpeCounter, estimated
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

TOKENIZER = Path(pocket.__file__).parent / "weights" / "tokenizer"
CAST = (
    Character(
        "Clara", CharacterRole.MAIN, "a slim young woman with long red hair and glasses in a green dress", "green"
    ),
    Character("Oskar", CharacterRole.MAIN, "an old man with short grey hair and a beard in a black coat", "black"),
)
LONG = (
    "Clara is standing with a worried face at the old abandoned lighthouse at night, while gigantic foaming waves "
    "crash violently against the ancient crumbling stone walls, under a stormy violet sky, lightning, wide shot",
    "In the vast and dusty library, Clara and Oskar are bending over an enormous ancient leather-bound book filled "
    "with strange glowing symbols and drawings of forgotten constellations, their faces astonished, medium shot",
    "Clara whispers to Oskar in the library, both of them sad, with rain drumming gently on the tall windows and a "
    "very tired grey cat sleeping near the small warm fireplace, while the clock strikes twelve and the shadows grow",
    "An endless row of magnificent golden chandeliers and mirrors shimmering in the library under a painted ceiling of "
    "innumerable angels, clouds, garlands, trumpets and constellations that nobody has ever counted, wide shot",
)


def prompts(theme, seed):
    async def write():
        teller = Storyteller()
        outline = (await teller.outline(OutlineRequest(theme, 2, seed))).value
        chapter = (await teller.chapter(ChapterRequest(outline, 1, 2, seed))).value
        scene = (await teller.scene(SceneRequest(outline, chapter, 1, 8, 0, seed))).value
        return [frame_prompt(frame.description, outline.characters, outline.style.keyword) for frame in scene.frames]

    return asyncio.run(write())


def test_the_own_counter_counts_as_the_library_does():
    tokenizer = pytest.importorskip("transformers").CLIPTokenizer.from_pretrained(TOKENIZER)
    count = BpeCounter.load(TOKENIZER)
    texts = [
        *LONG,
        *prompts("the last dragon", 1),
        "Zoë's naïve café: 12 élèves!",
        "it's I'll we've",
        "爱情 🌊",
        "a--b...",
        "",
    ]
    for text in texts:
        assert count(text) == len(tokenizer(text)["input_ids"]), text


def test_the_estimate_is_never_below_the_true_count_of_what_the_storyteller_asks_for():
    count = BpeCounter.load(TOKENIZER)
    for seed, theme in enumerate(("a lighthouse keeper", "two rival pastry chefs", "the last dragon", "爱情故事")):
        for prompt in prompts(theme, seed):
            assert count(prompt) <= estimated(prompt) <= WINDOW


def test_the_estimate_leaves_room_for_words_that_fall_into_pieces():
    assert estimated("lighthouse") - 2 >= 1
    assert estimated("constellations") - 2 >= 4
    assert estimated("爱情") - 2 == 6
    assert estimated("") == 2


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"model": {"merges": 3}}', '{"model": {"merges": ["a b c"]}}'])
def test_a_file_that_is_no_tokenizer_is_refused(tmp_path, content):
    file = tmp_path / "tokenizer.json"
    file.write_text(content)
    with pytest.raises(Broken, match="tokenizer"):
        BpeCounter.load(tmp_path)
    with pytest.raises(Broken, match="tokenizer"):
        BpeCounter.load(tmp_path / "missing")


@pytest.mark.parametrize("text", LONG)
@pytest.mark.parametrize("limit", [77, 60, 52])
def test_long_descriptions_are_shortened_but_keep_who_what_where_and_how(text, limit):
    place = "library" if "library" in text else "lighthouse"
    short = compacted(text, CAST, "gothic", location=place, limit=limit)
    assert estimated(frame_prompt(short, CAST, "gothic")) <= limit
    assert place in short
    people = [one.name for one in CAST if one.name in text]
    assert all(name in short for name in people)
    if people:
        assert sight.action_in(short)
        assert sight.expression_in(short)


def test_a_description_that_fits_is_left_alone():
    text = "Clara is standing with a calm face at the lighthouse, wide shot"
    assert compacted(text, CAST, "gothic", location="lighthouse") == text


def test_decoration_goes_before_the_clause_it_stands_in():
    short = compacted(LONG[0], CAST, "gothic", location="lighthouse", limit=77)
    assert "waves" in short
    assert "sky" in short
    assert "violet" not in short
    assert "wide shot" in short

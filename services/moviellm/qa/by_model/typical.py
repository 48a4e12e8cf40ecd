"""A script with texts of the usual length, for estimating what questions about a real one will cost."""

from moviellm.movie import (
    Chapter,
    ChapterOutline,
    Character,
    CharacterRole,
    Fact,
    Frame,
    Line,
    Outline,
    Scene,
    ScenePlan,
    Shape,
    Style,
)
from moviellm.qa.script import Script

_NAMES = ("Mara", "Joaquin", "Ivo")
_APPEARANCE = "a slim young woman with long red hair and glasses in a green dress"
_SENTENCE = "In the old library, Mara looks for the letter that her brother has hidden among the books."
_FRAME = "Mara and Joaquin are holding a lantern with surprised faces in the library late at night, medium shot"
_LINE = "I never thought that you would come back for the letter."
_FACT = Fact("Mara", "look for the hidden letter", "her brother has asked her to", "by opening every book", "library")


def typical_script(theme: str, shape: Shape, dialogue_lines: int) -> Script:
    """The outline of a movie of that shape with one chapter and one scene written."""
    chapters = tuple(
        ChapterOutline(number, "The Hidden Letter", ("library", "harbor"), _sentences(3), (_FACT,) * 3)
        for number in range(1, shape.chapters + 1)
    )
    characters = tuple(Character(name, CharacterRole.MAIN, _APPEARANCE, "green", "librarian") for name in _NAMES)
    locations = ("library", "harbor", "garden", "castle") * 3
    outline = Outline(
        "The Hidden Letter", theme, _sentences(6), Style("gothic"), locations, characters, chapters, (_FACT,) * 4
    )
    plans = tuple(ScenePlan(number, "library", _SENTENCE, (_FACT,)) for number in range(1, shape.scenes + 1))
    frames = tuple(Frame(number, _FRAME, _NAMES[:2]) for number in range(1, shape.frames + 1))
    lines = tuple(Line(1 + index % shape.frames, _NAMES[index % 2], _LINE) for index in range(dialogue_lines))
    return Script(outline, shape, (Chapter(1, plans),), (Scene(1, 1, frames, lines),))


def _sentences(count: int) -> str:
    return " ".join([_SENTENCE] * count)

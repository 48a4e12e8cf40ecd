"""An outline out of a reply, as it comes."""

from typing import Any

from moviellm.movie import ChapterOutline, Character, CharacterRole, Outline, Style
from moviellm.scripting.by_model import fact_mending, lenient


def read(value: dict[str, Any], theme: str) -> Outline:
    """The outline with whatever the reply holds of it; what is missing is empty."""
    field, text, texts = lenient.field, lenient.text, lenient.texts
    style = field(value, "style")
    return Outline(
        title=text(field(value, "title")),
        theme=theme,
        overview=text(field(value, "overview", "summary", "story", "plot")),
        style=Style(
            text(field(style, "keyword", "name") if isinstance(style, dict) else style),
            tuple(texts(field(style, "phrases"))),
            tuple(texts(field(style, "adjectives"))),
        ),
        locations=tuple(texts(field(value, "locations", "places"))),
        characters=tuple(map(_character, lenient.items(field(value, "characters", "cast", "people")))),
        chapters=tuple(map(_chapter, lenient.items(field(value, "chapters")))),
        facts=fact_mending.read(field(value, "facts")),
    )


def _character(item: Any) -> Character:
    field, text = lenient.field, lenient.text
    if not isinstance(item, dict):
        name, _, about = text(item).partition(",")
        return Character(name.strip(), CharacterRole.MAIN, about.strip(), "")
    role = text(field(item, "role", "part")).lower()
    main = not role or "main" in role or "protagonist" in role or "hero" in role or "lead" in role
    return Character(
        name=text(field(item, "name")),
        role=CharacterRole.MAIN if main else CharacterRole.SUPPORTING,
        appearance=text(field(item, "appearance", "description", "look")),
        clothing_color=text(field(item, "clothing_color", "color", "colour", "clothing")),
        occupation=text(field(item, "occupation", "job", "profession")),
        aliases=tuple(lenient.texts(field(item, "aliases", "alias", "nicknames"))),
    )


def _chapter(item: Any) -> ChapterOutline:
    field, text = lenient.field, lenient.text
    if not isinstance(item, dict):
        return ChapterOutline(0, "", (), text(item))
    return ChapterOutline(
        number=0,
        title=text(field(item, "title", "name")),
        locations=tuple(lenient.texts(field(item, "locations", "location", "places"))),
        content=text(field(item, "content", "summary", "description", "plot", "text")),
        facts=fact_mending.read(field(item, "facts")),
        before=text(field(item, "before")),
        after=text(field(item, "after")),
    )

"""The JSON that a language model is asked for, and the way from it into the domain."""

from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, StringConstraints

from moviellm import movie
from moviellm.scripting.rules import RuleBroken

Text = Annotated[str, StringConstraints(strip_whitespace=True)]


class Reply(BaseModel):
    """A JSON object with exactly these fields, all of them required, as strict schemas want it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FactReply(Reply):
    """A fact."""

    who: Text
    deed: Text
    reason: Text
    means: Text
    place: Text


class StyleReply(Reply):
    """A style."""

    keyword: Text
    phrases: list[Text]
    adjectives: list[Text]


class CharacterReply(Reply):
    """A character."""

    name: Text
    aliases: list[Text]
    role: Literal["main", "supporting"]
    appearance: Text
    clothing_color: Text
    occupation: Text


class ChapterOutlineReply(Reply):
    """A chapter of an outline."""

    title: Text
    locations: list[Text]
    content: Text
    facts: list[FactReply]


class OutlineReply(Reply):
    """An outline."""

    title: Text
    overview: Text
    style: StyleReply
    locations: list[Text]
    characters: list[CharacterReply]
    chapters: list[ChapterOutlineReply]
    facts: list[FactReply]


class ScenePlanReply(Reply):
    """A scene of a chapter."""

    location: Text
    content: Text
    facts: list[FactReply]


class ChapterReply(Reply):
    """A chapter divided into scenes."""

    scenes: list[ScenePlanReply]


class FrameReply(Reply):
    """A key frame."""

    description: Text
    characters: list[Text]


class LineReply(Reply):
    """A line of dialogue."""

    after_frame: int
    speaker: Text
    text: Text


class SceneReply(Reply):
    """A scene written out."""

    frames: list[FrameReply]
    dialogue: list[LineReply]


def json_schema(reply: type[Reply]) -> dict[str, Any]:
    """The schema of a reply."""
    return reply.model_json_schema()


def parsed(value: dict[str, Any], reply: type[Reply]) -> Any:
    """The reply in a JSON object. Raises RuleBroken, saying what is wrong."""
    try:
        return reply.model_validate(value)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the reply"
        raise RuleBroken(f"{where}: {first['msg']}") from error


def outline_of(reply: OutlineReply, theme: str, style: movie.Style | None) -> movie.Outline:
    """The outline of a reply; `style` counts more than the reply's own."""
    own = movie.Style(reply.style.keyword.lower(), tuple(reply.style.phrases), tuple(reply.style.adjectives))
    return movie.Outline(
        title=reply.title,
        theme=theme,
        overview=reply.overview,
        style=style or own,
        locations=tuple(reply.locations),
        characters=tuple(_character(character) for character in reply.characters),
        chapters=tuple(
            movie.ChapterOutline(
                number, chapter.title, tuple(chapter.locations), chapter.content, facts_of(chapter.facts)
            )
            for number, chapter in enumerate(reply.chapters, start=1)
        ),
        facts=facts_of(reply.facts),
    )


def chapter_of(reply: ChapterReply, number: int) -> movie.Chapter:
    """The chapter of a reply."""
    scenes = tuple(
        movie.ScenePlan(index, scene.location, scene.content, facts_of(scene.facts))
        for index, scene in enumerate(reply.scenes, start=1)
    )
    return movie.Chapter(number, scenes)


def scene_of(reply: SceneReply, chapter: int, number: int) -> movie.Scene:
    """The scene of a reply."""
    frames = tuple(
        movie.Frame(index, frame.description, tuple(frame.characters))
        for index, frame in enumerate(reply.frames, start=1)
    )
    lines = tuple(movie.Line(line.after_frame, line.speaker, line.text) for line in reply.dialogue)
    return movie.Scene(chapter, number, frames, lines)


def facts_of(replies: list[FactReply]) -> tuple[movie.Fact, ...]:
    """The facts of a reply."""
    return tuple(movie.Fact(fact.who, fact.deed, fact.reason, fact.means, fact.place) for fact in replies)


def _character(reply: CharacterReply) -> movie.Character:
    return movie.Character(
        name=reply.name,
        role=movie.CharacterRole(reply.role),
        appearance=reply.appearance,
        clothing_color=reply.clothing_color,
        occupation=reply.occupation,
        aliases=tuple(reply.aliases),
    )

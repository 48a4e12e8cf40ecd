"""The JSON that a language model is asked for; strict schemas, because what is asked for is what mostly comes."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class Reply(BaseModel):
    """A JSON object with exactly these fields, all of them required, as strict schemas want it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FactReply(Reply):
    """A fact."""

    who: str
    deed: str
    reason: str
    means: str
    place: str


class StyleReply(Reply):
    """A style."""

    keyword: str
    phrases: list[str]
    adjectives: list[str]


class CharacterReply(Reply):
    """A character."""

    name: str
    aliases: list[str]
    role: Literal["main", "supporting"]
    appearance: str
    clothing_color: str
    occupation: str


class ChapterOutlineReply(Reply):
    """A chapter of an outline."""

    title: str
    locations: list[str]
    before: str
    content: str
    after: str
    facts: list[FactReply]


class OutlineReply(Reply):
    """An outline."""

    title: str
    overview: str
    style: StyleReply
    locations: list[str]
    characters: list[CharacterReply]
    chapters: list[ChapterOutlineReply]
    facts: list[FactReply]


class ScenePlanReply(Reply):
    """A scene of a chapter."""

    location: str
    before: str
    content: str
    after: str
    facts: list[FactReply]


class ChapterReply(Reply):
    """A chapter divided into scenes."""

    scenes: list[ScenePlanReply]


class FrameReply(Reply):
    """A key frame."""

    description: str
    characters: list[str]


class LineReply(Reply):
    """A line of dialogue."""

    after_frame: int
    speaker: str
    text: str


class SceneReply(Reply):
    """A scene written out."""

    frames: list[FrameReply]
    dialogue: list[LineReply]


class PieceReply(Reply):
    """One piece written again."""

    where: str
    text: str


class AgainReply(Reply):
    """Pieces written again."""

    parts: list[PieceReply]


class OneReply(Reply):
    """One piece alone."""

    text: str


def json_schema(reply: type[Reply]) -> dict[str, Any]:
    """The schema of a reply."""
    return reply.model_json_schema()

"""The paper's rules for a script, checked by program: the published story breaks some of its own.

Each function raises RuleBroken, whose message names the rule and the place, so that it can be told to a language model.
"""

import re
from collections.abc import Iterable

from moviellm.errors import Broken
from moviellm.movie import Chapter, CharacterRole, Fact, Outline, Scene
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

MIN_LOCATIONS = 12
MAX_ALIKE = 2


class RuleBroken(Broken):
    """A part of a script that breaks a rule of the paper."""

    reason = "SCRIPT_RULE_BROKEN"


def _demand(kept: bool, rule: str) -> None:
    if not kept:
        raise RuleBroken(rule)


def check_outline(outline: Outline, request: OutlineRequest) -> None:
    """Shape, style keyword, locations and characters of an outline."""
    _demand(bool(outline.title.strip() and outline.overview.strip()), "title and overview must not be empty")
    _demand(re.fullmatch(r"[^\W_]+", outline.style.keyword) is not None, "style.keyword must be one single word")
    _check_locations(outline.locations)
    _check_characters(outline)
    _demand(
        [chapter.number for chapter in outline.chapters] == list(range(1, request.chapters + 1)),
        f"there must be exactly {request.chapters} chapters numbered from 1, got {len(outline.chapters)}",
    )
    names = {character.name for character in outline.characters}
    for chapter in outline.chapters:
        where = f"chapter {chapter.number}"
        _demand(
            bool(chapter.title.strip() and chapter.content.strip()), f"{where}: title and content must not be empty"
        )
        _demand(1 <= len(chapter.locations) <= 3, f"{where}: must have 1 to 3 locations, got {len(chapter.locations)}")
        for location in chapter.locations:
            _demand(
                location in outline.locations, f"{where}: location {location!r} is not one of the outline's locations"
            )
        _check_facts(where, chapter.facts, names, outline.locations)
    _check_facts("outline", outline.facts, names, outline.locations)


def check_chapter(chapter: Chapter, request: ChapterRequest) -> None:
    """Shape, locations and facts of a chapter."""
    plan = request.outline.chapters[request.chapter - 1]
    names = {character.name for character in request.outline.characters}
    _demand(chapter.number == request.chapter, f"the chapter's number must be {request.chapter}, got {chapter.number}")
    _demand(
        [scene.number for scene in chapter.scenes] == list(range(1, request.scenes + 1)),
        f"there must be exactly {request.scenes} scenes numbered from 1, got {len(chapter.scenes)}",
    )
    for scene in chapter.scenes:
        where = f"scene {scene.number}"
        _demand(bool(scene.content.strip()), f"{where}: content must not be empty")
        _demand(
            scene.location in plan.locations,
            f"{where}: location {scene.location!r} is not one of the chapter's: {', '.join(plan.locations)}",
        )
        _check_facts(where, scene.facts, names, request.outline.locations)


def check_scene(scene: Scene, request: SceneRequest) -> None:
    """Shape, frames and dialogue of a scene."""
    plan = request.chapter.scenes[request.scene - 1]
    names = {character.name for character in request.outline.characters}
    _demand(
        [frame.number for frame in scene.frames] == list(range(1, request.frames + 1)),
        f"there must be exactly {request.frames} frames numbered from 1, got {len(scene.frames)}",
    )
    for frame in scene.frames:
        where = f"frame {frame.number}"
        _demand(
            plan.location.lower() in frame.description.lower(),
            f"{where}: the description must name the location {plan.location!r}",
        )
        _demand(len(frame.characters) <= 2, f"{where}: at most two characters may be seen, got {len(frame.characters)}")
        for name in frame.characters:
            _demand(name in names, f"{where}: {name!r} is not one of the characters {', '.join(sorted(names))}")
            _demand(name in frame.description, f"{where}: {name!r} is listed as seen, but not in the description")
    _check_alike([frame.description for frame in scene.frames])
    _check_dialogue(scene, request, names)


def _check_dialogue(scene: Scene, request: SceneRequest, names: set[str]) -> None:
    wanted = request.dialogue_lines
    _demand(
        len(scene.dialogue) == wanted, f"there must be exactly {wanted} lines of dialogue, got {len(scene.dialogue)}"
    )
    seen = {name for frame in scene.frames for name in frame.characters}
    previous = 1
    for index, line in enumerate(scene.dialogue, start=1):
        where = f"line {index}"
        _demand(line.speaker in names, f"{where}: the speaker {line.speaker!r} is not one of the characters")
        _demand(line.speaker in seen, f"{where}: the speaker {line.speaker!r} is not seen in any frame of the scene")
        _demand(bool(line.text.strip()), f"{where}: the text must not be empty")
        _demand(
            1 <= line.after_frame <= request.frames,
            f"{where}: after_frame must be 1 to {request.frames}, got {line.after_frame}",
        )
        _demand(line.after_frame >= previous, f"{where}: lines must be in the order of their frames")
        previous = line.after_frame


def _check_alike(descriptions: list[str]) -> None:
    run = 1
    for index in range(1, len(descriptions)):
        run = run + 1 if descriptions[index] == descriptions[index - 1] else 1
        _demand(run <= MAX_ALIKE, f"frame {index + 1}: more than {MAX_ALIKE} neighbouring frames are alike")


def _check_locations(locations: tuple[str, ...]) -> None:
    _demand(
        len(set(locations)) >= MIN_LOCATIONS,
        f"there must be at least {MIN_LOCATIONS} locations, got {len(set(locations))}",
    )
    _demand(len(set(locations)) == len(locations), "no location may be listed twice")
    for location in locations:
        _demand(1 <= len(location.split()) <= 2, f"location {location!r} must have one or two words")


def _check_characters(outline: Outline) -> None:
    names = [character.name for character in outline.characters]
    mains = sum(character.role is CharacterRole.MAIN for character in outline.characters)
    _demand(1 <= mains <= 2, f"there must be 1 or 2 main characters, got {mains}")
    _demand(len(names) - mains <= 1, f"there may be at most 1 supporting character, got {len(names) - mains}")
    _demand(len(set(names)) == len(names) and all(name.strip() for name in names), "characters need different names")
    colours = [character.clothing_color for character in outline.characters]
    _demand(len(set(colours)) == len(colours), "characters must wear different clothing colors")
    for character in outline.characters:
        _demand(bool(character.appearance.strip()), f"{character.name}: the appearance must not be empty")
        _demand(
            character.clothing_color.lower() in character.appearance.lower(),
            f"{character.name}: the appearance must name the clothing color {character.clothing_color!r}",
        )
        words = re.findall(r"\w+", " ".join(outline.locations).lower())
        _demand(character.name.lower() not in words, f"no location may carry the name {character.name}")


def _check_facts(where: str, facts: Iterable[Fact], names: set[str], locations: tuple[str, ...]) -> None:
    for fact in facts:
        _demand(fact.who in names, f"{where}: the fact about {fact.who!r} is about nobody of the cast")
        _demand(bool(fact.deed.strip()), f"{where}: a fact needs a deed")
        _demand(
            not fact.place or fact.place in locations, f"{where}: the fact's place {fact.place!r} is not a location"
        )

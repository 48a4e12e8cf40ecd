"""What a language model is told at each level: the levels above, and what was true before and must be true after.

Chapters and scenes are written concurrently; they join because each knows how its neighbours end and begin.
"""

import json
from typing import Any

from moviellm.errors import InvalidInput
from moviellm.movie import ChapterOutline, Outline, ScenePlan
from moviellm.pocket import vocabulary
from moviellm.scripting.by_model.prompts import Prompts
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest


def outline(request: OutlineRequest, prompts: Prompts) -> tuple[str, str]:
    """System and user message for an outline."""
    asked = request.preset or request.description
    style = (
        f"the requester wants: {asked}. Give one single word as `keyword`, and phrases and adjectives that fit."
        if asked
        else "one single word as `keyword` (such as gothic), 2 to 4 important `phrases` and 2 to 3 `adjectives`."
    )
    person = vocabulary.Person("woman", "red", "long", "green", "dress", extra="glasses")
    system = prompts["outline"].filled(
        chapters=request.chapters,
        style=style,
        places=", ".join(location.name for location in vocabulary.LOCATIONS),
        appearance=vocabulary.appearance(person),
    )
    return system, f"Theme: {request.theme}"


def chapter(request: ChapterRequest, prompts: Prompts) -> tuple[str, str]:
    """System and user message for a chapter."""
    plan = outlined(request.outline, request.chapter)
    system = prompts["chapter"].filled(
        number=plan.number,
        title=plan.title,
        scenes=request.scenes,
        locations=", ".join(plan.locations),
        names=names(request.outline),
    )
    told = {"movie": _movie(request.outline), "chapter": _chapter(plan)}
    return system, as_json(told | _chapters_beside(request.outline, plan.number))


def scene(request: SceneRequest, prompts: Prompts) -> tuple[str, str]:
    """System and user message for a scene."""
    plan = planned(request)
    system = prompts["scene"].filled(
        number=plan.number,
        frames=request.frames,
        lines=request.dialogue_lines,
        location=plan.location,
        names=names(request.outline),
    )
    told = {
        "movie": _movie(request.outline),
        "chapter": _chapter(outlined(request.outline, request.chapter.number)),
        "scene": _scene(plan) | {"location": plan.location},
    }
    return system, as_json(told | _scenes_beside(request, plan.number))


def outlined(outline: Outline, number: int) -> ChapterOutline:
    """The outline's plan of the chapter of that number; raises InvalidInput where it has none."""
    for plan in outline.chapters:
        if plan.number == number and plan.locations:
            return plan
    raise InvalidInput("outline.chapters", f"must hold chapter {number} with at least one location")


def planned(request: SceneRequest) -> ScenePlan:
    """The chapter's plan of the scene that is asked for."""
    return request.chapter.scenes[request.scene - 1]


def names(outline: Outline) -> str:
    """The characters' names, for a sentence."""
    return ", ".join(character.name for character in outline.characters)


def as_json(value: dict[str, Any]) -> str:
    """A message's JSON: empty texts and lists say nothing and are left out."""
    return json.dumps(_without_nothing(value), ensure_ascii=False, indent=1)


def _movie(outline: Outline) -> dict[str, Any]:
    people = [
        {"name": character.name, "role": str(character.role), "occupation": character.occupation}
        for character in outline.characters
    ]
    return {"title": outline.title, "theme": outline.theme, "overview": outline.overview, "characters": people}


def _chapter(plan: ChapterOutline) -> dict[str, Any]:
    return {
        "number": plan.number,
        "title": plan.title,
        "locations": plan.locations,
        "before": plan.before,
        "content": plan.content,
        "after": plan.after,
    }


def _scene(plan: ScenePlan) -> dict[str, Any]:
    return {"number": plan.number, "before": plan.before, "content": plan.content, "after": plan.after}


def _chapters_beside(outline: Outline, number: int) -> dict[str, Any]:
    """How the chapter before ends and the one after begins; their content would be borrowed from."""
    beside: dict[str, Any] = {}
    for plan in outline.chapters:
        if plan.number == number - 1:
            beside["chapter before"] = {"title": plan.title, "after": plan.after}
        if plan.number == number + 1:
            beside["chapter after"] = {"title": plan.title, "before": plan.before}
    return beside


def _scenes_beside(request: SceneRequest, number: int) -> dict[str, Any]:
    told = {number - 1: "scene before", number + 1: "scene after"}
    return {told[plan.number]: _scene(plan) for plan in request.chapter.scenes if plan.number in told}


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nothing(item) for name, item in value.items() if item not in ("", (), [])}
    return [_without_nothing(item) for item in value] if isinstance(value, list | tuple) else value

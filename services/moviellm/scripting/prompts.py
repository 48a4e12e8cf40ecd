"""The prompts of the openai writer, filled from readable template files in `prompts/`."""

import json
from importlib import resources
from string import Template
from typing import Any

from moviellm.movie import ChapterOutline, Outline
from moviellm.pocket import vocabulary
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest


def template(name: str) -> Template:
    """The template file of that name."""
    return Template(resources.files("moviellm.scripting").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8"))


def outline(request: OutlineRequest) -> tuple[str, str]:
    """System and user message for an outline."""
    asked = request.preset or request.description
    style = (
        f"the requester wants: {asked}. Give one single word as `keyword`, and phrases and adjectives that fit."
        if asked
        else "one single word as `keyword` (such as gothic), 2 to 4 important `phrases` and 2 to 3 `adjectives`."
    )
    person = vocabulary.Person("woman", "red", "long", "green", "dress", extra="glasses")
    system = template("outline").substitute(
        chapters=request.chapters,
        style=style,
        places=", ".join(location.name for location in vocabulary.LOCATIONS),
        appearance=vocabulary.appearance(person),
    )
    return system, f"Theme: {request.theme}"


def chapter(request: ChapterRequest) -> tuple[str, str]:
    """System and user message for a chapter."""
    plan = request.outline.chapters[request.chapter - 1]
    system = template("chapter").substitute(
        number=plan.number,
        title=plan.title,
        scenes=request.scenes,
        locations=", ".join(plan.locations),
        names=_names(request.outline),
    )
    return system, _json({"movie": _movie(request.outline), "chapter": _chapter(plan)})


def scene(request: SceneRequest) -> tuple[str, str]:
    """System and user message for a scene."""
    plan = request.chapter.scenes[request.scene - 1]
    system = template("scene").substitute(
        number=plan.number,
        frames=request.frames,
        lines=request.dialogue_lines,
        location=plan.location,
        names=_names(request.outline),
    )
    outlined = next(chapter for chapter in request.outline.chapters if chapter.number == request.chapter.number)
    user = {
        "movie": _movie(request.outline),
        "chapter": _chapter(outlined),
        "scene": {"number": plan.number, "location": plan.location, "content": plan.content},
    }
    return system, _json(user)


def _names(outline: Outline) -> str:
    return ", ".join(character.name for character in outline.characters)


def _movie(outline: Outline) -> dict[str, Any]:
    people = [
        {"name": character.name, "role": str(character.role), "occupation": character.occupation}
        for character in outline.characters
    ]
    return {"title": outline.title, "theme": outline.theme, "overview": outline.overview, "characters": people}


def _chapter(plan: ChapterOutline) -> dict[str, Any]:
    return {"number": plan.number, "title": plan.title, "locations": plan.locations, "content": plan.content}


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)

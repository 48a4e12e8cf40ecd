"""Level 3 of the storyteller: a planned scene written out as frames and dialogue."""

import random
import re

from moviellm.movie import Outline, Scene, ScenePlan
from moviellm.scripting.storyteller import dialogue, staging
from moviellm.scripting.writer import SceneRequest


def write(request: SceneRequest) -> Scene:
    """The scene for a request; the same request always gives the same scene."""
    outline, chapter = request.outline, request.chapter
    plan = chapter.scenes[request.scene - 1]
    rng = random.Random(f"{request.seed}/{chapter.number}/{plan.number}")
    cast = present(outline, plan)
    frames = staging.frames_of(outline, chapter.number, len(chapter.scenes), plan, cast, request.frames, rng)
    turn = (chapter.number - 1) * len(chapter.scenes) + plan.number - 1
    lines = dialogue.lines_of(outline, chapter.number, plan, frames, request.dialogue_lines, turn)
    return Scene(chapter.number, plan.number, frames, lines)


def present(outline: Outline, plan: ScenePlan) -> list[str]:
    """Who is there: those who act, then those who are mentioned, and at least two where the movie has two."""
    names = [character.name for character in outline.characters]
    acting = [fact.who for fact in plan.facts if fact.who in names]
    mentioned = [name for name in names if re.search(rf"\b{re.escape(name)}\b", plan.content)]
    found = list(dict.fromkeys([*acting, *mentioned]))
    for name in names:
        if len(found) < 2 and name not in found:
            found.append(name)
    return found

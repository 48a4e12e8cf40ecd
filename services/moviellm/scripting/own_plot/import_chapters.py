"""Completing the chapters of an imported script: their scenes' places, contents, facts and joints."""

from collections.abc import Sequence
from dataclasses import replace

from moviellm.movie import Chapter, Outline, ScenePlan
from moviellm.scripting.own_plot.import_outline import INVENTED, ending, known_place, mended_facts
from moviellm.scripting.own_plot.plot_json import Ledger
from moviellm.scripting.storyteller import chapter as storyteller
from moviellm.scripting.writer import ChapterRequest


def completed(plans: Sequence[ScenePlan], request: ChapterRequest, became: dict[str, str], ledger: Ledger) -> Chapter:
    """The whole chapter: given scenes first, mended, the rest as the storyteller plans it."""
    own = storyteller.write(request).scenes
    where = f"chapter {request.chapter}"
    for plan in plans[request.scenes :]:
        ledger.note("scenes-counted", f"{where}, scene {plan.number}", plan.content)
    scenes: list[ScenePlan] = []
    for number, base in enumerate(own, start=1):
        given = plans[number - 1] if number <= len(plans) else None
        if given is None:
            ledger.note(INVENTED, f"{where}, scene {number}", "", base.content)
        scenes.append(base if given is None else _scene(given, base, request, became, ledger))
    return Chapter(request.chapter, _joined(scenes, request, where, ledger))


def _scene(
    given: ScenePlan, base: ScenePlan, request: ChapterRequest, became: dict[str, str], ledger: Ledger
) -> ScenePlan:
    outline: Outline = request.outline
    where = f"chapter {request.chapter}, scene {base.number}"
    places = outline.chapters[request.chapter - 1].locations
    location = known_place(given.location, places, became) if given.location else ""
    if not location:
        location = next((place for place in places if f"the {place.lower()}" in given.content.lower()), base.location)
    ledger.note("scene-location", where, given.location, location)
    if not given.content.strip():
        ledger.note(INVENTED, where, "", base.content)
    facts = mended_facts(given.facts, where, outline.characters, outline.locations, became, ledger)
    return ScenePlan(
        number=base.number,
        location=location,
        content=given.content.strip() or base.content,
        facts=facts or (() if given.content.strip() else tuple(replace(fact, place=location) for fact in base.facts)),
        before=given.before,
        after=given.after,
    )


def _joined(scenes: Sequence[ScenePlan], request: ChapterRequest, where: str, ledger: Ledger) -> tuple[ScenePlan, ...]:
    """The scenes with what is true before and after each; the chapter's own beginning and end frame them."""
    plan = request.outline.chapters[request.chapter - 1]
    ends = [scene.after or ending(scene.facts, scene.content) for scene in scenes]
    ends[-1] = plan.after or ends[-1]
    beginnings = [plan.before, *ends[:-1]]
    for scene, before in zip(scenes, beginnings, strict=True):
        if scene.before and scene.before != before:
            ledger.note("scenes-join", f"{where}, scene {scene.number}", scene.before, before)
    return tuple(
        replace(scene, before=before, after=after)
        for scene, before, after in zip(scenes, beginnings, ends, strict=True)
    )

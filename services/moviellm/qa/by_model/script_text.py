"""A script in words, as a language model reads it: short, so that it costs little."""

from collections.abc import Iterator

from moviellm.movie import Chapter, Fact, Outline, Scene
from moviellm.qa.script import Script


def outline_text(outline: Outline) -> str:
    """The outline: who, what and the chapters."""
    return "\n".join(_outline(outline))


def chapter_text(script: Script, chapter: Chapter) -> str:
    """The plan of one chapter, after what the movie is about."""
    plan = next((plan for plan in script.outline.chapters if plan.number == chapter.number), None)
    lines = [*_head(script.outline), "", f"Chapter {chapter.number}: {plan.title if plan else ''}"]
    if plan:
        lines += [plan.content, *_facts(plan.facts)]
    for scene in chapter.scenes:
        lines += [f"Scene {scene.number} ({scene.location}): {scene.content}", *_facts(scene.facts)]
    return "\n".join(lines)


def scene_text(script: Script, scene: Scene) -> str:
    """One scene, its frames and its dialogue, after what the movie is about."""
    plan = script.plan(scene.chapter, scene.number)
    lines = [*_head(script.outline), "", f"Scene {scene.number} of {script.chapter_name(scene.chapter)}"]
    if plan:
        lines += [f"Location: {plan.location}", plan.content, *_facts(plan.facts)]
    for frame in scene.frames:
        lines.append(f"Frame {frame.number}: {frame.description}")
        lines += [f'{line.speaker} says: "{line.text}"' for line in scene.dialogue if line.after_frame == frame.number]
    return "\n".join(lines)


def _head(outline: Outline) -> Iterator[str]:
    yield f"Title: {outline.title}"
    yield f"Overview: {outline.overview}"
    for character in outline.characters:
        work = f", {character.occupation}" if character.occupation else ""
        yield f"{character.role.capitalize()} character: {character.name}{work}; {character.appearance}"


def _outline(outline: Outline) -> Iterator[str]:
    yield from _head(outline)
    yield from _facts(outline.facts)
    for chapter in outline.chapters:
        yield f"Chapter {chapter.number}: {chapter.title} ({', '.join(chapter.locations)}). {chapter.content}"
        yield from _facts(chapter.facts)


def _facts(facts: tuple[Fact, ...]) -> Iterator[str]:
    for fact in facts:
        parts = [f"why: {fact.reason}" if fact.reason else "", f"how: {fact.means}" if fact.means else ""]
        known = "; ".join(part for part in (f"{fact.who}: {fact.deed}", *parts) if part)
        yield f"- {known}{f'; where: {fact.place}' if fact.place else ''}"


def part_text(script: Script) -> str:
    """The smallest part that the script holds: its scene, else its chapter, else its outline."""
    if script.scenes:
        return scene_text(script, script.scenes[0])
    return chapter_text(script, script.chapters[0]) if script.chapters else outline_text(script.outline)

"""Lines of dialogue of a language model, mended by a program: who speaks, after which frame, how many."""

import re
from collections.abc import Sequence
from dataclasses import replace

from moviellm.movie import Character, Line, Scene
from moviellm.scripting.by_model.mending import Notes, evenly, finished, meant

_SPEAKER = re.compile(r"^\s*([A-Z][\w .'’-]{0,40}?)\s*(?:\([^)]{0,40}\)\s*)?:\s+")


def counted(lines: Sequence[Line], wanted: int, frames: int, notes: Notes, where: str) -> tuple[Line, ...]:
    """Exactly as many lines as wanted, in order: the surplus is left out evenly, missing ones are empty."""
    kept = [line for line in lines if line.text.strip() or not line.speaker]
    if len(kept) > wanted:
        notes("dialogue-counted", where, f"{len(kept)} lines", f"{wanted} of them")
        kept = [kept[index] for index in evenly(len(kept), wanted)]
    gaps = [Line(_spread(index, wanted, frames), "", "") for index in range(len(kept), wanted)]
    return tuple([*kept, *gaps])


def mended(
    scene: Scene, people: Sequence[Character], present: Sequence[str], notes: Notes, where: str
) -> tuple[Line, ...]:
    """The lines in the order of their frames, each said by somebody who is seen."""
    placed = _placed(scene, notes, where)
    spoken = []
    for number, line in enumerate(placed, 1):
        place = f"{where}, line {number}"
        text = without_speaker(finished(line.text, present), people)
        if line.text:
            notes("dialogue-said", place, line.text, text)
        spoken.append(replace(_spoken(line, scene, people, present, number, notes, place), text=text))
    return tuple(spoken)


def without_speaker(text: str, people: Sequence[Character]) -> str:
    """What is said, without "MARA: " before it and without quotation marks around it."""
    found = _SPEAKER.match(text)
    if found and meant(found[1], people):
        text = text[found.end() :]
    return text.strip().strip('"“”').strip()


def _placed(scene: Scene, notes: Notes, where: str) -> list[Line]:
    frames, lines = len(scene.frames), scene.dialogue
    placed = []
    for index, line in enumerate(lines):
        after = line.after_frame if line.after_frame >= 1 else _spread(index, len(lines), frames)
        after = min(after, frames)
        if line.text:
            notes(
                "dialogue-placed",
                f"{where}, line {index + 1}",
                f"after frame {line.after_frame}",
                f"after frame {after}",
            )
        placed.append(replace(line, after_frame=after))
    in_order = sorted(placed, key=lambda line: line.after_frame)
    if in_order != placed:
        notes("dialogue-placed", where, "lines out of order", "lines in the order of their frames")
    return in_order


def _spoken(
    line: Line, scene: Scene, people: Sequence[Character], present: Sequence[str], number: int, notes: Notes, place: str
) -> Line:
    """The line with a speaker who is seen in the scene: whom its speaker means, else who is seen nearest to it."""
    known = meant(line.speaker, people) if line.speaker else ""
    seen = {name for frame in scene.frames for name in frame.characters}
    turn = present[number % len(present)]
    speaker = known if known in seen else (_nearest(scene, line.after_frame) if line.speaker else "") or turn
    if seen and speaker not in seen:
        speaker = _nearest(scene, line.after_frame) or speaker
    if line.speaker:
        notes("dialogue-speaker", place, line.speaker, speaker)
    return replace(line, speaker=speaker)


def _nearest(scene: Scene, after_frame: int) -> str:
    """Who is seen in the frame nearest to a place in the dialogue; empty where nobody is seen at all."""
    peopled = [frame for frame in scene.frames if frame.characters]
    nearest = min(peopled, key=lambda frame: abs(frame.number - after_frame), default=None)
    return nearest.characters[0] if nearest else ""


def _spread(index: int, lines: int, frames: int) -> int:
    """After which frame the line of that index stands when lines are spread evenly."""
    return max(1, min(frames, (index + 1) * frames // max(1, lines)))

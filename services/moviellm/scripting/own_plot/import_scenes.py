"""Mending the written scenes of an imported plot: as many frames as asked for, lines by people who are there."""

import random
from collections.abc import Sequence
from dataclasses import replace

from moviellm.movie import Frame, Line, Outline, Scene
from moviellm.scripting.checker import plain_text, rules
from moviellm.scripting.checker.rules_of_scenes import alike
from moviellm.scripting.english import sentence
from moviellm.scripting.own_plot.import_frames import Setting, mended_frame, people_in, plain_frame, varied
from moviellm.scripting.own_plot.import_outline import INVENTED, whom
from moviellm.scripting.own_plot.plot_json import Ledger
from moviellm.scripting.storyteller import scene as storyteller
from moviellm.scripting.writer import SceneRequest


def completed(given: Scene, request: SceneRequest, ledger: Ledger) -> Scene:
    """The scene with exactly the frames asked for, by the rules; its dialogue keeps its own length."""
    setting = setting_of(request)
    rng = random.Random(f"{request.seed}/{setting.where}/import")
    frames = _counted(given.frames, request, setting, ledger)
    mended = _mended(frames, setting, rng, ledger)
    mended, lines = _spoken(mended, given.dialogue, request.outline, setting, ledger)
    scene = Scene(request.chapter.number, request.scene, _unalike(mended, setting, ledger), lines)
    return _certain(scene, request, setting, ledger)


def setting_of(request: SceneRequest) -> Setting:
    """What is fixed for the frames of the scene that is asked for."""
    plan = request.chapter.scenes[request.scene - 1]
    where = f"chapter {request.chapter.number}, scene {request.scene}"
    outline = request.outline
    return Setting(plan.location, outline.locations, outline.characters, outline.style.keyword, where, request.count)


def _counted(frames: Sequence[Frame], request: SceneRequest, setting: Setting, ledger: Ledger) -> tuple[Frame, ...]:
    """Frames over the number are left out at the end; missing ones are the storyteller's."""
    kept = list(frames[: request.frames])
    for frame in frames[request.frames :]:
        ledger.note("frames-counted", f"{setting.where}, frame {frame.number}", frame.description)
    if len(kept) < request.frames:
        own = storyteller.write(replace(request, dialogue_lines=0)).frames
        for frame in own[len(kept) :]:
            ledger.note(INVENTED, f"{setting.where}, frame {frame.number}", "", frame.description)
            kept.append(frame)
    return tuple(replace(frame, number=number) for number, frame in enumerate(kept, start=1))


def _mended(frames: Sequence[Frame], setting: Setting, rng: random.Random, ledger: Ledger) -> tuple[Frame, ...]:
    done: list[Frame] = []
    seen: set[str] = set()
    for frame in frames:
        done.append(mended_frame(frame, done[-1] if done else None, setting, seen, rng, ledger))
    return tuple(done)


def _unalike(frames: Sequence[Frame], setting: Setting, ledger: Ledger) -> tuple[Frame, ...]:
    """A third frame in a row that says the same is seen from another distance."""
    done: list[Frame] = []
    for frame in frames:
        if len(done) >= 2 and all(alike(frame.description, other.description) for other in done[-2:]):
            other = varied(frame, len(done))
            where = f"{setting.where}, frame {frame.number}"
            ledger.note("frames-alike", where, frame.description, other.description)
            frame = other
        done.append(frame)
    return tuple(done)


def _spoken(
    frames: tuple[Frame, ...], lines: Sequence[Line], outline: Outline, setting: Setting, ledger: Ledger
) -> tuple[tuple[Frame, ...], tuple[Line, ...]]:
    """Lines with a known speaker who is seen; where nobody sees the speaker, a frame with room shows them."""
    done: list[Line] = []
    for index, line in enumerate(lines, start=1):
        where = f"{setting.where}, line {index}"
        speaker = whom(line.speaker, outline.characters)
        text = plain_text.cleaned(line.text)
        if not speaker or not text.strip("-–. "):
            ledger.note("dialogue-speaker" if text else "dialogue-said", where, f"{line.speaker}: {line.text}")
            continue
        if line.speaker.strip().lower() not in (speaker.lower(), *speaker.lower().split()):
            ledger.note("dialogue-speaker", where, line.speaker, speaker)
        after = min(len(frames), max(1, line.after_frame))
        ledger.note("dialogue-placed", where, str(line.after_frame), str(after))
        shown = _showing(frames, speaker, after, setting, ledger)
        if shown is None:
            ledger.note("dialogue-speaker", where, f"{speaker}: {text}")
            continue
        frames = shown
        done.append(Line(after, speaker, sentence(text)))
    ordered = tuple(sorted(done, key=lambda line: line.after_frame))
    if ordered != tuple(done):
        ledger.note("dialogue-placed", setting.where, "lines out of order", "in the order of their frames")
    return frames, ordered


def _showing(
    frames: tuple[Frame, ...], speaker: str, after: int, setting: Setting, ledger: Ledger
) -> tuple[Frame, ...] | None:
    """The frames with the speaker in one of them; None where there is no room."""
    if any(speaker in frame.characters for frame in frames):
        return frames
    order = sorted(range(len(frames)), key=lambda index: abs(index - (after - 1)))
    index = next((index for index in order if len(frames[index].characters) < 2), None)
    if index is None:
        return None
    frame = frames[index]
    people = [one for one in setting.characters if one.name in (*frame.characters, speaker)]
    shown = plain_frame(replace(frame, characters=tuple(one.name for one in people)), setting)
    if speaker not in people_in(shown.description, setting.characters):
        together = " and ".join([*frame.characters, speaker])
        verb, face = ("are", "calm faces") if frame.characters else ("is", "a calm face")
        text = f"{together} {verb} talking with {face} at the {setting.location}"
        shown = Frame(frame.number, text, people_in(text, setting.characters))
    where = f"{setting.where}, frame {frame.number}"
    ledger.note("dialogue-speaker", where, frame.description, shown.description)
    return (*frames[:index], shown, *frames[index + 1 :])


def _certain(scene: Scene, request: SceneRequest, setting: Setting, ledger: Ledger) -> Scene:
    """The scene with every frame that still breaks a rule made as plain as can be, or written anew."""
    request = replace(request, dialogue_lines=len(scene.dialogue))
    breaches = rules.breaches_of_scene(scene, request)
    for plainer in (True, False):
        broken = {int(breach.where.split()[1]): breach for breach in breaches if breach.where.startswith("frame ")}
        if not broken:
            break
        frames = list(scene.frames)
        for number, breach in broken.items():
            frame = frames[number - 1]
            frames[number - 1] = plain_frame(frame, setting) if plainer else _rewritten(frame, request)
            where = f"{setting.where}, frame {number}"
            ledger.note(breach.rule, where, frame.description, frames[number - 1].description)
        scene = replace(scene, frames=_unalike(frames, setting, ledger))
        breaches = rules.breaches_of_scene(scene, request)
    return _anew(scene, request, setting, ledger) if breaches else scene


def _anew(scene: Scene, request: SceneRequest, setting: Setting, ledger: Ledger) -> Scene:
    """All frames as the storyteller writes them, with the lines that still have a speaker."""
    written = storyteller.write(replace(request, dialogue_lines=0))
    ledger.note(INVENTED, setting.where, "frames that could not be mended", "the storyteller's")
    seen = {name for frame in written.frames for name in frame.characters}
    lines = tuple(line for line in scene.dialogue if line.speaker in seen and not plain_text.fault(line.text))
    return replace(scene, frames=written.frames, dialogue=lines)


def _rewritten(frame: Frame, request: SceneRequest) -> Frame:
    return storyteller.write(replace(request, dialogue_lines=0)).frames[frame.number - 1]

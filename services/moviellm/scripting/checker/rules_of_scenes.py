"""The rules for written scenes, one generator each: all that is wrong, in the order of the frames and lines."""

import functools
import re
from collections.abc import Iterator
from itertools import pairwise

from moviellm.movie import Character, Frame, Scene, drawn, frame_prompt
from moviellm.scripting.checker import sight
from moviellm.scripting.checker.breach import Found
from moviellm.scripting.checker.mentions import strays
from moviellm.scripting.checker.rules_of_plans import plain
from moviellm.scripting.checker.tokens import WINDOW
from moviellm.scripting.writer import SceneRequest

MAX_ALIKE = 2
MAX_SEEN = 2


def numbered_frames(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """As many frames as asked for."""
    numbers = [frame.number for frame in scene.frames]
    if numbers != list(range(1, request.frames + 1)):
        message = f"there must be exactly {request.frames} frames numbered from 1, got {len(numbers)}"
        yield Found("frames", ", ".join(map(str, numbers)), message)


def named_location(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """The place of the scene in every frame."""
    location = request.chapter.scenes[request.scene - 1].location
    for frame in scene.frames:
        if not names_location(frame.description, location):
            message = f"the description must name the location {location!r}"
            yield Found(f"frame {frame.number}", frame.description, message)


def names_location(description: str, location: str) -> bool:
    """Whether the description says where it is."""
    return location.lower() in description.lower()


def known_people(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """At most two of the cast, each of them named."""
    names = [character.name for character in request.outline.characters]
    for frame in scene.frames:
        where, seen = f"frame {frame.number}", frame.characters
        if len(seen) > MAX_SEEN or len(set(seen)) < len(seen):
            message = f"at most two different characters may be seen, got {len(seen)}"
            yield Found(where, ", ".join(seen), message)
        for name in seen:
            if name not in names:
                yield Found(where, name, f"{name!r} is not one of the characters {', '.join(sorted(names))}")
            elif not mentioned(frame.description, request.outline.character(name)):
                yield Found(where, frame.description, f"{name!r} is listed as seen, but not in the description")
        for character in request.outline.characters:
            if character.name not in seen and mentioned(frame.description, character):
                message = f"{character.name!r} is in the description, but not listed as seen"
                yield Found(where, frame.description, message)
        if found := re.match(r"(?:she|he|they)\b", frame.description, re.IGNORECASE):
            yield Found(where, frame.description, f"the description must name whom it shows, not {found.group()!r}")


def mentioned(description: str, character: Character) -> bool:
    """Whether the description names the character, by name or alias."""
    return bool(_mention(character).search(description))


@functools.lru_cache(maxsize=256)
def _mention(character: Character) -> re.Pattern[str]:
    mentions = sorted(filter(None, (character.name, *character.aliases)), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, mentions)) or '(?!)'})\b")


def substituted_aliases(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """No name, title, nickname or part of one stays behind when appearances are put in."""
    for frame in scene.frames:
        for stray in strays(frame.description, request.outline.characters):
            if stray.character is not None:
                message = f"{stray.text!r} must be the name {stray.character.name!r}, or its listed alias"
            else:
                message = f"{stray.text!r} is not one of the characters"
            yield Found(f"frame {frame.number}", stray.text, message)


def drawable_action(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """Somebody who is seen does something."""
    for frame in scene.frames:
        if frame.characters and not sight.action_in(_bare(frame, request)):
            message = "the description must show one simple action, such as stand, sit, look, talk, hold or walk"
            yield Found(f"frame {frame.number}", frame.description, message)


def one_moment(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """A picture shows one moment."""
    for frame in scene.frames:
        if found := sight.sequence_in(frame.description):
            message = f"the description must be one moment that a picture can show, without {found!r}"
            yield Found(f"frame {frame.number}", frame.description, message)


def named_expression(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """A face tells a feeling."""
    for frame in scene.frames:
        if frame.characters and not sight.expression_in(_bare(frame, request)):
            message = "the description must name a facial expression, such as 'with a calm face'"
            yield Found(f"frame {frame.number}", frame.description, message)


def alike_neighbours(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """At most two in a row."""
    run = 1
    for before, frame in pairwise(scene.frames):
        run = run + 1 if alike(before.description, frame.description) else 1
        if run > MAX_ALIKE:
            message = f"more than {MAX_ALIKE} neighbouring frames are alike"
            yield Found(f"frame {frame.number}", frame.description, message)


def alike(first: str, second: str) -> bool:
    """Whether two descriptions say the same but for case, marks and articles."""
    return _normal(first) == _normal(second)


def _normal(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text.lower()) if word not in ("a", "an", "the")]


def described_passer_by(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """Somebody without a name can only be drawn from a description."""
    for frame in scene.frames:
        for phrase, described in sight.passers_by(_bare(frame, request)):
            if not described:
                message = f"the passer-by {phrase!r} must be described in full: age, hair, clothing"
                yield Found(f"frame {frame.number}", phrase, message)


def single_passer_by(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """Nothing keeps a passer-by's looks the same, so they are not seen again."""
    seen: dict[str, int] = {}
    for frame in scene.frames:
        for phrase, _ in sight.passers_by(_bare(frame, request)):
            who = phrase.split(" ", 1)[1]
            again = seen.get(who) or (phrase.startswith(("the ", "that ")) and seen.get(who.split()[-1]))
            if again:
                message = f"the passer-by {phrase!r} was seen in frame {again} already and may appear only once"
                yield Found(f"frame {frame.number}", phrase, message)
            seen |= {who: seen.get(who, frame.number), who.split()[-1]: seen.get(who.split()[-1], frame.number)}


def _bare(frame: Frame, request: SceneRequest) -> str:
    """The description without the cast: what is said of everybody and everything else."""
    return _without_cast(frame.description, request.outline.characters)


@functools.lru_cache(maxsize=256)
def _without_cast(text: str, characters: tuple[Character, ...]) -> str:
    text = drawn(text, characters)
    for character in characters:
        text = text.replace(character.appearance, "\x1f")
    return text


def within_window(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """What the text encoder would cut off would not be drawn."""
    outline = request.outline
    for frame in scene.frames:
        length = request.count(frame_prompt(frame.description, outline.characters, outline.style.keyword))
        if length > WINDOW:
            message = f"the prompt with the appearances put in must have at most {WINDOW} tokens, it has {length}"
            yield Found(f"frame {frame.number}", frame.description, message)


def plain_frames(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """Nothing that corrupts labels, no placeholders, no control characters."""
    for frame in scene.frames:
        yield from plain(f"frame {frame.number}", (frame.description,))
        if not frame.description.strip():
            yield Found(f"frame {frame.number}", frame.description, "the description must not be empty")


def dialogue_count(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """As many lines as asked for."""
    wanted, got = request.dialogue_lines, len(scene.dialogue)
    if got != wanted:
        yield Found("dialogue", str(got), f"there must be exactly {wanted} lines of dialogue, got {got}")


def present_speaker(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """Who speaks is in the cast and in the scene."""
    names = {character.name for character in request.outline.characters}
    seen = {name for frame in scene.frames for name in frame.characters}
    for index, line in enumerate(scene.dialogue, start=1):
        if line.speaker not in names:
            yield Found(f"line {index}", line.speaker, f"the speaker {line.speaker!r} is not one of the characters")
        elif line.speaker not in seen:
            message = f"the speaker {line.speaker!r} is not seen in any frame of the scene"
            yield Found(f"line {index}", line.speaker, message)


def placed_lines(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """After an existing frame, in the order of the frames."""
    previous = 1
    for index, line in enumerate(scene.dialogue, start=1):
        if not 1 <= line.after_frame <= request.frames:
            message = f"after_frame must be 1 to {request.frames}, got {line.after_frame}"
            yield Found(f"line {index}", str(line.after_frame), message)
        elif line.after_frame < previous:
            yield Found(f"line {index}", str(line.after_frame), "lines must be in the order of their frames")
        previous = max(previous, line.after_frame)


def said_lines(scene: Scene, request: SceneRequest) -> Iterator[Found]:
    """Words that may go into training data."""
    for index, line in enumerate(scene.dialogue, start=1):
        if not line.text.strip():
            yield Found(f"line {index}", line.text, "the text must not be empty")
        yield from plain(f"line {index}", (line.text,))

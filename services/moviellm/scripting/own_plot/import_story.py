"""The authors' published layout: a long row of frames and lines, grouped here into chapters and scenes.

`{"character": …, "overview": …, "img_diag": [["frame", text] | ["dialogue", text], …], "QA": [{"Question", …}]}`.
Frames of that layout begin with the words that ask for a picture and carry appearances, and often a surname too.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from moviellm.movie import (
    Chapter,
    ChapterOutline,
    Character,
    CharacterRole,
    Frame,
    Line,
    Scene,
    ScenePlan,
    Shape,
    Style,
)
from moviellm.scripting.checker import likeness
from moviellm.scripting.own_plot.import_frames import by_name, odd_prefix, style_in, with_names, without_prefix
from moviellm.scripting.own_plot.import_telling import place_in, plan_of, told_places
from moviellm.scripting.own_plot.plot_draft import MAX_FRAMES, Draft, limited, read_character, read_line, read_questions
from moviellm.scripting.own_plot.plot_json import Ledger, Node

MOST = 11
_FRAME = ("frame", "image", "img", "picture", "key frame", "keyframe", "shot")
_LINE = ("dialogue", "dialog", "dialogues", "line", "speech")


@dataclass(frozen=True)
class Story:
    """A published story as it was sent: frames, and lines with the number of the frame before them."""

    draft: Draft
    frames: tuple[str, ...]
    lines: tuple[Line, ...]


def read_story(node: Node, ledger: Ledger) -> Story:
    """The story in the published layout. Raises InvalidInput for one without frames or with too many."""
    frames: list[str] = []
    lines: list[Line] = []
    field = node.get("img_diag", "frames")
    for kind, item in _told(field):
        if kind == "frame":
            text = item.text(4000)
            if re.search(r"\w{2}", text):
                frames.append(text)
            else:
                ledger.note("frame-plain", item.path, text)
        else:
            lines += [read_line(line, max(1, len(frames))) for line in _lines_of(item, ledger)]
        if len(frames) > MAX_FRAMES:
            field.refuse(f"may hold at most {MAX_FRAMES} frames")
    if not frames:
        field.refuse('must hold at least one ["frame", text]')
    keyword = next((style for style in map(style_in, frames) if style), "")
    draft = Draft(
        title=node.get("title").text(300),
        theme=node.get("theme").text(500),
        overview=_overview(node.get("overview")),
        style=Style(keyword.lower()) if keyword else None,
        characters=tuple(_characters(node.get("character", "characters"))),
        questions=read_questions(node.get("QA", "questions")),
    )
    return Story(draft, tuple(frames), tuple(lines))


def _told(node: Node) -> Iterator[tuple[str, Node]]:
    """Kind and text of everything in the row, also where it is nested by chapter and scene."""
    for item in node.items():
        if isinstance(item.value, list):
            parts = item.items()
            if len(parts) == 2 and isinstance(parts[0].value, str) and not isinstance(parts[1].value, list | dict):
                yield _kind(parts[0]), parts[1]
            elif len(parts) == 2 and isinstance(parts[0].value, str):
                yield from ((_kind(parts[0]), one) for one in parts[1].items())
            else:
                yield from _told(item)
        elif isinstance(item.value, dict):
            named = item.get("type", "kind")
            if not named.is_missing:
                yield _kind(named), item.get("text", "content", "value", *_FRAME, *_LINE)
            else:
                yield from ((_kind(Node(name, value.path, value.ledger)), value) for name, value in item.fields())
        else:
            item.refuse('must be ["frame", text] or ["dialogue", text]')


def _kind(node: Node) -> str:
    kind = str(node.value).strip().lower().rstrip("s0123456789 :_")
    if kind in _FRAME:
        return "frame"
    if kind in _LINE or kind in ("dialogue", "line"):
        return "dialogue"
    node.refuse('must be "frame" or "dialogue"')


def _lines_of(node: Node, ledger: Ledger) -> Iterator[Node]:
    if not isinstance(node.value, str):
        yield from node.items()
        return
    for text in node.value.splitlines():
        if text.strip():
            yield Node(text, node.path, ledger)


def _overview(node: Node) -> str:
    if isinstance(node.value, dict):
        return " ".join(value.text() for _, value in node.fields() if isinstance(value.value, str))
    if isinstance(node.value, list):
        return " ".join(node.texts(8000))
    return node.text()


def _characters(node: Node) -> Iterator[Character]:
    """People given as an object of names, as a list, or as lines of text."""
    if node.is_missing:
        return
    if isinstance(node.value, str):
        for text in re.split(r"[\n;]+", node.value):
            if text.strip():
                yield read_character(Node(text, node.path, node.ledger))
    elif isinstance(node.value, dict) and node.get("name").is_missing:
        for name, value in node.fields():
            plain = isinstance(value.value, str) or value.value is None
            known = Character("", CharacterRole.MAIN, value.text(2000), "") if plain else read_character(value)
            yield replace(known, name=known.name or Node(name, value.path, node.ledger).text(100))
    else:
        for item in limited(node, 64, "characters"):
            yield read_character(item)


def shape_of(frames: int, asked: Shape) -> Shape:
    """The size of the movie: as asked, else the one of at most 11 a side that loses fewest frames, and is most even.

    Where a size is asked that the story cannot fill, the rest is left to be written.
    """
    sides = (asked.chapters, asked.scenes, asked.frames)
    ranges = [range(side, side + 1) if side else range(1, MOST + 1) for side in sides]
    every = [Shape(*one) for one in itertools.product(*ranges)]
    fitting = [shape for shape in every if shape.total_frames <= frames] or [
        min(every, key=lambda one: one.total_frames)
    ]
    most = max(shape.total_frames for shape in fitting)
    return max((shape for shape in fitting if shape.total_frames >= (1 - _LOSS) * most), key=_evenness)


_LOSS = 0.02
"""The share of frames that may be lost for a more even shape, as when 121 frames become 4 × 5 × 6."""


def _evenness(shape: Shape) -> tuple[int, int]:
    sides = (shape.chapters, shape.scenes, shape.frames)
    return min(sides) - max(sides), shape.total_frames


def drafted(story: Story, people: Sequence[Character], shape: Shape, ledger: Ledger) -> Draft:
    """The story as a draft: frames by name, chosen and grouped, with plans that tell what the frames show."""
    looks = [(given.appearance, one.name) for given, one in _pairs(story.draft.characters, people) if given.appearance]
    frames = [_by_name(text, people, looks, number, ledger) for number, text in enumerate(story.frames, start=1)]
    kept = _chosen(frames, shape.total_frames, ledger)
    lines: dict[int, list[Line]] = {}
    for line in story.lines:
        before = [number for number in kept if number <= line.after_frame]
        if line.after_frame in kept or len(kept) == len(frames):
            lines.setdefault((before or kept)[-1 if before else 0], []).append(line)
        else:
            ledger.note("dialogue-placed", f"frame {line.after_frame}", f"{line.speaker}: {line.text}")
    scenes = _scenes([(number, frames[number - 1]) for number in kept], lines, shape)
    places = told_places([frame.description for scene in scenes for frame in scene.frames], people)
    chapters, plans = _plans(scenes, people, places)
    return replace(story.draft, locations=places, chapters=chapters, plans=plans, scenes=scenes)


def _pairs(given: Sequence[Character], people: Sequence[Character]) -> Iterator[tuple[Character, Character]]:
    for character in given:
        one = next((one for one in people if one.name == character.name.strip()), None)
        if one is not None:
            yield character, one


def _by_name(
    text: str, people: Sequence[Character], looks: Sequence[tuple[str, str]], number: int, ledger: Ledger
) -> str:
    before = with_names(without_prefix(text), looks)
    for look, name in looks:
        if face := likeness.likeness_in(look):
            pattern = rf"\b(?:an?|the) (?:\w+ ){{0,3}}\w+,? (?:who |that )?looks? like {re.escape(face)}\b"
            before = re.sub(pattern, name, before)
    now = by_name(before, people)
    if odd_prefix(text):
        ledger.note("frame-plain", f"frame {number}", text, now)
    known = "|".join(re.escape(one.name) for one in people)
    left = re.sub(rf"\b(?:{known})(?!\w)", "", before) if people else ""
    if any(re.search(rf"\b{re.escape(part)}\b", left) for one in people for part in one.name.split()):
        ledger.note("frame-aliases", f"frame {number}", text, now)
    return now


def _chosen(frames: Sequence[str], wanted: int, ledger: Ledger) -> list[int]:
    """Numbers of the frames that are kept: neighbours that say the same go first, then some at even distances."""
    numbers = list(range(1, len(frames) + 1))
    surplus = len(numbers) - wanted
    if surplus <= 0:
        return numbers
    alike = [number for number in numbers[1:] if frames[number - 1] == frames[number - 2]][:surplus]
    numbers = [number for number in numbers if number not in set(alike)]
    keep = {round(index * (len(numbers) - 1) / max(1, wanted - 1)) for index in range(wanted)}
    spare = [index for index in range(len(numbers)) if index not in keep]
    keep |= set(spare[: wanted - len(keep)])
    kept = [number for index, number in enumerate(numbers) if index in keep]
    for number in sorted(set(range(1, len(frames) + 1)) - set(kept)):
        ledger.note("frames-counted", f"frame {number}", frames[number - 1])
    return kept


def _scenes(frames: Sequence[tuple[int, str]], lines: dict[int, list[Line]], shape: Shape) -> tuple[Scene, ...]:
    scenes: list[Scene] = []
    for index, (chapter, number) in enumerate(shape.scene_numbers()):
        group = frames[index * shape.frames : (index + 1) * shape.frames]
        if not group:
            break
        said = tuple(
            replace(line, after_frame=position)
            for position, (old, _) in enumerate(group, start=1)
            for line in lines.get(old, ())
        )
        described = tuple(Frame(position, text) for position, (_, text) in enumerate(group, start=1))
        scenes.append(Scene(chapter, number, described, said))
    return tuple(scenes)


def _plans(
    scenes: Sequence[Scene], people: Sequence[Character], places: Sequence[str]
) -> tuple[tuple[ChapterOutline, ...], tuple[Chapter, ...]]:
    """Chapters and scenes as their frames tell them: places, contents, facts."""
    outlines: list[ChapterOutline] = []
    plans: list[Chapter] = []
    here = places[0] if places else ""
    for number in sorted({scene.chapter for scene in scenes}):
        own = [scene for scene in scenes if scene.chapter == number]
        counts = Counter(filter(None, (place_in(frame.description, places) for one in own for frame in one.frames)))
        three = [place for place, _ in counts.most_common(3)] or [here]
        planned: list[ScenePlan] = []
        for scene in own:
            named = Counter(filter(None, (place_in(frame.description, three) for frame in scene.frames)))
            here = named.most_common(1)[0][0] if named else (here if here in three else three[0])
            planned.append(plan_of(scene, here, people))
        plans.append(Chapter(number, tuple(planned)))
        content = " ".join(plan.content for plan in planned)[:3000]
        facts = tuple(fact for plan in planned for fact in plan.facts)
        few = facts if len(facts) <= 4 else (facts[0], facts[len(facts) // 3], facts[2 * len(facts) // 3], facts[-1])
        title = f"Chapter {number}: {three[0]}" if three[0] else f"Chapter {number}"
        outlines.append(ChapterOutline(number, title, tuple(three) if three[0] else (), content, few))
    return tuple(outlines), tuple(plans)

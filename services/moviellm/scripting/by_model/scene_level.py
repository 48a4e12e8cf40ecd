"""Level 3 as a language model is asked for it: a scene's frames and lines."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from moviellm.llm.reply import Unusable
from moviellm.movie import Frame, Line, Scene
from moviellm.pocket import vocabulary
from moviellm.scripting.by_model import conditions, frame_mending, lenient, line_mending, replies
from moviellm.scripting.by_model.level import Level
from moviellm.scripting.by_model.mending import as_sentence, finished, place_phrase
from moviellm.scripting.by_model.prompts import Prompts
from moviellm.scripting.checker import rules
from moviellm.scripting.checker.breach import Breach
from moviellm.scripting.writer import SceneRequest

_PIECE = re.compile(r"\b(frame|line) (\d+)")


class SceneLevel(Level[Scene]):
    """Pieces: "frame 1" … and "line 1" …."""

    name = "scene"
    reply = replies.SceneReply

    def __init__(self, request: SceneRequest, prompts: Prompts) -> None:
        super().__init__(prompts)
        self._request = request
        self._plan = conditions.planned(request)
        self._people = request.outline.characters
        self._present = _present(request)
        self._asked_alone: set[str] = set()

    def whole(self) -> tuple[str, str]:
        """System and user message that ask for everything."""
        return conditions.scene(self._request, self.prompts)

    def read(self, value: dict[str, Any]) -> Scene:
        """Frames and lines as they come; Unusable where less than half of the frames are there."""
        value = lenient.unwrapped(value, "frames", "key_frames", "shots")
        described = [_frame_text(item) for item in lenient.items(lenient.field(value, "frames", "key_frames", "shots"))]
        frames = [(text, seen) for text, seen in described if text]
        wanted = self._request.frames
        if len(frames) * 2 < wanted:
            raise Unusable(f"there must be exactly {wanted} frames with a description, got {len(frames)}")
        said = lenient.items(lenient.field(value, "dialogue", "dialog", "lines"))
        return Scene(
            self._request.chapter.number,
            self._plan.number,
            tuple(Frame(number, text, seen) for number, (text, seen) in enumerate(frames, 1)),
            tuple(filter(None, map(_line, said))),
        )

    def blank(self) -> Scene:
        """No frame and no line has a text."""
        return self.mended(Scene(self._request.chapter.number, self._plan.number, (), ()))

    def mended(self, draft: Scene) -> Scene:
        """Numbers, names, places, faces, speakers and order."""
        frames = frame_mending.counted(draft.frames, self._request.frames, self.notes, self.where())
        frames = tuple(self._frame(frame) for frame in frames)
        lines = line_mending.counted(
            draft.dialogue, self._request.dialogue_lines, len(frames), self.notes, self.where()
        )
        scene = replace(draft, frames=frames, dialogue=lines)
        return replace(
            scene, dialogue=line_mending.mended(scene, self._people, self._present, self.notes, self.where())
        )

    def reduced(self, draft: Scene, piece: str) -> Scene:
        """A frame becomes its people and what they do, with a face and a shot of its own."""
        kind, number = _split(piece)
        if kind != "frame":
            return draft
        frame = draft.frames[number - 1]
        who = self._subjects(number)
        text = frame_mending.reduced(frame, who, self._plan.location, _face(number, len(who)))
        self.notes(self._broken(draft, piece), self.where(piece), frame.description, text)
        return self.mended(_with_frame(draft, number, Frame(number, text)))

    def _broken(self, draft: Scene, piece: str) -> str:
        return next((flaw.breach.rule for flaw in self.flaws(draft) if flaw.piece == piece), "frame-action")

    def breaches(self, draft: Scene) -> tuple[Breach, ...]:
        """By the checker; also strangers by name, and frames asked for alone that show nobody."""
        return (*rules.breaches_of_scene(draft, self._request), *self._strangers(draft), *self._deserted(draft))

    def pieces(self, draft: Scene) -> dict[str, str]:
        """Frames, then lines."""
        frames = {f"frame {frame.number}": frame.description for frame in draft.frames}
        return frames | {f"line {index}": line.text for index, line in enumerate(draft.dialogue, 1)}

    def piece_of(self, breach: Breach) -> str:
        """The frame or the line; a line that nobody could say needs a frame with somebody in it."""
        if breach.rule == "dialogue-speaker":
            return "frame 1"
        found = _PIECE.search(breach.where)
        return found.group() if found else ""

    def rule_of_gap(self, piece: str) -> str:
        """Missing frames and lines are too few."""
        return "frames-counted" if piece.startswith("frame") else "dialogue-counted"

    def wanted(self, draft: Scene, piece: str) -> str:
        """What the frame or line should be."""
        kind, number = _split(piece)
        if kind == "frame":
            who = self._subjects(number)
            return (
                f"one sentence of at most 20 words that describes a picture: {' and '.join(who)} doing one simple "
                f"thing, {_face(number, len(who))}, {place_phrase(self._plan.location)}. No other person."
            )
        line = draft.dialogue[number - 1]
        return f"one sentence that {line.speaker} says in this scene, about what happens."

    def context(self, draft: Scene, piece: str) -> str:
        """What happens in the scene, and what stands before the piece."""
        kind, number = _split(piece)
        told = [f"Scene: {self._plan.content}"]
        if kind == "frame" and number > 1 and draft.frames[number - 2].description:
            told.append(f"The picture before: {draft.frames[number - 2].description}")
        if kind == "line" and number > 1 and draft.dialogue[number - 2].text:
            told.append(f"{draft.dialogue[number - 2].speaker} has just said: {draft.dialogue[number - 2].text}")
        told.append(f"Picture {number} of {self._request.frames}:" if kind == "frame" else "The sentence:")
        return "\n".join(told)

    def one(self, draft: Scene, piece: str) -> tuple[str, str]:
        """A frame has a template of its own."""
        kind, number = _split(piece)
        if kind != "frame":
            return super().one(draft, piece)
        self._asked_alone.add(piece)
        system = self.prompts["frame"].filled(
            who=" and ".join(self._subjects(number)),
            location=self._plan.location,
            expression=_face(number).split()[2],
        )
        return system, self.context(draft, piece)

    def sentences(self, piece: str) -> int:
        """One for a picture, two for a line."""
        return 1 if _split(piece)[0] == "frame" else 2

    def template_of(self, piece: str) -> str:
        """frame or part."""
        return "frame" if _split(piece)[0] == "frame" else "part"

    def put(self, draft: Scene, piece: str, text: str) -> Scene:
        """The draft with another frame or line."""
        kind, number = _split(piece)
        text = finished(text, self._subjects(number) if kind == "frame" else self._present, self._plan.location)
        if kind == "frame":
            text = frame_mending.with_subject(text, self._subjects(number))
            return _with_frame(draft, number, Frame(number, text))
        line = draft.dialogue[number - 1]
        spoken = as_sentence(line_mending.without_speaker(text, self._people))
        lines = (*draft.dialogue[: number - 1], replace(line, text=spoken), *draft.dialogue[number:])
        return replace(draft, dialogue=lines)

    def _strangers(self, draft: Scene) -> Iterator[Breach]:
        for frame in draft.frames:
            for name in frame_mending.strangers(frame.description, self._people):
                yield Breach("frame-aliases", f"frame {frame.number}", name, f"{name!r} is not one of the characters")

    def _deserted(self, draft: Scene) -> Iterator[Breach]:
        for frame in draft.frames:
            piece = f"frame {frame.number}"
            if piece in self._asked_alone and frame.description and not frame.characters:
                message = f"the description must show {' and '.join(self._subjects(frame.number))}"
                yield Breach("frame-characters", piece, frame.description, message)

    def _frame(self, frame: Frame) -> Frame:
        if not frame.description:
            return frame
        return frame_mending.mended(frame, self._request, self.notes, self.where(f"frame {frame.number}"))

    def _subjects(self, number: int) -> list[str]:
        """Who a frame shows that is asked for alone: everybody in turn, now and then two."""
        present = self._present
        if len(present) > 1 and number % 3 == 0:
            return present[:2]
        return [present[number % min(2, len(present))]]

    def where(self, piece: str = "") -> str:
        """Chapter, scene, and frame or line."""
        scene = f"chapter {self._request.chapter.number}, scene {self._plan.number}"
        return f"{scene}, {piece}" if piece else scene


def _present(request: SceneRequest) -> list[str]:
    """Who is there: those who act or are mentioned, in the order of the cast, and at least two where there are two."""
    plan = conditions.planned(request)
    names = [character.name for character in request.outline.characters]
    acting = [fact.who for fact in plan.facts if fact.who in names]
    mentioned = [name for name in names if re.search(rf"\b{re.escape(name)}\b", plan.content)]
    found = list(dict.fromkeys((*acting, *mentioned)))
    return found if len(found) > 1 else list(dict.fromkeys((*found, *names)))[:2]


def _frame_text(item: Any) -> tuple[str, tuple[str, ...]]:
    if not isinstance(item, dict):
        return lenient.text(item), ()
    text = lenient.text(lenient.field(item, "description", "text", "content", "frame", "image", "prompt", "action"))
    return text, tuple(lenient.texts(lenient.field(item, "characters", "people", "who", "character")))


def _line(item: Any) -> Line | None:
    """A line as it comes: an object, {"Mara": "Hello"} or "Mara: Hello"."""
    if isinstance(item, dict):
        text = lenient.text(lenient.field(item, "text", "line", "content", "says", "dialogue", "speech"))
        speaker = lenient.text(lenient.field(item, "speaker", "character", "name", "who"))
        after = lenient.number(lenient.field(item, "after_frame", "frame", "after"), 0)
        if not text and len(item) == 1:
            speaker, text = next((str(name), lenient.text(value)) for name, value in item.items())
        return Line(after, speaker, text) if text else None
    speaker, _, text = lenient.text(item).partition(":")
    return Line(0, speaker.strip(), text.strip()) if text.strip() else None


def _split(piece: str) -> tuple[str, int]:
    kind, number = piece.split()
    return kind, int(number)


def _face(number: int, people: int = 1) -> str:
    expression = vocabulary.EXPRESSIONS[number % len(vocabulary.EXPRESSIONS)]
    return expression.one if people == 1 else expression.two


def _with_frame(draft: Scene, number: int, frame: Frame) -> Scene:
    return replace(draft, frames=(*draft.frames[: number - 1], frame, *draft.frames[number:]))

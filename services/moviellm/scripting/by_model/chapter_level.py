"""Level 2 as a language model is asked for it: a chapter's scenes."""

import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

from moviellm.llm.reply import Unusable
from moviellm.movie import Chapter, ScenePlan
from moviellm.scripting.by_model import conditions, fact_mending, lenient, replies
from moviellm.scripting.by_model.level import Level
from moviellm.scripting.by_model.mending import as_sentence, closest, evenly, finished, last_sentence
from moviellm.scripting.by_model.prompts import Prompts
from moviellm.scripting.checker import rules
from moviellm.scripting.checker.breach import Breach
from moviellm.scripting.writer import ChapterRequest

_PIECE = re.compile(r"\bscene \d+")


class ChapterLevel(Level[Chapter]):
    """Pieces: "scene 1" …, the content of each scene."""

    name = "chapter"
    reply = replies.ChapterReply

    def __init__(self, request: ChapterRequest, prompts: Prompts) -> None:
        super().__init__(prompts)
        self._request = request
        self._plan = conditions.outlined(request.outline, request.chapter)
        self._people = request.outline.characters
        self._names = [character.name for character in self._people]

    def whole(self) -> tuple[str, str]:
        """System and user message that ask for everything."""
        return conditions.chapter(self._request, self.prompts)

    def read(self, value: dict[str, Any]) -> Chapter:
        """Scenes as they come; Unusable where less than half of them are there."""
        value = lenient.unwrapped(value, "scenes")
        scenes = [scene for scene in map(_scene, lenient.items(lenient.field(value, "scenes"))) if scene.content]
        if len(scenes) * 2 < self._request.scenes:
            raise Unusable(f"there must be exactly {self._request.scenes} scenes with a content, got {len(scenes)}")
        return Chapter(self._plan.number, tuple(scenes))

    def blank(self) -> Chapter:
        """No scene has a content."""
        return self.mended(Chapter(self._plan.number, ()))

    def mended(self, draft: Chapter) -> Chapter:
        """Numbers, locations, facts, and what is true before and after."""
        scenes = [self._scene(number, scene) for number, scene in enumerate(self._counted(draft.scenes), 1)]
        return replace(draft, scenes=self._joined(scenes))

    def reduced(self, draft: Chapter, piece: str) -> Chapter:
        """Nothing can be kept of a content that breaks rules."""
        return draft

    def breaches(self, draft: Chapter) -> tuple[Breach, ...]:
        """By the checker."""
        return rules.breaches_of_chapter(draft, self._request)

    def pieces(self, draft: Chapter) -> dict[str, str]:
        """The scenes."""
        return {f"scene {scene.number}": scene.content for scene in draft.scenes}

    def piece_of(self, breach: Breach) -> str:
        """The scene."""
        found = _PIECE.search(breach.where)
        return found.group() if found else ""

    def rule_of_gap(self, piece: str) -> str:
        """A scene tells something."""
        return "scene-told"

    def wanted(self, draft: Chapter, piece: str) -> str:
        """What the scene should be."""
        number = _number(piece)
        scene = draft.scenes[number - 1]
        return (
            f"what happens in scene {number} of {self._request.scenes} of this chapter, in the {scene.location}: one "
            f"or two sentences in the present tense about {conditions.names(self._request.outline)}."
        )

    def context(self, draft: Chapter, piece: str) -> str:
        """The chapter, and the scene before."""
        number = _number(piece)
        told = [f"Chapter: {self._plan.content}"]
        if number > 1 and draft.scenes[number - 2].content:
            told.append(f"Scene {number - 1}: {draft.scenes[number - 2].content}")
        if number == self._request.scenes and self._plan.after:
            told.append(f"It ends so: {self._plan.after}")
        return "\n".join((*told, f"Scene {number}:"))

    def put(self, draft: Chapter, piece: str, text: str) -> Chapter:
        """The draft with another content of a scene; what it told of facts is no longer sure."""
        number = _number(piece)
        scenes = list(draft.scenes)
        scenes[number - 1] = replace(scenes[number - 1], content=as_sentence(finished(text, self._names)), after="")
        return replace(draft, scenes=tuple(scenes))

    def _counted(self, scenes: tuple[ScenePlan, ...]) -> list[ScenePlan]:
        wanted = self._request.scenes
        if len(scenes) > wanted:
            self.notes("scenes-counted", self.where(), f"{len(scenes)} scenes", f"{wanted} of them")
        kept = [scenes[index] for index in evenly(len(scenes), wanted)] if scenes else []
        return kept + [ScenePlan(0, "", "")] * (wanted - len(kept))

    def _scene(self, number: int, scene: ScenePlan) -> ScenePlan:
        where, places = f"{self.where()}, scene {number}", self._plan.locations
        location = closest(scene.location, places) or closest(scene.content, places)
        location = location or places[(number - 1) * len(places) // self._request.scenes]
        if scene.location:
            self.notes("scene-location", where, scene.location, location)
        content = finished(scene.content, self._names, location)
        self.notes("chapter-plain", where, scene.content, content)
        outline = self._request.outline
        facts = fact_mending.mended(scene.facts, self._people, outline.locations, "scene-facts", self.notes, where)
        before, after = finished(scene.before, self._names), finished(scene.after, self._names)
        return ScenePlan(number, location, content, facts, before, after or last_sentence(content))

    def _joined(self, scenes: list[ScenePlan]) -> tuple[ScenePlan, ...]:
        """What is true before a scene is what is true after the one before it; the chapter's own ends hold outside."""
        scenes[0] = replace(scenes[0], before=self._plan.before or scenes[0].before)
        scenes[-1] = replace(scenes[-1], after=self._plan.after or scenes[-1].after)
        for index, (first, second) in enumerate(pairwise(scenes), 1):
            if second.before:
                self.notes("scenes-join", f"{self.where()}, scene {index + 1}", second.before, first.after)
            scenes[index] = replace(second, before=first.after)
        return tuple(scenes)

    def where(self, piece: str = "") -> str:
        """Chapter, and scene."""
        return f"chapter {self._plan.number}, {piece}" if piece else f"chapter {self._plan.number}"


def _scene(item: Any) -> ScenePlan:
    if not isinstance(item, dict):
        return ScenePlan(0, "", lenient.text(item))
    return ScenePlan(
        number=0,
        location=lenient.text(lenient.field(item, "location", "place", "setting")),
        content=lenient.text(lenient.field(item, "content", "description", "text", "summary", "action", "plot")),
        facts=fact_mending.read(lenient.field(item, "facts")),
        before=lenient.text(lenient.field(item, "before")),
        after=lenient.text(lenient.field(item, "after")),
    )


def _number(piece: str) -> int:
    return int(piece.split()[1])

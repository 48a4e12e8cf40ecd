"""The embedded writer: a deterministic story grammar that needs neither network nor key."""

from moviellm.movie import Chapter, Outline, Scene
from moviellm.scripting.checker import rules
from moviellm.scripting.storyteller import chapter, outline
from moviellm.scripting.storyteller import scene as scenes
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest, Written

MODEL = "storyteller"


class Storyteller:
    """A Writer whose every answer is a function of the request alone."""

    async def outline(self, request: OutlineRequest) -> Written[Outline]:
        """Level 1."""
        written = outline.write(request)
        rules.check_outline(written, request)
        return Written(written, MODEL)

    async def chapter(self, request: ChapterRequest) -> Written[Chapter]:
        """Level 2."""
        written = chapter.write(request)
        rules.check_chapter(written, request)
        return Written(written, MODEL)

    async def scene(self, request: SceneRequest) -> Written[Scene]:
        """Level 3."""
        written = scenes.write(request)
        rules.check_scene(written, request)
        return Written(written, MODEL)

    async def check(self) -> None:
        """Always ready."""

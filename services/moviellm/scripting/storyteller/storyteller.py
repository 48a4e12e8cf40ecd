"""The embedded writer: a deterministic story grammar that needs neither network nor key."""

import contextlib
from collections.abc import Iterator

from moviellm.errors import Unsatisfied
from moviellm.movie import Chapter, Outline, Scene
from moviellm.scripting.checker import rules
from moviellm.scripting.checker.breach import RuleBroken
from moviellm.scripting.storyteller import chapter, outline
from moviellm.scripting.storyteller import scene as scenes
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest, Written

MODEL = "storyteller"
UNMET = "SCRIPT_RULE_UNMET"


class Storyteller:
    """A Writer whose every answer is a function of the request alone."""

    async def outline(self, request: OutlineRequest) -> Written[Outline]:
        """Level 1."""
        written = outline.write(request)
        with _told():
            rules.check_outline(written, request)
        return Written(written, MODEL)

    async def chapter(self, request: ChapterRequest) -> Written[Chapter]:
        """Level 2."""
        written = chapter.write(request)
        with _told():
            rules.check_chapter(written, request)
        return Written(written, MODEL)

    async def scene(self, request: SceneRequest) -> Written[Scene]:
        """Level 3."""
        written = scenes.write(request)
        with _told():
            rules.check_scene(written, request)
        return Written(written, MODEL)

    async def check(self) -> None:
        """Always ready."""


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """What the storyteller took over from a request may break the rules; that is the request's fault, not a bug."""
    try:
        yield
    except RuleBroken as error:
        raise Unsatisfied(f"no script can be written to this request: {error.message}", reason=UNMET) from error

"""The five services as one small in-memory double: honest artifacts, a few knobs for trouble."""

import asyncio
from collections import Counter

from moviellm.artifacts import digest
from moviellm.controller.stages import InversionProgress, InversionResult, Made, RenderedPicture
from moviellm.dataset import Exported, Questions
from moviellm.movie import (
    Chapter,
    ChapterOutline,
    Character,
    CharacterRole,
    Frame,
    FrameRange,
    LearnedStyle,
    Line,
    Outline,
    Question,
    QuestionKind,
    Scene,
    ScenePlan,
    StoredFile,
    Style,
    Work,
)

MARA = Character("Mara", CharacterRole.MAIN, "a young woman in a red coat", "red")


class FakeStages:
    """Counts calls; `fail[call]` is a list of errors to raise first; `gate` holds rendering back while it
    is closed, and closes by itself after `closes_after` pictures."""

    def __init__(self, store):
        self.store = store
        self.calls = Counter()
        self.fail = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.closes_after = None
        self.closed = asyncio.Event()
        self.order = []

    def _called(self, call):
        self.calls[call] += 1
        self.order.append(call)
        for name in (call, call.split(" ")[0]):
            if self.fail.get(name):
                raise self.fail[name].pop(0)

    def _made(self, value, model="fake"):
        return Made(value, Work(model=model, seconds=0.01), "0" * 64)

    async def write_outline(self, spec, seed):
        self._called("outline")
        await asyncio.sleep(0)
        chapters = tuple(
            ChapterOutline(n, f"Chapter {n}", ("harbor",), f"content {n}") for n in range(1, spec.chapters + 1)
        )
        return self._made(
            Outline(f"Title {seed}", spec.theme, "overview", Style("noir"), ("harbor", "beach"), (MARA,), chapters)
        )

    async def write_chapter(self, outline, chapter, scenes, seed):
        self._called(f"chapter {chapter}")
        return self._made(Chapter(chapter, tuple(ScenePlan(n, "harbor", f"scene {n}") for n in range(1, scenes + 1))))

    async def write_scene(self, outline, chapter, scene, frames, dialogue_lines, seed):
        self._called(f"scene {chapter.number}-{scene}")
        return self._made(
            Scene(
                chapter.number,
                scene,
                tuple(Frame(n, f"Mara stands at the harbor, shot {n}", ("Mara",)) for n in range(1, frames + 1)),
                tuple(Line(1, "Mara", "Hello.") for _ in range(dialogue_lines)),
            )
        )

    async def _pictures(self, orders, call):
        for order in orders:
            await self.gate.wait()
            self._called(call)
            data = f"{order.prompt} {order.seed}".encode()
            key = self.store.key(order.uri)
            existed = not await self.store.put(key, data)
            self.calls["picture"] += not existed
            if self.calls["picture"] == self.closes_after:
                self.gate.clear()
                self.closed.set()
            yield RenderedPicture(order.number, StoredFile(order.uri, digest(data), len(data)), existed, Work())

    def render_references(self, orders, model):
        return self._pictures(orders, "reference")

    def render_scene(self, orders, style, model, negative_prompt):
        return self._pictures(orders, "frame")

    async def learn_style(self, order):
        self._called("style")
        yield InversionProgress(1, 2, 0.5)
        await asyncio.sleep(0)
        style = LearnedStyle(f"{order.output_uri}/learned_embeds.safetensors", "d" * 64, "<noir>")
        yield InversionResult(style, 0.5, 0.4, 2, Work())

    def _questions(self, call, level):
        self._called(call)
        return self._made(Questions((Question(QuestionKind.PLOT, "what", "What?", "That.", FrameRange(1, 1), level),)))

    async def ask_movie(self, outline, shape, seed):
        return self._questions("ask movie", "movie")

    async def ask_chapter(self, outline, chapter, shape, seed):
        return self._questions(f"ask chapter {chapter.number}", "chapter")

    async def ask_scene(self, outline, chapter, scene, shape, seed):
        return self._questions(f"ask scene {scene.chapter}-{scene.number}", "scene")

    async def ask_order(self, outline, chapters, shape, seed):
        return self._questions("ask order", "movie")

    async def export_movie(self, dataset, spec, movie):
        self._called(f"export {movie}")
        await self.store.put(f"datasets/{dataset}/files/movies/{movie:04}/movie.json", b"{}")
        return self._made(Exported(()))

    async def finish_dataset(self, dataset, spec):
        self._called("finish")
        await self.store.put(f"datasets/{dataset}/files/index.html", b"<html>")
        return self._made(Exported(()))

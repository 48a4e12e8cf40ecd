"""The five services as one small in-memory double: honest artifacts, a few knobs for trouble."""

import asyncio
from collections import Counter
from dataclasses import replace

from moviellm.artifacts import digest
from moviellm.controller.stages import (
    ImportedPlot,
    InversionProgress,
    InversionResult,
    Made,
    RenderedPicture,
    Renderer,
    RenderProfile,
    TokenEstimate,
)
from moviellm.dataset import Attempt, Exported, PictureMeasures, Questions, StyleMethod
from moviellm.errors import InvalidInput
from moviellm.movie import (
    Chapter,
    ChapterOutline,
    Character,
    CharacterRole,
    Dropped,
    Frame,
    FrameRange,
    LearnedStyle,
    Line,
    Mend,
    Outline,
    Question,
    QuestionKind,
    Scene,
    ScenePlan,
    Shape,
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
        self.prompts = []
        self.tokens = 0
        self.reviewed = ()
        self.methods = (StyleMethod.TEXTUAL_INVERSION, StyleMethod.LORA)
        self.described = Renderer("fake", 128, 128, RenderProfile("", 5, 2.0))
        self.style_orders = []
        self.options = []

    def _called(self, call):
        self.calls[call] += 1
        self.order.append(call)
        for name in (call, call.split(" ")[0]):
            if self.fail.get(name):
                raise self.fail[name].pop(0)

    def _made(self, value, model="fake", tokens=0):
        return Made(value, Work(model=model, seconds=0.01, prompt_tokens=tokens, completion_tokens=tokens), "0" * 64)

    async def import_plot(self, plot, spec, shape):
        self._called("import")
        if b"bad" in plot:
            raise InvalidInput("plot.frames", "must be a list")
        outline = (await self.write_outline(replace(spec, chapters=2), 99)).value
        scene = (await self.write_scene(replace(spec, frames=3), outline, Chapter(1, ()), 1, 0)).value
        own = Question(QuestionKind.PLOT, "imported", "Who?", "Mara.", FrameRange(1, 1), "movie")
        size = Shape(2, shape.scenes or 2, shape.frames or 3)
        return ImportedPlot(outline, (), (scene,), (own,), size, (Mend("a-rule", "frame 1", "was", "now"),))

    async def estimate_tokens(self, spec):
        self._called("estimate")
        if any(prompt.text == "bad" for prompt in spec.prompts):
            raise InvalidInput("prompts[0].text", "must hold $theme")
        return (TokenEstimate(100, 20, "fake"), TokenEstimate(10, 2, "fake"))

    async def weights(self):
        return "weights"

    async def style_methods(self):
        return self.methods

    async def renderer(self):
        self._called("renderer")
        return self.described

    async def measure(self, pictures, texts, references):
        self._called(f"measure {len(pictures)}")
        scores = (0.5,) * len(pictures)
        return self._made(PictureMeasures(len(pictures), 0.5, 0.5, 0.1, 0.2, 0.3, scores, "fake"))

    async def review(self, outline, questions):
        self._called("review")
        self.reviewed = questions
        return self._made(Questions(questions[:1], (Dropped("near duplicate", len(questions) - 1),)))

    async def write_outline(self, spec, seed):
        self._called("outline")
        await asyncio.sleep(0)
        chapters = tuple(
            ChapterOutline(n, f"Chapter {n}", ("harbor",), f"content {n}") for n in range(1, spec.chapters + 1)
        )
        return self._made(
            Outline(f"Title {seed}", spec.theme, "overview", Style("noir"), ("harbor", "beach"), (MARA,), chapters)
        )

    async def write_chapter(self, spec, outline, chapter, seed):
        self._called(f"chapter {chapter}")
        scenes = tuple(ScenePlan(n, "harbor", f"scene {n}") for n in range(1, spec.scenes + 1))
        return self._made(Chapter(chapter, scenes), tokens=self.tokens)

    async def write_scene(self, spec, outline, chapter, scene, seed):
        self._called(f"scene {chapter.number}-{scene}")
        return self._made(
            Scene(
                chapter.number,
                scene,
                tuple(Frame(n, f"Mara stands at the harbor, shot {n}", ("Mara",)) for n in range(1, spec.frames + 1)),
                tuple(Line(1, "Mara", "Hello.") for _ in range(spec.dialogue_lines)),
            ),
            tokens=self.tokens,
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
            self.prompts.append(order.prompt)
            attempts = (Attempt(order.seed, 0.4),)
            file = StoredFile(order.uri, digest(data), len(data))
            yield RenderedPicture(order.number, file, existed, Work(), attempts)

    def render_references(self, orders, model):
        return self._pictures(orders, "reference")

    def render_scene(self, orders, looks, options):
        self.options.append(options)
        return self._pictures(orders, "frame")

    async def learn_style(self, order):
        self._called("style")
        self.style_orders.append(order)
        yield InversionProgress(1, 2, 0.5)
        await asyncio.sleep(0)
        token = f"<{order.style.keyword.lower().replace(' ', '-')}>"
        style = LearnedStyle(f"{order.output_uri}/learned_embeds.safetensors", "d" * 64, token)
        yield InversionResult(style, 0.5, 0.4, 2, Work())

    def _questions(self, call, level):
        self._called(call)
        return self._made(Questions((Question(QuestionKind.PLOT, "what", "What?", "That.", FrameRange(1, 1), level),)))

    async def ask_movie(self, spec, outline, seed):
        return self._questions("ask movie", "movie")

    async def ask_chapter(self, spec, outline, chapter, seed):
        return self._questions(f"ask chapter {chapter.number}", "chapter")

    async def ask_scene(self, spec, outline, chapter, scene, seed):
        return self._questions(f"ask scene {scene.chapter}-{scene.number}", "scene")

    async def ask_order(self, spec, outline, chapters, scenes, seed):
        return self._questions("ask order", "movie")

    async def export_movie(self, dataset, spec, movie):
        self._called(f"export {movie}")
        await self.store.put(f"datasets/{dataset}/files/movies/{movie:04}/movie.json", b"{}")
        return self._made(Exported(()))

    async def finish_dataset(self, dataset, spec):
        self._called("finish")
        await self.store.put(f"datasets/{dataset}/files/index.html", b"<html>")
        return self._made(Exported(()))

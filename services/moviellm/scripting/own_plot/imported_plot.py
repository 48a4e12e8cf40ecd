"""A requester's own plot, in any of three layouts: what is wrong with it is mended and listed, or refused.

An outline, a script {"outline", "chapters", "scenes"}, or a story in the authors' published layout. Nothing that
breaks a rule gets through: what comes out has passed moviellm.scripting.rules.
"""

from dataclasses import dataclass, replace

from moviellm.dataset import derived_seed
from moviellm.errors import InvalidInput
from moviellm.movie import Chapter, Character, Mend, Outline, Question, Scene, ScenePlan, Shape
from moviellm.scripting.checker import plain_text, rules
from moviellm.scripting.checker.breach import Breach
from moviellm.scripting.checker.tokens import TokenCounter, estimated
from moviellm.scripting.own_plot import import_chapters, import_outline, import_scenes, import_story
from moviellm.scripting.own_plot.import_cast import mended_cast
from moviellm.scripting.own_plot.import_questions import questions_of
from moviellm.scripting.own_plot.import_telling import place_in, plan_of
from moviellm.scripting.own_plot.plot_draft import MAX_PARTS, Draft, read_outline, read_script
from moviellm.scripting.own_plot.plot_json import FIELD, Ledger, Node, read
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest

LAYOUTS = (
    'must be an outline {"title", "overview", "characters", "chapters" …}, a script {"outline", "chapters", "scenes"}, '
    'or a story {"character", "overview", "img_diag", "QA"}'
)
_OUTLINE_FIELDS = {"title", "overview", "synopsis", "style", "locations", "characters", "chapters", "facts"}
_DEFAULT = Shape(3, 3, 6)
MOST_FRAMES = 64 * 64
"""Most frames of the scenes that a plot brings, those that are filled up to the movie's size among them."""


@dataclass(frozen=True)
class ImportRequest:
    """A plot to be read: UTF-8 JSON, and what the dataset's request says; 0 in `shape` takes the plot's own size.

    `count` measures the prompts.
    """

    plot: bytes
    theme: str
    shape: Shape
    seed: int
    preset: str = ""
    description: str = ""
    dialogue_lines: int = 6
    count: TokenCounter = estimated


@dataclass(frozen=True)
class ImportedPlot:
    """What the plot has, complete and by the rules; chapters and scenes that it lacks are left to a writer."""

    outline: Outline
    chapters: tuple[Chapter, ...]
    scenes: tuple[Scene, ...]
    questions: tuple[Question, ...]
    shape: Shape
    mends: tuple[Mend, ...]


def import_plot(request: ImportRequest) -> ImportedPlot:
    """Read, mend and check a plot.

    Raises InvalidInput, naming `plot` with the path inside it, for what is no plot at all: bad JSON, more than 8 MiB,
    wrong types, too deep nesting, more than 1331 frames, a story without frames.
    """
    _check_shape(request.shape)
    ledger = Ledger()
    node = read(request.plot, ledger)
    layout = _layout(node)
    if layout == "story":
        story = import_story.read_story(node, ledger)
        people = mended_cast(story.draft.characters, " ".join(story.frames), request.seed, ledger)
        shape = import_story.shape_of(len(story.frames), request.shape)
        draft = import_story.drafted(story, people, shape, ledger)
    else:
        draft = read_script(node, ledger) if layout == "script" else read_outline(node, ledger)
        people = mended_cast(draft.characters, _text_of(draft), request.seed, ledger)
        shape = _own_shape(draft, request.shape)
        if len(draft.scenes) * shape.frames > MOST_FRAMES:
            raise InvalidInput(f"{FIELD}.scenes", f"may come to at most {MOST_FRAMES} frames, filled up to the shape")
        draft = _planned(_ordered(draft, shape, ledger), people)
    return _completed(draft, people, replace(request, shape=shape), ledger)


def _check_shape(shape: Shape) -> None:
    for name, side in (("chapters", shape.chapters), ("scenes", shape.scenes), ("frames", shape.frames)):
        if not 0 <= side <= MAX_PARTS:
            raise InvalidInput(f"shape.{name}", f"must be from 0 to {MAX_PARTS}, got {side}")


def _layout(node: Node) -> str:
    fields = {name.strip().lower() for name, _ in node.fields()}
    if "img_diag" in fields or ("character" in fields and "characters" not in fields):
        return "story"
    if fields & {"outline", "scenes"} or any(
        isinstance(item.value, dict) and "scenes" in item.value for item in _chapters(node)
    ):
        return "script"
    if fields & _OUTLINE_FIELDS:
        return "outline"
    raise InvalidInput(FIELD, LAYOUTS)


def _chapters(node: Node) -> tuple[Node, ...]:
    chapters = node.get("chapters")
    return chapters.items() if isinstance(chapters.value, list) else ()


def _text_of(draft: Draft) -> str:
    texts = [draft.overview, *(chapter.content for chapter in draft.chapters)]
    texts += [frame.description for scene in draft.scenes for frame in scene.frames]
    return " ".join(texts)


def _own_shape(draft: Draft, asked: Shape) -> Shape:
    """The size that was asked for; where it was not, the plot's, where that has none, the usual."""
    chapters = max(
        len(draft.chapters),
        *(plan.number for plan in draft.plans),
        *(scene.chapter for scene in draft.scenes),
        0,
        0,
    )
    scenes = max(*(len(plan.scenes) for plan in draft.plans), *(scene.number for scene in draft.scenes), 0, 0)
    frames = max(*(len(scene.frames) for scene in draft.scenes), 0, 0)
    sides = zip((asked.chapters, asked.scenes, asked.frames), (chapters, scenes, frames), _sides(_DEFAULT), strict=True)
    return Shape(*(min(MAX_PARTS, want or own or usual) for want, own, usual in sides))


def _sides(shape: Shape) -> tuple[int, int, int]:
    return shape.chapters, shape.scenes, shape.frames


def _ordered(draft: Draft, shape: Shape, ledger: Ledger) -> Draft:
    """Every part once and where it belongs; scenes that name no chapter follow each other."""
    plans: dict[int, Chapter] = {}
    for plan in draft.plans:
        if 1 <= plan.number <= shape.chapters and plan.number not in plans:
            plans[plan.number] = plan
        else:
            ledger.note("chapters-counted", f"chapters, chapter {plan.number}", f"{len(plan.scenes)} scenes")
    scenes: dict[tuple[int, int], Scene] = {}
    for index, scene in enumerate(draft.scenes):
        chapter, number = scene.chapter, scene.number
        if not chapter:
            chapter, number = 1 + index // shape.scenes, 1 + index % shape.scenes
        fits = 1 <= chapter <= shape.chapters and 1 <= number <= shape.scenes and (chapter, number) not in scenes
        if fits and scene.frames:
            scenes[chapter, number] = replace(scene, chapter=chapter, number=number)
        else:
            ledger.note("scenes-counted", f"chapter {chapter}, scene {number}", f"{len(scene.frames)} frames")
    return replace(
        draft,
        plans=tuple(plans[number] for number in sorted(plans)),
        scenes=tuple(scenes[key] for key in sorted(scenes)),
    )


def _planned(draft: Draft, people: tuple[Character, ...]) -> Draft:
    """A plan for every written scene that has none, told from its frames."""
    plans = {plan.number: list(plan.scenes) for plan in draft.plans}
    places = (*draft.locations, *(place for chapter in draft.chapters for place in chapter.locations))
    for scene in draft.scenes:
        planned = plans.setdefault(scene.chapter, [])
        while len(planned) < scene.number:
            planned.append(ScenePlan(len(planned) + 1, "", ""))
        if not planned[scene.number - 1].content:
            here = planned[scene.number - 1].location or next(
                (place for frame in scene.frames if (place := place_in(frame.description, places))), ""
            )
            told = plan_of(scene, here, people)
            planned[scene.number - 1] = replace(told, number=scene.number, facts=told.facts if here else ())
    return replace(draft, plans=tuple(Chapter(number, tuple(plans[number])) for number in sorted(plans)))


def _completed(draft: Draft, people: tuple[Character, ...], request: ImportRequest, ledger: Ledger) -> ImportedPlot:
    shape = request.shape
    theme = plain_text.cleaned(request.theme) or draft.theme or draft.title or draft.overview[:80] or "a story"
    wanted = OutlineRequest(theme, shape.chapters, request.seed, request.preset, request.description)
    outline, became = import_outline.completed(draft, people, wanted, ledger)
    chapters: dict[int, Chapter] = {}
    for plan in draft.plans:
        seed = derived_seed(request.seed, "chapter", plan.number)
        asked = ChapterRequest(outline, plan.number, shape.scenes, seed)
        chapters[plan.number] = import_chapters.completed(plan.scenes, asked, became, ledger)
        _certain(rules.breaches_of_chapter(chapters[plan.number], asked))
    scenes = tuple(_scene(scene, outline, chapters[scene.chapter], request, ledger) for scene in draft.scenes)
    _certain(rules.breaches_of_outline(outline, wanted))
    questions = questions_of(draft.questions, outline, scenes, shape, ledger)
    return ImportedPlot(outline, tuple(chapters.values()), scenes, questions, shape, ledger.mends)


def _scene(given: Scene, outline: Outline, chapter: Chapter, request: ImportRequest, ledger: Ledger) -> Scene:
    seed = derived_seed(request.seed, "scene", given.chapter, given.number)
    asked = SceneRequest(
        outline, chapter, given.number, request.shape.frames, request.dialogue_lines, seed, count=request.count
    )
    scene = import_scenes.completed(given, asked, ledger)
    _certain(rules.breaches_of_scene(scene, replace(asked, dialogue_lines=len(scene.dialogue))))
    return scene


def _certain(breaches: tuple[Breach, ...]) -> None:
    """Refuse what could not be mended, rather than pass it on."""
    if breaches:
        raise InvalidInput(FIELD, f"cannot be mended: {breaches[0]} (rule {breaches[0].rule})")

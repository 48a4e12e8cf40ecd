"""What a requester's plot says, with gaps: the domain's parts whose empty fields are still to be filled."""

from dataclasses import dataclass

from moviellm.movie import (
    Chapter,
    ChapterOutline,
    Character,
    CharacterRole,
    Fact,
    Frame,
    Line,
    Scene,
    ScenePlan,
    Style,
)
from moviellm.scripting.own_plot.plot_json import Ledger, Node

MAX_PARTS = 64
MAX_FRAMES = 1331
MAX_QUESTIONS = 2000


@dataclass(frozen=True)
class Draft:
    """A plot as it was sent. Numbers count the parts in the order in which they stood."""

    title: str = ""
    theme: str = ""
    overview: str = ""
    style: Style | None = None
    locations: tuple[str, ...] = ()
    characters: tuple[Character, ...] = ()
    chapters: tuple[ChapterOutline, ...] = ()
    facts: tuple[Fact, ...] = ()
    plans: tuple[Chapter, ...] = ()
    scenes: tuple[Scene, ...] = ()
    questions: tuple[tuple[str, str], ...] = ()


def read_outline(node: Node, ledger: Ledger) -> Draft:
    """The outline layout: our own outline's JSON, any field missing."""
    chapters = limited(node.get("chapters"), MAX_PARTS, "chapters")
    return Draft(
        title=node.get("title").text(300),
        theme=node.get("theme").text(500),
        overview=node.get("overview", "synopsis").text(),
        style=read_style(node.get("style")),
        locations=node.get("locations").texts(),
        characters=tuple(read_character(item) for item in limited(node.get("characters"), MAX_PARTS, "characters")),
        chapters=tuple(read_chapter_outline(item, number) for number, item in enumerate(chapters, start=1)),
        facts=read_facts(node.get("facts")),
    )


def read_script(node: Node, ledger: Ledger) -> Draft:
    """The script layout: an outline, chapters and scenes, any of them partial."""
    outline = read_outline(node.get("outline"), ledger) if not node.get("outline").is_missing else Draft()
    plans = limited(node.get("chapters"), MAX_PARTS, "chapters")
    scenes = limited(node.get("scenes"), MAX_PARTS * MAX_PARTS, "scenes")
    draft = Draft(
        **{name: getattr(outline, name) for name in Draft.__dataclass_fields__ if name not in _SCRIPT_FIELDS},
        plans=tuple(read_chapter(item, number) for number, item in enumerate(plans, start=1)),
        scenes=tuple(read_scene(item, number) for number, item in enumerate(scenes, start=1)),
        questions=read_questions(node.get("questions", "QA")),
    )
    total = sum(len(scene.frames) for scene in draft.scenes)
    if total > MAX_FRAMES:
        node.get("scenes").refuse(f"may hold at most {MAX_FRAMES} frames, got {total}")
    return draft


_SCRIPT_FIELDS = ("plans", "scenes", "questions")


def limited(node: Node, most: int, what: str) -> tuple[Node, ...]:
    """The elements of a list of at most `most`."""
    items = node.items()
    if len(items) > most:
        node.refuse(f"may hold at most {most} {what}, got {len(items)}")
    return items


def read_style(node: Node) -> Style | None:
    """A style given as an object or as a few words."""
    if node.is_missing:
        return None
    if isinstance(node.value, str):
        return Style("", node.texts())
    return Style(node.get("keyword").text(100), node.get("phrases").texts(), node.get("adjectives").texts())


def read_character(node: Node) -> Character:
    """A character given as an object, or as a text "Name: appearance"."""
    if isinstance(node.value, str):
        name, _, appearance = node.text(2000).partition(":")
        return Character(name.strip(), CharacterRole.MAIN, appearance.strip(), "")
    role = node.get("role").text(40).lower()
    return Character(
        name=node.get("name").text(100),
        role=CharacterRole.SUPPORTING if role.startswith(("support", "minor", "side")) else CharacterRole.MAIN,
        appearance=node.get("appearance", "description", "look").text(2000),
        clothing_color=node.get("clothing_color", "color", "colour").text(60),
        occupation=node.get("occupation", "job").text(100),
        aliases=node.get("aliases").texts(100),
    )


def read_chapter_outline(node: Node, number: int) -> ChapterOutline:
    """A chapter of an outline, or its content alone as a text."""
    if isinstance(node.value, str):
        return ChapterOutline(number, "", (), node.text(4000))
    return ChapterOutline(
        number=number,
        title=node.get("title").text(300),
        locations=node.get("locations", "location").texts(),
        content=node.get("content", "summary").text(8000),
        facts=read_facts(node.get("facts")),
        before=node.get("before").text(1000),
        after=node.get("after").text(1000),
    )


def read_facts(node: Node) -> tuple[Fact, ...]:
    """Facts; each is an object."""
    return tuple(
        Fact(
            who=item.get("who").text(100),
            deed=item.get("deed").text(500),
            reason=item.get("reason").text(500),
            means=item.get("means").text(500),
            place=item.get("place").text(100),
        )
        for item in limited(node, 200, "facts")
    )


def read_chapter(node: Node, number: int) -> Chapter:
    """A chapter divided into scenes."""
    scenes = limited(node.get("scenes"), MAX_PARTS, "scenes")
    return Chapter(
        number=node.get("number").number(number),
        scenes=tuple(_read_plan(item, index) for index, item in enumerate(scenes, start=1)),
    )


def _read_plan(node: Node, number: int) -> ScenePlan:
    if isinstance(node.value, str):
        return ScenePlan(number, "", node.text(4000))
    return ScenePlan(
        number=number,
        location=node.get("location").text(100),
        content=node.get("content", "summary").text(4000),
        facts=read_facts(node.get("facts")),
        before=node.get("before").text(1000),
        after=node.get("after").text(1000),
    )


def read_scene(node: Node, number: int) -> Scene:
    """A scene written out; one without numbers counts on in the order of the list (chapter 0)."""
    frames = limited(node.get("frames"), MAX_FRAMES, "frames")
    lines = limited(node.get("dialogue", "dialogues", "lines"), 2000, "lines")
    return Scene(
        chapter=node.get("chapter").number(0),
        number=node.get("number").number(number),
        frames=tuple(_read_frame(item, index) for index, item in enumerate(frames, start=1)),
        dialogue=tuple(read_line(item) for item in lines),
    )


def _read_frame(node: Node, number: int) -> Frame:
    if isinstance(node.value, str):
        return Frame(number, node.text(2000))
    characters = node.get("characters").texts(100)
    return Frame(number, node.get("description", "frame", "text").text(2000), characters)


def read_line(node: Node, after_frame: int = 0) -> Line:
    """A line of dialogue given as an object, or as a text "Name: words"."""
    if isinstance(node.value, str):
        speaker, _, said = node.text(2000).partition(":")
        return Line(after_frame, speaker.strip(), said.strip().strip('"“”').strip())
    return Line(
        after_frame=node.get("after_frame").number(after_frame),
        speaker=node.get("speaker", "name").text(100),
        text=node.get("text", "line", "dialogue").text(2000),
    )


def read_questions(node: Node) -> tuple[tuple[str, str], ...]:
    """Pairs of question and answer, also grouped under the names of their kinds."""
    found: list[tuple[str, str]] = []
    for item in limited(node, MAX_QUESTIONS, "questions"):
        if isinstance(item.value, dict) and item.get("question", "q").is_missing:
            groups = [group for _, group in item.fields() if isinstance(group.value, list)]
            found += [pair for group in groups for pair in read_questions(group)]
        elif isinstance(item.value, list) and len(item.value) == 2:
            first, second = item.items()
            found.append((first.text(2000), second.text(4000)))
        else:
            found.append((item.get("question", "q").text(2000), item.get("answer", "a").text(4000)))
    return tuple(found)

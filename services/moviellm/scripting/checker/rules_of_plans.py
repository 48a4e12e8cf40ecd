"""The rules for outlines and chapters, one generator each: all that is wrong, in the order of the part."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from moviellm.movie import Chapter, ChapterOutline, CharacterRole, Fact, Outline, ScenePlan
from moviellm.scripting.checker import plain_text
from moviellm.scripting.checker.breach import Found
from moviellm.scripting.writer import ChapterRequest, OutlineRequest

MIN_LOCATIONS = 12
MAX_APPEARANCE_WORDS = 20

_LIKE = (
    r"(?:looks?|looking)(?: \w+)? like|resembl\w+|similar to|reminiscent of|look-?alike|played by|portrayed by"
    r"|model+ed (?:on|after)|based on|the (?:actor|actress|singer)"
)
REAL_PERSON = re.compile(rf"\b(?:{_LIKE})\b[^,.;]*?\b[A-Z]\w+|\b[A-Z][a-z]+ (?:[A-Z]\. )?[A-Z][a-z]+")
"""A likeness of somebody real: a word of comparison before a proper name, or a first name with a surname."""


def whole_overview(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """Title and overview."""
    for where, text in (("title", outline.title), ("overview", outline.overview)):
        if not text.strip():
            yield Found(where, text, "title and overview must not be empty")


def style_keyword(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """The keyword that textual inversion learns."""
    keyword = outline.style.keyword
    if not re.fullmatch(r"[^\W_]+", keyword):
        yield Found("style.keyword", keyword, "must be one single word")


def enough_locations(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """Twelve or more."""
    different = len(set(outline.locations))
    if different < MIN_LOCATIONS:
        message = f"there must be at least {MIN_LOCATIONS} locations, got {different}"
        yield Found("locations", ", ".join(outline.locations), message)


def different_locations(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """None twice."""
    for location in dict.fromkeys(outline.locations):
        if outline.locations.count(location) > 1:
            yield Found("locations", location, f"no location may be listed twice, {location!r} is")


def short_locations(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """One or two words."""
    for location in outline.locations:
        if not 1 <= len(location.split()) <= 2 or len(location) > 40:
            yield Found("locations", location, f"location {location!r} must have one or two words")


def nameless_locations(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """A place named for a person would be drawn as that person."""
    for location in outline.locations:
        words = {word.removesuffix("s") for word in re.findall(r"\w+", location.lower().replace("'s", ""))}
        for character in outline.characters:
            parts = {part.lower().removesuffix("s") for part in character.name.split() if len(part) >= 3}
            if words & parts or character.name.lower() == location.lower():
                yield Found(
                    "locations", location, f"no location may carry the name {character.name}, {location!r} does"
                )


def cast_size(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """One or two main characters, at most one supporting."""
    names = ", ".join(character.name for character in outline.characters)
    mains = sum(character.role is CharacterRole.MAIN for character in outline.characters)
    others = len(outline.characters) - mains
    if not 1 <= mains <= 2:
        yield Found("characters", names, f"there must be 1 or 2 main characters, got {mains}")
    if others > 1:
        yield Found("characters", names, f"there may be at most 1 supporting character, got {others}")


def different_names(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """Names and aliases that lead to one person each."""
    taken: dict[str, str] = {}
    for character in outline.characters:
        if not character.name.strip():
            yield Found("characters", character.name, "characters need different names, one is empty")
        for mention in dict.fromkeys((character.name, *character.aliases)):
            if mention and mention in taken:
                message = f"characters need different names, {mention!r} also means {taken[mention] or 'another'}"
                yield Found(f"characters, {character.name}", mention, message)
            taken.setdefault(mention, character.name)


def different_colors(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """A colour of clothing each."""
    taken: dict[str, str] = {}
    for character in outline.characters:
        color = character.clothing_color.strip().lower()
        if color in taken:
            message = f"characters must wear different clothing colors, {taken[color]} wears {color!r} already"
            yield Found(f"characters, {character.name}", color, message)
        taken.setdefault(color, character.name)


def fixed_appearance(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """One noun phrase that can stand for the name inside a sentence."""
    names = [mention for character in outline.characters for mention in (character.name, *character.aliases)]
    for character in outline.characters:
        where, phrase = f"characters, {character.name}", character.appearance
        words = len(phrase.split())
        if not phrase.strip():
            yield Found(where, phrase, "the appearance must not be empty")
        elif re.search(r"[.!?;:\n\"“”]", phrase) or words > MAX_APPEARANCE_WORDS:
            message = (
                f"the appearance must be one noun phrase of at most {MAX_APPEARANCE_WORDS} words, got {words} words"
            )
            yield Found(where, phrase, message)
        elif any(name and re.search(rf"\b{re.escape(name)}\b", phrase) for name in names):
            yield Found(where, phrase, "the appearance must not contain a name")


def colored_appearance(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """The colour by which somebody is recognised is also told."""
    for character in outline.characters:
        color = character.clothing_color.strip().lower()
        if not color or color not in character.appearance.lower():
            message = f"the appearance must name the clothing color {color!r}"
            yield Found(f"characters, {character.name}", character.appearance, message)


def invented_appearance(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """Nobody wears a real person's face."""
    for character in outline.characters:
        if found := REAL_PERSON.search(character.appearance):
            message = (
                f"the appearance must be invented and not the likeness of somebody real, it says {found.group()!r}"
            )
            yield Found(f"characters, {character.name}", character.appearance, message)


def numbered_chapters(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """As many chapters as asked for."""
    numbers = [chapter.number for chapter in outline.chapters]
    if numbers != list(range(1, request.chapters + 1)):
        message = f"there must be exactly {request.chapters} chapters numbered from 1, got {len(numbers)}"
        yield Found("chapters", ", ".join(map(str, numbers)), message)


def told_chapters(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """A title and content each."""
    for chapter in outline.chapters:
        if not (chapter.title.strip() and chapter.content.strip()):
            yield Found(f"chapter {chapter.number}", chapter.title, "title and content must not be empty")


def chapter_locations(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """One to three of the outline's places."""
    for chapter in outline.chapters:
        where, places = f"chapter {chapter.number}", chapter.locations
        if not 1 <= len(places) <= 3:
            yield Found(where, ", ".join(places), f"must have 1 to 3 locations, got {len(places)}")
        for location in places:
            if location not in outline.locations:
                yield Found(where, location, f"location {location!r} is not one of the outline's locations")


def joined_chapters(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """What is true when a chapter begins is what the one before ends with."""
    yield from _joined("chapter", outline.chapters)


def outline_facts(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """Facts about members of the cast, at known places."""
    names = {character.name for character in outline.characters}
    for chapter in outline.chapters:
        yield from _facts(f"chapter {chapter.number}", chapter.facts, names, outline.locations)
    yield from _facts("outline", outline.facts, names, outline.locations)


def plain_outline(outline: Outline, request: OutlineRequest) -> Iterator[Found]:
    """Nothing that corrupts labels, no placeholders, no control characters."""
    style = outline.style
    yield from plain(
        "outline", (outline.title, outline.overview, *style.phrases, *style.adjectives, *outline.locations)
    )
    for character in outline.characters:
        texts = (character.name, *character.aliases, character.appearance, character.occupation)
        yield from plain(f"characters, {character.name}", texts)
    for chapter in outline.chapters:
        texts = (chapter.title, chapter.content, chapter.before, chapter.after, *fact_texts(chapter.facts))
        yield from plain(f"chapter {chapter.number}", texts)
    yield from plain("outline", fact_texts(outline.facts))


def numbered_scenes(chapter: Chapter, request: ChapterRequest) -> Iterator[Found]:
    """As many scenes as asked for, of the chapter asked for."""
    if chapter.number != request.chapter:
        message = f"the chapter's number must be {request.chapter}, got {chapter.number}"
        yield Found("chapter", str(chapter.number), message)
    numbers = [scene.number for scene in chapter.scenes]
    if numbers != list(range(1, request.scenes + 1)):
        message = f"there must be exactly {request.scenes} scenes numbered from 1, got {len(numbers)}"
        yield Found("scenes", ", ".join(map(str, numbers)), message)


def told_scenes(chapter: Chapter, request: ChapterRequest) -> Iterator[Found]:
    """Content each."""
    for scene in chapter.scenes:
        if not scene.content.strip():
            yield Found(f"scene {scene.number}", scene.content, "content must not be empty")


def scene_location(chapter: Chapter, request: ChapterRequest) -> Iterator[Found]:
    """One of the chapter's places."""
    places = request.outline.chapters[request.chapter - 1].locations
    for scene in chapter.scenes:
        if scene.location not in places:
            message = f"location {scene.location!r} is not one of the chapter's: {', '.join(places)}"
            yield Found(f"scene {scene.number}", scene.location, message)


def joined_scenes(chapter: Chapter, request: ChapterRequest) -> Iterator[Found]:
    """What is true when a scene begins is what the one before ends with."""
    yield from _joined("scene", chapter.scenes)


def scene_facts(chapter: Chapter, request: ChapterRequest) -> Iterator[Found]:
    """Facts about members of the cast, at known places."""
    names = {character.name for character in request.outline.characters}
    for scene in chapter.scenes:
        yield from _facts(f"scene {scene.number}", scene.facts, names, request.outline.locations)


def plain_chapter(chapter: Chapter, request: ChapterRequest) -> Iterator[Found]:
    """Nothing that corrupts labels, no placeholders, no control characters."""
    for scene in chapter.scenes:
        texts = (scene.content, scene.before, scene.after, *fact_texts(scene.facts))
        yield from plain(f"scene {scene.number}", texts)


def plain(where: str, texts: Iterable[str]) -> Iterator[Found]:
    """What is wrong with each of the texts."""
    for text in texts:
        if message := plain_text.fault(text):
            yield Found(where, text, message)


def fact_texts(facts: Iterable[Fact]) -> Iterator[str]:
    """The words of facts."""
    for fact in facts:
        yield from (fact.deed, fact.reason, fact.means)


def _joined(kind: str, parts: Sequence[ChapterOutline | ScenePlan]) -> Iterator[Found]:
    if not any(part.before or part.after for part in parts):
        return
    for part in parts:
        if not part.after.strip():
            yield Found(f"{kind} {part.number}", part.after, "`after` must say what is true when it ends")
    for first, second in pairwise(parts):
        if _same(first.after) != _same(second.before):
            message = f"`before` must be what {kind} {first.number} ends with: {first.after!r}"
            yield Found(f"{kind} {second.number}", second.before, message)


def _same(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _facts(where: str, facts: Iterable[Fact], names: set[str], locations: Sequence[str]) -> Iterator[Found]:
    for fact in facts:
        if fact.who not in names:
            yield Found(where, fact.who, f"the fact about {fact.who!r} is about nobody of the cast")
        if not fact.deed.strip():
            yield Found(where, fact.deed, "a fact needs a deed")
        if fact.place and fact.place not in locations:
            yield Found(where, fact.place, f"the fact's place {fact.place!r} is not a location")

"""Outlines of a language model, mended by a program as far as that goes without telling the story for it."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from moviellm.movie import ChapterOutline, Character, Outline, Style
from moviellm.pocket import vocabulary
from moviellm.scripting.by_model import fact_mending, own_cast
from moviellm.scripting.by_model.mending import Notes, closest, evenly, finished, last_sentence
from moviellm.scripting.checker.rules_of_plans import MIN_LOCATIONS
from moviellm.scripting.storyteller import look
from moviellm.scripting.writer import OutlineRequest

_MOST_LOCATIONS = 24
_MOST_PLACES = 3
_SUITED = ("cinematic", "watercolor", "noir")


def mended(draft: Outline, request: OutlineRequest, style: Style | None, notes: Notes) -> Outline:
    """The outline with title, style, locations, cast, numbers, facts and joints in order; empty texts stay empty."""
    cast = own_cast.mended(draft.characters, request.seed, notes) if draft.characters else ()
    names = [character.name for character in cast]
    chapters = _counted(draft.chapters, request.chapters, notes)
    told = " ".join((request.theme, draft.overview, *(chapter.content for chapter in chapters)))
    wanted = (*draft.locations, *(place for chapter in chapters for place in chapter.locations))
    locations = _locations(draft.locations, wanted, cast, told, notes)
    outline = replace(
        draft,
        title=_title(finished(draft.title, names), request.theme),
        overview=finished(draft.overview, names),
        style=style or _styled(draft.style, request.seed, notes),
        locations=locations,
        characters=cast,
        facts=fact_mending.mended(draft.facts, cast, locations, "outline-facts", notes, "outline"),
    )
    notes("outline-plain", "overview", draft.overview, outline.overview)
    written = [_chapter(number, chapter, outline, notes) for number, chapter in enumerate(chapters, 1)]
    return replace(outline, chapters=_joined(written, notes))


def _title(title: str, theme: str) -> str:
    if title:
        return title.rstrip(".")
    words = re.sub(r"^(?:an?|the) (?:\w+ )?(?:story|movie|film|tale) (?:about|of) ", "", theme, flags=re.IGNORECASE)
    return " ".join(words.split()[:6]).strip(" ,.;:").title() or "Untitled"


def _styled(style: Style, seed: int, notes: Notes) -> Style:
    phrases = tuple(filter(None, (finished(phrase, ()) for phrase in style.phrases[:6])))
    adjectives = tuple(filter(None, (finished(word, ()) for word in style.adjectives[:4])))
    if not re.search(r"[^\W_]", style.keyword):
        chosen = look.choose("", ", ".join(phrases), "", _SUITED, random.Random(f"{seed}/style"))
        notes("style-keyword", "style.keyword", style.keyword, chosen.keyword)
        return chosen
    words = finished(style.keyword, ()) or style.keyword
    keyword = look.described(words).keyword if " " in words else look.one_word(words)
    if keyword != style.keyword.lower():
        notes("style-keyword", "style.keyword", style.keyword, keyword)
    return Style(keyword, phrases, adjectives)


def _locations(
    own: Sequence[str], wanted: Sequence[str], cast: Sequence[Character], told: str, notes: Notes
) -> tuple[str, ...]:
    """At least 12 places of one or two words: the outline's, those its chapters name, and known ones told of first."""
    kept: dict[str, None] = {}
    for place in wanted:
        short = _short(place)
        if short and not _carries_a_name(short, cast) and len(kept) < _MOST_LOCATIONS:
            kept.setdefault(short)
        if place in own and short != place.lower():
            notes("locations-short", "locations", place, short)
    known = [place.name for place in vocabulary.LOCATIONS]
    mentioned = [name for name in known if re.search(rf"\b{re.escape(name)}\b", told.lower())]
    fitting = [name for name in dict.fromkeys((*mentioned, *known)) if not _carries_a_name(name, cast)]
    added = [name for name in fitting if name not in kept][: max(0, MIN_LOCATIONS - len(kept))]
    if added:
        notes("locations-enough", "locations", f"{len(kept)} locations", f"also {', '.join(added)}")
    return (*kept, *added)


def _short(place: str) -> str:
    """A place in one or two words: without article, and of a longer name the end, which is the thing itself."""
    text = re.sub(r"\(.*?\)|'s\b", "", finished(place, ()).lower())
    text = re.split(r",| of | in | at | on | near | with ", text)[0]
    words = [word for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text) if word not in ("the", "a", "an")]
    return " ".join(words[-2:])[:40]


def _carries_a_name(place: str, cast: Sequence[Character]) -> bool:
    words = {word.removesuffix("s") for word in place.split()}
    return any(words & {part.lower().removesuffix("s") for part in character.name.split()} for character in cast)


def _counted(chapters: Sequence[ChapterOutline], wanted: int, notes: Notes) -> list[ChapterOutline]:
    if len(chapters) > wanted:
        notes("chapters-counted", "chapters", f"{len(chapters)} chapters", f"{wanted} of them")
    kept = [chapters[index] for index in evenly(len(chapters), wanted)] if chapters else []
    return kept + [ChapterOutline(0, "", (), "")] * (wanted - len(kept))


def _chapter(number: int, chapter: ChapterOutline, outline: Outline, notes: Notes) -> ChapterOutline:
    where, names = f"chapter {number}", [character.name for character in outline.characters]
    content = finished(chapter.content, names)
    notes("outline-plain", where, chapter.content, content)
    places = _places(number, chapter, outline, notes)
    facts = fact_mending.mended(chapter.facts, outline.characters, outline.locations, "outline-facts", notes, where)
    title = finished(chapter.title, names) or f"Chapter {number}"
    before, after = finished(chapter.before, names), finished(chapter.after, names) or last_sentence(content)
    return ChapterOutline(number, title, places, content, facts, before, after)


def _places(number: int, chapter: ChapterOutline, outline: Outline, notes: Notes) -> tuple[str, ...]:
    """One to three of the outline's locations: those named, else those that are told of, else two in turn."""
    known = outline.locations
    named = dict.fromkeys(filter(None, (closest(_short(place), known) for place in chapter.locations)))
    told = [place for place in known if re.search(rf"\b{re.escape(place)}\b", chapter.content.lower())]
    in_turn = (known[(2 * number - 2) % len(known)], known[(2 * number - 1) % len(known)])
    places = tuple(named)[:_MOST_PLACES] or tuple(told[:_MOST_PLACES]) or in_turn
    if tuple(place.lower() for place in chapter.locations) != places:
        notes("chapter-locations", f"chapter {number}", ", ".join(chapter.locations), ", ".join(places))
    return places


def _joined(chapters: list[ChapterOutline], notes: Notes) -> tuple[ChapterOutline, ...]:
    """What is true before a chapter is what is true after the one before it."""
    for index, (first, second) in enumerate(pairwise(list(chapters)), 1):
        if second.before:
            notes("chapters-join", f"chapter {index + 1}", second.before, first.after)
        chapters[index] = replace(second, before=first.after)
    return tuple(chapters)

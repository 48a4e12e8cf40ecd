"""Completing an imported outline: what the plot says is kept or mended, what it lacks the storyteller invents."""

from collections.abc import Sequence
from dataclasses import replace

from moviellm.movie import ChapterOutline, Character, Fact, Outline, Style
from moviellm.scripting import english
from moviellm.scripting.own_plot.import_places import mended_places, place_meant
from moviellm.scripting.own_plot.plot_draft import Draft
from moviellm.scripting.own_plot.plot_json import Ledger
from moviellm.scripting.storyteller import deeds, look
from moviellm.scripting.storyteller import outline as storyteller
from moviellm.scripting.storyteller.theme import shortened
from moviellm.scripting.writer import OutlineRequest

INVENTED = "invented"
"""The rule that stands in a report where the plot says nothing and something had to be made up."""


def completed(
    draft: Draft, people: Sequence[Character], request: OutlineRequest, ledger: Ledger
) -> tuple[Outline, dict[str, str]]:
    """The whole outline, and what became of each place that the plot names.

    `people` are the plot's own, mended; none where it names nobody.
    """
    theirs = [place for chapter in draft.chapters for place in chapter.locations]
    theirs += [plan.location for chapter in draft.plans for plan in chapter.scenes]
    given, became = mended_places(draft.locations, people, theirs, ledger) if people else ((), {})
    base = storyteller.write(request, people, given)
    if not people:
        given, became = mended_places(draft.locations or base.locations, base.characters, theirs, ledger)
        base = storyteller.write(request, base.characters, given)
    cast = _cast(base, people, draft, ledger)
    title = english.title_case(shortened(request.theme, 60)) if draft.overview or draft.chapters else base.title
    title = _told("title", draft.title, title, ledger)
    overview = _told("overview", draft.overview, _overview(draft) or base.overview, ledger)
    chapters = _chapters(draft, base, cast, became, ledger)
    outline = Outline(
        title=title,
        theme=request.theme,
        overview=overview,
        style=_style(draft.style, base.style, request, ledger),
        locations=given,
        characters=cast,
        chapters=chapters,
        facts=_facts(draft.facts, "outline", cast, given, became, ledger) or _movie_facts(draft, base, chapters),
    )
    return outline, became


def _told(field: str, given: str, base: str, ledger: Ledger) -> str:
    if not given.strip():
        ledger.note(INVENTED, field, "", base)
    return given.strip() or base


def _overview(draft: Draft) -> str:
    return " ".join(chapter.content for chapter in draft.chapters if chapter.content)[:2000]


def _cast(base: Outline, people: Sequence[Character], draft: Draft, ledger: Ledger) -> tuple[Character, ...]:
    """The plot's own people, with the friend that the storyteller invents where it has chapters to write."""
    told = [_content(chapter, number, draft) for number, chapter in enumerate(draft.chapters, start=1)]
    alone = len(people) == 1 and len(told) >= len(base.chapters) and all(told)
    cast = tuple(people) if alone else base.characters
    for character in cast[len(people) :]:
        ledger.note(INVENTED, "characters", "", f"{character.name}, {character.appearance}")
    return cast


def _style(given: Style | None, base: Style, request: OutlineRequest, ledger: Ledger) -> Style:
    if request.preset or request.description or given is None:
        if given is None:
            ledger.note(INVENTED, "style", "", base.keyword)
        return base
    words = ", ".join((given.keyword, *given.phrases, *given.adjectives)).strip(", ")
    known = look.described(words) if words else base
    keyword = look.one_word(given.keyword) if given.keyword.strip() else known.keyword
    keyword = "".join(letter for letter in keyword if letter.isalnum()) or "plain"
    ledger.note("style-keyword", "style.keyword", given.keyword, keyword)
    phrases, adjectives = given.phrases[:6], given.adjectives[:4]
    return Style(keyword, phrases, adjectives) if phrases or adjectives else look.named(keyword)


def _chapters(
    draft: Draft, base: Outline, cast: Sequence[Character], became: dict[str, str], ledger: Ledger
) -> tuple[ChapterOutline, ...]:
    wanted = len(base.chapters)
    for chapter in draft.chapters[wanted:]:
        ledger.note("chapters-counted", f"chapter {chapter.number}", chapter.title or chapter.content)
    chapters: list[ChapterOutline] = []
    for number, own in enumerate(base.chapters, start=1):
        if number > len(draft.chapters):
            ledger.note(INVENTED, f"chapter {number}", "", own.title)
            chapters.append(own)
        else:
            given = draft.chapters[number - 1]
            chapters.append(_chapter(given, number, own, draft, base.locations, cast, became, ledger))
    return joined(chapters, ledger)


def _chapter(
    given: ChapterOutline,
    number: int,
    own: ChapterOutline,
    draft: Draft,
    places: Sequence[str],
    cast: Sequence[Character],
    became: dict[str, str],
    ledger: Ledger,
) -> ChapterOutline:
    where = f"chapter {number}"
    planned = [plan.location for one in draft.plans if one.number == number for plan in one.scenes]
    content = _content(given, number, draft)
    invented = not content
    if invented:
        ledger.note(INVENTED, where, "", own.content)
    facts = _facts(given.facts, where, cast, places, became, ledger)
    return ChapterOutline(
        number=number,
        title=_told(f"{where}, title", given.title, own.title if invented else f"Chapter {number}", ledger),
        locations=_locations(where, (*given.locations, *planned), content, own.locations, places, became, ledger),
        content=content[:6000] or own.content,
        facts=facts or (own.facts if invented else ()),
        before=given.before,
        after=given.after or (own.after if invented else ""),
    )


def _content(given: ChapterOutline, number: int, draft: Draft) -> str:
    """What the plot tells of a chapter, in its outline or in its scenes."""
    scenes = (plan for one in draft.plans if one.number == number for plan in one.scenes)
    return given.content.strip() or " ".join(plan.content for plan in scenes).strip()


def _locations(
    where: str,
    given: Sequence[str],
    content: str,
    own: Sequence[str],
    places: Sequence[str],
    became: dict[str, str],
    ledger: Ledger,
) -> tuple[str, ...]:
    """One to three of the outline's places: those given, else those that the content names, else the storyteller's."""
    found = dict.fromkeys(known_place(one, places, became) for one in given)
    kept = [place for place in found if place]
    for place in kept[3:]:
        ledger.note("chapter-locations", where, place)
    if not kept:
        kept = [place for place in places if f"the {place.lower()}" in content.lower()] or list(own)
        ledger.note("chapter-locations", where, ", ".join(given), ", ".join(kept[:3]))
    return tuple(kept[:3])


def known_place(text: str, places: Sequence[str], became: dict[str, str]) -> str:
    """The outline's place that a text means; empty if it means none."""
    place = became.get(text, text)
    return place if place in places else place_meant(place, places)


def _facts(
    facts: Sequence[Fact],
    where: str,
    cast: Sequence[Character],
    places: Sequence[str],
    became: dict[str, str],
    ledger: Ledger,
) -> tuple[Fact, ...]:
    return mended_facts(facts, where, cast, places, became, ledger)


def mended_facts(
    facts: Sequence[Fact],
    where: str,
    cast: Sequence[Character],
    places: Sequence[str],
    became: dict[str, str],
    ledger: Ledger,
) -> tuple[Fact, ...]:
    """The facts that are about somebody of the cast and say what is done; their places are the outline's or none."""
    kept: list[Fact] = []
    for fact in facts:
        who = whom(fact.who, cast)
        if not who or not fact.deed.strip():
            ledger.note("outline-facts", where, f"{fact.who} {fact.deed}")
            continue
        place = known_place(fact.place, places, became) if fact.place else ""
        ledger.note("outline-facts", where, fact.place, place)
        kept.append(replace(fact, who=who, deed=fact.deed.strip(), place=place))
    return tuple(kept)


def whom(text: str, cast: Sequence[Character]) -> str:
    """The name of whom a text means: by name, alias, part of a name or occupation; empty for nobody of the cast."""
    wanted = text.strip().lower().removeprefix("the ").removesuffix("'s").strip(" .:")
    for character in cast:
        if wanted and wanted in {one.lower() for one in (character.name, *character.aliases, character.occupation)}:
            return character.name
    words = {word for word in wanted.split() if len(word) >= 3}
    for character in cast:
        if words & set(" ".join((character.name, *character.aliases)).lower().split()):
            return character.name
    return ""


def _movie_facts(draft: Draft, base: Outline, chapters: Sequence[ChapterOutline]) -> tuple[Fact, ...]:
    """What the movie as a whole tells: the storyteller's own where it wrote everything, else the chapters' turns."""
    if not draft.chapters and not draft.overview:
        return base.facts
    return tuple(chapter.facts[-1] for chapter in chapters if chapter.facts)[:5]


def joined(chapters: Sequence[ChapterOutline], ledger: Ledger) -> tuple[ChapterOutline, ...]:
    """The chapters with what is true before and after each: the one's end is the other's beginning."""
    ends = [chapter.after or ending(chapter.facts, chapter.content) for chapter in chapters]
    beginnings = [chapters[0].before, *ends[:-1]] if chapters else []
    for chapter, before in zip(chapters, beginnings, strict=True):
        if chapter.before and chapter.before != before:
            ledger.note("chapters-join", f"chapter {chapter.number}", chapter.before, before)
    return tuple(
        replace(chapter, before=before, after=after)
        for chapter, before, after in zip(chapters, beginnings, ends, strict=True)
    )


def ending(facts: Sequence[Fact], content: str) -> str:
    """What is true when a part has ended: its last fact as something that has happened, else its last sentence."""
    if facts:
        return english.sentence(deeds.done(facts[-1]))
    sentences = [part for part in content.replace("! ", ". ").replace("? ", ". ").split(". ") if part.strip()]
    return english.sentence(sentences[-1]) if sentences else "Nothing has changed."

"""Level 1 of the storyteller: a theme grown into an outline."""

import random
from collections.abc import Sequence

from moviellm.movie import ChapterOutline, Character, Fact, Outline
from moviellm.pocket import vocabulary
from moviellm.scripting import english
from moviellm.scripting.storyteller import casting, look, titles
from moviellm.scripting.storyteller.deeds import Slots, fact_of, fill, place_phrase, told
from moviellm.scripting.storyteller.plot_events import Event
from moviellm.scripting.storyteller.plot_families import FAMILIES
from moviellm.scripting.storyteller.plot_grammar import course, decks
from moviellm.scripting.storyteller.story import Story, imagine
from moviellm.scripting.storyteller.theme import understand
from moviellm.scripting.storyteller.theme_words import FINDING
from moviellm.scripting.writer import OutlineRequest

_RESPONSES = (
    "h: promise {o} to {g}; because {motive}",
    "h: decide to {g}; because {motive}",
    "h: make up {h.his} mind to {g}; because {motive}",
)


def write(request: OutlineRequest, people: Sequence[Character] = (), places: Sequence[str] = ()) -> Outline:
    """The outline for a request; the same request always gives the same outline.

    `people` and `places` (at least two) are those that are known already, as from a plot that is to be completed.
    """
    rng = random.Random(f"{request.seed}/{request.theme}")
    theme = understand(request.theme)
    genre = theme.genre or rng.choice(
        ("mystery", "quest", "loss") if not theme.roles else ("mystery", "quest", "loss", "rivalry")
    )
    family = FAMILIES[genre]
    story = imagine(theme, family, rng, people, places)
    chapters = _chapters(story, request.chapters, rng)
    style = look.choose(request.preset, request.description, theme.style, family.styles, rng)
    return Outline(
        title=titles.movie_title(story.theme, story.cast, str(story.slots["t"]), story.locations, rng),
        theme=theme.text,
        overview=_overview(story, chapters),
        style=style,
        locations=story.locations,
        characters=tuple(part.character for part in story.cast),
        chapters=chapters,
        facts=_movie_facts(story, chapters),
    )


def _chapters(story: Story, count: int, rng: random.Random) -> tuple[ChapterOutline, ...]:
    dealt = decks(story.family, rng, third=len(story.cast) > 2)
    places = _routes(story.locations, count, rng)
    chapters: list[ChapterOutline] = []
    because = story.motive
    for number, part in enumerate(course(count), start=1):
        prop = story.props[(number - 1) % len(story.props)]
        slots = {**story.slots, "p": f"the {prop}", "ap": vocabulary.article(prop)}
        event = (
            _disturbance(story, rng, whole=part == "whole") if part in ("disturbance", "whole") else dealt[part].deal()
        )
        if part == "setup":
            because = rng.choice(_QUIET_BECAUSE)
        facts = _facts(event, slots, places[number - 1], because)
        if part == "climax" and story.sad:
            facts = (*facts[:2], _sad_turn(story, facts[2].place))
        upshot = fill(event.upshot, slots)
        content = _content(story, facts, upshot, first=number == 1, last=number == count)
        title = titles.chapter_title(
            event.title, story.theme, story.cast, number, [chapter.title for chapter in chapters]
        )
        before = chapters[-1].after if chapters else _introduction(story).split(". ")[0].rstrip(".") + "."
        after = _change(story) if number == count else english.sentence(upshot)
        chapters.append(ChapterOutline(number, title, places[number - 1], content, facts, before, after))
        because = upshot
    return tuple(chapters)


def _routes(locations: tuple[str, ...], count: int, rng: random.Random) -> list[tuple[str, ...]]:
    """One to three places a chapter; the story starts at the first place and wanders through all of them."""
    routes: list[tuple[str, ...]] = []
    position = 0
    for number in range(count):
        width = rng.choice((2, 3, 3)) if number else 2
        routes.append(tuple(locations[(position + i) % len(locations)] for i in range(width)))
        position += width - (1 if rng.random() < 0.4 and width > 1 else 0)
    if count > 2 and rng.random() < 0.5:
        routes[-1] = (routes[-1][0], locations[0]) if routes[-1][0] != locations[0] else (locations[0],)
    return routes


def _disturbance(story: Story, rng: random.Random, *, whole: bool) -> Event:
    """The event that sets the story going: the theme's own deed, or the decision to do it."""
    obstacle = story.obstacle
    code = next(code for code in ("h", "o", "s") if str(story.slots.get(code)) == obstacle.who)
    but = f"{code}: {obstacle.deed}; because {obstacle.reason}"
    other = story.cast[1].character.name
    end = (
        "h: {G}; because {h.he} has not given up"
        if whole
        else rng.choice(_RESPONSES[1:] if other in story.goal else _RESPONSES)
    )
    upshot = "{h} is no longer the same as before" if whole else rng.choice(
        ("the decision has been made and cannot be taken back", "there is no way back to the old life",
         "every day of waiting makes it harder"))  # fmt: skip
    if story.opening:
        aim = f"h: {story.opening}; because {rng.choice(_why(story.opening))}"
        return Event("{The} Beginning", aim, but, end, upshot)
    aim = "h: set out to {g}; because {motive}; by telling {o} about it first"
    end = end if whole else "h: begin all the same; because a wish like this does not wait"
    return Event("{The} Beginning", aim, but, end, upshot)


_QUIET_BECAUSE = (
    "every day is like the one before",
    "nothing has ever changed here",
    "nobody here expects anything else",
)
_FOUND_BECAUSE = (
    "the day turns out differently than planned",
    "{h.he} looks more closely than everybody else",
    "chance has led {h.him} to the right spot at the right moment",
    "nobody else has paid attention",
)
_LOST_BECAUSE = (
    "one careless moment is enough",
    "somebody has been waiting for this moment",
    "{h.he} has felt too safe",
    "nothing is safe on a day like this",
)
_HAPPENS_BECAUSE = (
    "some days begin like any other and end like no other",
    "chance has its own plans",
    "{h.he} has taken another way than usual",
    "the day has something else in mind for {h.him}",
)


def _why(opening: str) -> tuple[str, ...]:
    """Reasons that fit the deed with which the story begins."""
    verb = opening.split(" ")[0]
    if verb in FINDING:
        return _FOUND_BECAUSE
    return _LOST_BECAUSE if verb in ("lose", "miss", "wake", "forget") else _HAPPENS_BECAUSE


def _facts(event: Event, slots: Slots, places: tuple[str, ...], because: str) -> tuple[Fact, ...]:
    middle = places[1] if len(places) == 3 else places[0]
    return (
        fact_of(event.aim, slots, place=middle, reason=because),
        fact_of(event.but, slots, place=middle),
        fact_of(event.turn, slots, place=places[-1]),
    )


def _sad_turn(story: Story, place: str) -> Fact:
    return fact_of(
        "h: give up the wish to {g}; because it has cost too much already; by saying a quiet goodbye",
        story.slots,
        place=place,
    )


def _content(story: Story, facts: tuple[Fact, ...], upshot: str, *, first: bool, last: bool) -> str:
    aim, but, turn = facts
    sentences = []
    if first:
        sentences.append(_introduction(story))
    sentences.append(told(aim))
    sentences.append(told(but, opening="But", place=but.place != aim.place))
    sentences.append(told(turn, opening="In the end", place=turn.place != but.place))
    if last:
        sentences.append(english.sentence(f"It turns out that {story.truth}"))
        sentences.append(_change(story))
    else:
        sentences.append(english.sentence(upshot))
    return " ".join(sentences)


def _change(story: Story) -> str:
    """What the hero has learned when the movie ends."""
    return english.sentence(f"{story.slots['h']} has learned that {story.change}")


def _introduction(story: Story) -> str:
    """Who the people are, as the first chapter begins."""
    hero, *others = story.cast
    state = f" who {story.theme.clause.state}" if story.theme.clause.state else ""
    who = (
        f"{hero.character.name} is {hero.phrase}{state}" if hero.phrase else f"{hero.character.name} is the hero{state}"
    )
    if hero.phrase and hero.phrase == others[0].phrase:
        both = f"{hero.character.name} and {others[0].character.name}"
        who = f"{both} are both {english.plural(hero.character.occupation)}{state}"
        others = others[1:]
    known = [f"{part.character.name} is {part.phrase}" for part in others if part.phrase]
    people = english.sentence(", ".join([who, *known[:-1], *(f"and {last}" for last in known[-1:])]))
    return f"{people} {_keepsake(story)}".strip()


def _keepsake(story: Story) -> str:
    """A sentence about the story's thing where neither the theme nor the first deed speaks of it."""
    thing = str(story.slots["at"])
    if not story.invented or thing in story.opening:
        return ""
    return english.sentence(f"{story.cast[0].character.name} keeps {thing} and shows it to nobody")


def _movie_facts(story: Story, chapters: tuple[ChapterOutline, ...]) -> tuple[Fact, ...]:
    """Wish, obstacle, outcome, truth and change: what the movie as a whole tells."""
    hero = story.cast[0].character.name
    first, last = chapters[0].facts[0], _outcome(story, chapters)
    wish = Fact(hero, f"want to {story.goal}", story.motive, "", first.place)
    truth = Fact(hero, f"find out that {story.truth}", "", "", last.place)
    change = Fact(hero, f"learn that {story.change}", "", "", last.place)
    return (wish, story.obstacle, last, truth, change)


def _outcome(story: Story, chapters: tuple[ChapterOutline, ...]) -> Fact:
    """How the wish ends: the last turn that fulfils it or gives it up."""
    ends = (story.goal, f"give up the wish to {story.goal}")
    turns = [chapter.facts[2] for chapter in chapters if chapter.facts[2].deed in ends]
    return turns[-1] if turns else chapters[-1].facts[2]


def _overview(story: Story, chapters: tuple[ChapterOutline, ...]) -> str:
    theme, name = story.theme, story.cast[0].character.name
    sentences = [f"This is {theme.text[:1].lower()}{theme.text[1:]}"] if theme.framed else []
    first = next((one.facts[0] for one in chapters if one.facts[0].deed == story.opening), chapters[0].facts[0])
    start = place_phrase(first.place)
    hero = casting.introduced(story.cast[0])
    if theme.clause.state:
        hero = f"{hero.rstrip(',')} who {theme.clause.state},"
    wish = f"{start}, {hero} wants to {story.goal}, because {story.motive}"
    if story.opening:
        sentences.append(f"{start}, {hero} {english.third(first.deed)}")
        wish = f"From that day on, {name} wants to {story.goal}, because {story.motive}"
    sentences.append(wish)
    told_already = theme.quote in " ".join(sentences) or (theme.thing and theme.thing in " ".join(sentences))
    if not theme.framed and not theme.roles and not told_already:
        sentences.append(f"Everything turns on the words {theme.quote}")
    if _keepsake(story):
        sentences.append(_keepsake(story))
    others = [casting.introduced(part).rstrip(",") for part in story.cast[1:]]
    sentences.append(" meets ".join([name, ", and ".join(others)]))
    sentences.append(told(story.obstacle, opening="But", place=False))
    sentences.append(told(_outcome(story, chapters), opening="In the end", place=False))
    sentences.append(f"It turns out that {story.truth}, and {name} learns that {story.change}")
    return " ".join(english.sentence(text) for text in sentences)

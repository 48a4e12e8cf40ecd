"""Level 1 of the storyteller: a theme grown into an outline."""

import random
import re
from dataclasses import dataclass

from moviellm.movie import ChapterOutline, Fact, Outline
from moviellm.pocket import vocabulary
from moviellm.scripting import casting, english, look, titles
from moviellm.scripting.deeds import Slots, fact_of, fill, needs, place_phrase, told
from moviellm.scripting.plot_events import Event
from moviellm.scripting.plot_families import FAMILIES, Family
from moviellm.scripting.plot_grammar import course, decks
from moviellm.scripting.theme import Theme, understand
from moviellm.scripting.theme_words import FINDING, LOSING, MEETING
from moviellm.scripting.writer import OutlineRequest

_EVENTS = FINDING | MEETING | {"lose", "miss", "wake", "fall", "crash", "land", "hear", "see", "witness", "forget"}
_RESPONSES = (
    "h: promise {o} to {g}; because {motive}",
    "h: decide to {g}; because {motive}",
    "h: make up {h.his} mind to {g}; because {motive}",
)


@dataclass(frozen=True)
class Story:
    """Everything about a movie that its chapters draw on. `slots` fills the written deeds."""

    theme: Theme
    family: Family
    cast: tuple[casting.Part, ...]
    slots: Slots
    goal: str
    opening: str
    motive: str
    obstacle: Fact
    truth: str
    change: str
    locations: tuple[str, ...]
    props: tuple[str, ...]
    sad: bool


def write(request: OutlineRequest) -> Outline:
    """The outline for a request; the same request always gives the same outline."""
    rng = random.Random(f"{request.seed}/{request.theme}")
    theme = understand(request.theme)
    genre = theme.genre or rng.choice(
        ("mystery", "quest", "loss") if not theme.roles else ("mystery", "quest", "loss", "rivalry")
    )
    family = FAMILIES[genre]
    story = imagine(theme, family, rng)
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


def imagine(theme: Theme, family: Family, rng: random.Random) -> Story:
    """Choose people, wish, obstacle and change for a theme."""
    cast = casting.cast(theme, rng, family.others, family.thirds, family.heroes)
    thing, thing_phrase = theme.thing, theme.thing_phrase
    if not thing:
        thing_phrase = rng.choice(family.things)
        thing = thing_phrase.split(" ", 1)[1]
    slots: dict[str, object] = dict(zip(("h", "o", "s"), (part.person for part in cast), strict=False))
    short = thing.split(" that says ")[0]
    slots |= {"t": f"the {short}", "at": thing_phrase}
    third = len(cast) > 2
    goal, opening = _wish(theme, family, slots, rng)
    slots |= {"g": goal, "G": goal, "motive": fill(rng.choice(family.motives), slots)}
    obstacles = [text for text in family.obstacles if third or not needs(text, "s")]
    locations = _locations(theme, family, rng)
    return Story(
        theme=theme,
        family=family,
        cast=cast,
        slots=slots,
        goal=goal,
        opening=opening,
        motive=str(slots["motive"]),
        obstacle=fact_of(rng.choice(obstacles), slots, place=locations[1]),
        truth=fill(rng.choice(family.truths), slots),
        change=rng.choice(family.changes),
        locations=locations,
        props=tuple(rng.sample(vocabulary.PROPS, len(vocabulary.PROPS))),
        sad=bool({"tragedy", "tragic", "doomed"} & set(theme.text.lower().split())),
    )


def _wish(theme: Theme, family: Family, slots: Slots, rng: random.Random) -> tuple[str, str]:
    """The hero's goal and the deed that begins the story, both as verb phrases."""
    clause_ = theme.clause
    thing = theme.thing or clause_.thing
    if clause_.deed and clause_.verb not in _EVENTS and clause_.verb not in LOSING:
        return clause_.deed, ""
    if clause_.goal and clause_.goal != clause_.deed:
        return clause_.goal, clause_.deed
    if clause_.verb in MEETING:
        return fill(
            rng.choice(("keep the friendship with {o} alive", "stand by {o} against all the world")), slots
        ), clause_.deed
    if clause_.verb in ("lose", "miss", "forget") and thing:
        return fill(rng.choice(("get {t} back", "find {t} again")), slots), clause_.deed
    if clause_.deed and clause_.verb in LOSING:
        return clause_.deed, ""
    if clause_.verb in _ACCIDENTS:
        return rng.choice(("find the way back home", "understand what has happened")), clause_.deed
    if clause_.state:
        goal = state_goal(clause_.state)
        if goal:
            return goal, ""
    goal = fill(rng.choice(family.goals), slots)
    if clause_.deed:
        return goal, clause_.deed
    if theme.thing and family.found[0].startswith("lose"):
        return goal, fill("lose {at}", slots)
    if theme.thing:
        return goal, fill(rng.choice(("find {at}", "hear of {at}", "receive a message about {at}")), slots)
    return goal, fill(rng.choice(family.found), slots)


def state_goal(state: str) -> str:
    """What somebody in such a state wants: out of it. Empty for a state that asks for nothing."""
    for pattern, goal in _STATE_GOALS:
        found = re.match(pattern, state)
        if found:
            return goal.format(found.group(1))
    return ""


_ACCIDENTS = frozenset({"fall", "crash", "land", "wake", "arrive", "hear", "see", "witness", "vanish", "disappear"})
_STATE_GOALS = (
    (r"(?:is|was) afraid of (.+)", "overcome the fear of {}"),
    (r"(?:has|had) lost (.+)", "find {} again"),
    (r"(?:has|had) forgotten (.+)", "remember {}"),
    (r"(?:is|was) (?:trapped|lost|stuck|stranded|imprisoned) (?:in|on|at|inside) (.+)", "find the way out of {}"),
    (r"(?:cannot|can't|never|doesn't) (\w+.*)", "learn to {} after all"),
    (r"(?:has|have) (?:a|an|one) (secret.*)", "keep the {} safe"),
)


def _locations(theme: Theme, family: Family, rng: random.Random) -> tuple[str, ...]:
    """12 to 14 places: the theme's own first, then those that suit the story, then others."""
    first = [location.name for location in theme.places[:4]]
    suited = [name for name in rng.sample(family.places, len(family.places)) if name not in first]
    rest = [location.name for location in vocabulary.LOCATIONS if location.name not in (*first, *suited)]
    rng.shuffle(rest)
    return tuple([*first, *suited, *rest][: rng.randint(12, 14)])


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
        facts = _facts(event, slots, places[number - 1], because)
        if part == "climax" and story.sad:
            facts = (*facts[:2], _sad_turn(story, facts[2].place))
        upshot = fill(event.upshot, slots)
        content = _content(story, facts, upshot, first=number == 1, last=number == count)
        title = titles.chapter_title(
            event.title, story.theme, story.cast, number, [chapter.title for chapter in chapters]
        )
        chapters.append(ChapterOutline(number, title, places[number - 1], content, facts))
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
        sentences.append(english.sentence(f"{story.slots['h']} has learned that {story.change}"))
    else:
        sentences.append(english.sentence(upshot))
    return " ".join(sentences)


def _introduction(story: Story) -> str:
    """Who the people are, as the first chapter begins."""
    hero, *others = story.cast
    state = f" who {story.theme.clause.state}" if story.theme.clause.state else ""
    who = (
        f"{hero.character.name} is {hero.phrase}{state}" if hero.phrase else f"{hero.character.name} is the hero{state}"
    )
    if hero.phrase and hero.phrase == others[0].phrase:
        who = f"{hero.character.name} and {others[0].character.name} are both {english.plural(hero.character.occupation)}{state}"
        others = others[1:]
    known = [f"{part.character.name} is {part.phrase}" for part in others if part.phrase]
    people = english.sentence(", ".join([who, *known[:-1], *(f"and {last}" for last in known[-1:])]))
    return f"{people} {_keepsake(story)}".strip()


def _keepsake(story: Story) -> str:
    """A sentence about the story's thing where neither the theme nor the first deed speaks of it."""
    thing = str(story.slots["at"])
    if story.theme.thing or story.theme.clause.thing or thing in story.opening:
        return ""
    return english.sentence(f"{story.cast[0].character.name} keeps {thing} and shows it to nobody")


def _movie_facts(story: Story, chapters: tuple[ChapterOutline, ...]) -> tuple[Fact, ...]:
    """Wish, obstacle, outcome, truth and change: what the movie as a whole tells."""
    hero = story.cast[0].character.name
    first, last = chapters[0].facts[0], chapters[-1].facts[-1]
    wish = Fact(hero, f"want to {story.goal}", story.motive, "", first.place)
    truth = Fact(hero, f"find out that {story.truth}", "", "", last.place)
    change = Fact(hero, f"learn that {story.change}", "", "", last.place)
    return (wish, story.obstacle, last, truth, change)


def _overview(story: Story, chapters: tuple[ChapterOutline, ...]) -> str:
    theme, name = story.theme, story.cast[0].character.name
    sentences = [f"This is {theme.text[:1].lower()}{theme.text[1:]}"] if theme.framed else []
    start = place_phrase(chapters[0].facts[0].place)
    hero = casting.introduced(story.cast[0])
    if theme.clause.state:
        hero = f"{hero.rstrip(',')} who {theme.clause.state},"
    wish = f"{start}, {hero} wants to {story.goal}, because {story.motive}"
    if story.opening:
        sentences.append(f"{start}, {hero} {english.third(chapters[0].facts[0].deed)}")
        wish = f"From that day on, {name} wants to {story.goal}, because {story.motive}"
    sentences.append(wish)
    if not theme.framed and not theme.roles and theme.quote not in " ".join(sentences):
        sentences.append(f"Everything turns on the words {theme.quote}")
    if _keepsake(story):
        sentences.append(_keepsake(story))
    others = [casting.introduced(part).rstrip(",") for part in story.cast[1:]]
    sentences.append(" meets ".join([name, ", and ".join(others)]))
    sentences.append(told(story.obstacle, opening="But", place=False))
    sentences.append(told(chapters[-1].facts[-1], opening="In the end", place=False))
    sentences.append(f"It turns out that {story.truth}, and {name} learns that {story.change}")
    return " ".join(english.sentence(text) for text in sentences)

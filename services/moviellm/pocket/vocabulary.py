"""What the pocket model can draw, in words: the common language of storyteller, captions and drawer.

A text-to-image model of ten million parameters draws what it was taught and nothing else. So the writer of stories and
the teacher of the model read the same lists: whatever is composed from this file can be drawn. Everything here is pure
data and string building; the same arguments always give the same string.

Most callers need five functions: `appearance` (a person), `frame_sentence` (what a frame shows), `frame_prompt` (the
request sent to the model), `reference_prompt` (a picture that shows a style without people), and the finders
`find_location` and `find_style` that lead from a word of a theme to something drawable.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Location:
    """A place, `on` or `in` or `at` which people are.

    `objects` are things that are always drawn there, `synonyms` are words that lead to it.
    """

    name: str
    preposition: str
    indoor: bool
    objects: tuple[str, ...]
    synonyms: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """A sort of person: the noun, the adjective that makes the age plain, and what the drawer may give them."""

    name: str
    noun: str
    age: str
    female: bool
    hair_colours: tuple[str, ...]
    hair_styles: tuple[str, ...]
    garments: tuple[str, ...]
    extras: tuple[str, ...]


@dataclass(frozen=True)
class Person:
    """One concrete, invented appearance. Every field is a word of the lists below; see `appearance`."""

    kind: str
    hair_colour: str
    hair_style: str
    colour: str
    garment: str
    build: str = ""
    extra: str = ""


@dataclass(frozen=True)
class Action:
    """Something simple and drawable.

    `one` and `two` are the predicates for one and for two people; an empty string says that the action does not exist
    for that number. `{prop}` in a predicate stands for a held thing, and `props` lists the things that fit.
    """

    name: str
    one: str
    two: str
    props: tuple[str, ...] = ()


@dataclass(frozen=True)
class Expression:
    """A face: `one` and `two` are clauses for one face and for two."""

    name: str
    one: str
    two: str


@dataclass(frozen=True)
class Style:
    """A look: a keyword, important phrases and adjectives, as a movie's outline describes its style."""

    keyword: str
    phrases: tuple[str, ...]
    adjectives: tuple[str, ...]
    synonyms: tuple[str, ...] = ()


LOCATIONS: tuple[Location, ...] = (
    Location(
        "lighthouse",
        "at",
        False,
        ("tower", "cliff", "sea"),
        ("cliff", "rock", "beacon", "tower", "island", "lamp", "keeper", "watch", "cape", "signal"),
    ),
    Location(
        "harbor",
        "at",
        False,
        ("pier", "boats", "water"),
        ("port", "dock", "pier", "quay", "harbour", "fisherman", "fishing", "boat", "boats", "wharf"),
    ),
    Location(
        "beach",
        "on",
        False,
        ("sand", "waves", "palm tree"),
        ("sea", "ocean", "coast", "shore", "sand", "wave", "waves", "bay", "summer", "holiday", "tropical"),
    ),
    Location(
        "ship deck",
        "on",
        False,
        ("mast", "sail", "railing"),
        ("ship", "deck", "sail", "sailor", "captain", "pirate", "voyage", "vessel", "crew", "spaceship", "cruise"),
    ),
    Location(
        "forest",
        "in",
        False,
        ("trees", "path", "grass"),
        ("wood", "woods", "jungle", "tree", "trees", "wild", "wolf", "hunter", "witch", "nature", "swamp"),
    ),
    Location(
        "garden",
        "in",
        False,
        ("hedges", "fountain", "flowers"),
        ("park", "flowers", "fountain", "orchard", "love", "spring", "meadow", "field", "farm", "picnic"),
    ),
    Location(
        "mountain",
        "on",
        False,
        ("peaks", "snow", "rocks"),
        ("mountains", "hill", "hills", "peak", "valley", "alps", "climb", "summit", "glacier", "cave", "winter"),
    ),
    Location(
        "desert",
        "in",
        False,
        ("dunes", "cactus", "sand"),
        ("dune", "dunes", "sahara", "cactus", "western", "cowboy", "caravan", "nomad", "oasis", "planet", "mars"),
    ),
    Location(
        "village street",
        "on",
        False,
        ("houses", "roofs", "lamp"),
        ("village", "town", "house", "houses", "cottage", "country", "neighbor", "neighborhood", "street", "home"),
    ),
    Location(
        "city street",
        "on",
        False,
        ("towers", "windows", "road"),
        ("city", "downtown", "skyscraper", "alley", "road", "detective", "crime", "urban", "future", "robot", "taxi"),
    ),
    Location(
        "market",
        "at",
        False,
        ("stalls", "awnings", "fruit"),
        ("bazaar", "shop", "stall", "fair", "merchant", "trade", "square", "circus", "festival", "store"),
    ),
    Location(
        "castle",
        "at",
        False,
        ("towers", "gate", "flags"),
        ("king", "queen", "knight", "kingdom", "fortress", "dragon", "princess", "prince", "war", "medieval", "magic"),
    ),
    Location(
        "ballroom",
        "in",
        True,
        ("chandelier", "columns", "mirror"),
        (
            "ball",
            "dance",
            "palace",
            "duchess",
            "duke",
            "theater",
            "theatre",
            "stage",
            "hall",
            "party",
            "wedding",
            "opera",
        ),
    ),
    Location(
        "library",
        "in",
        True,
        ("bookshelves", "books", "ladder"),
        ("archive", "study", "school", "university", "office", "museum", "book", "books", "scholar", "professor"),
    ),
    Location(
        "kitchen",
        "in",
        True,
        ("stove", "pots", "shelf"),
        ("cook", "chef", "bakery", "baker", "food", "restaurant", "stove", "dinner", "laboratory", "family"),
    ),
    Location(
        "bedroom",
        "in",
        True,
        ("bed", "window", "curtains"),
        ("bed", "room", "dream", "sleep", "apartment", "hotel", "hospital", "attic", "child", "ghost", "night"),
    ),
    Location(
        "cafe",
        "at",
        True,
        ("tables", "lamps", "counter"),
        ("coffee", "bar", "tavern", "inn", "pub", "saloon", "diner", "date", "meeting", "tea", "club"),
    ),
    Location(
        "train station",
        "at",
        False,
        ("train", "platform", "clock"),
        ("train", "station", "railway", "platform", "travel", "journey", "departure", "metro", "airport", "spy"),
    ),
)

TIMES: tuple[str, ...] = ("morning", "noon", "sunset", "night")
TIME_PHRASES: dict[str, tuple[str, ...]] = {
    "morning": ("in the morning", "in the early morning", "at dawn"),
    "noon": ("at noon", "by day", "in daylight"),
    "sunset": ("at sunset", "in the evening", "at dusk"),
    "night": ("at night", "late at night", "by moonlight"),
}
"""For every time the ways to say it; the first is the canonical one."""

WEATHERS: tuple[str, ...] = ("clear", "rain", "snow", "fog", "storm")
WEATHER_PHRASES: dict[str, tuple[str, ...]] = {
    "clear": ("under a clear sky", "in fine weather"),
    "rain": ("in the rain", "while it is raining"),
    "snow": ("in the snow", "while it is snowing"),
    "fog": ("in the fog", "in mist"),
    "storm": ("in a storm", "under lightning"),
}
"""Weather is drawn outdoors only. The first phrase is the canonical one; `clear` is usually left unsaid."""

SHOTS: tuple[str, ...] = ("wide shot", "medium shot", "close-up")

COLOURS: tuple[str, ...] = ("red", "blue", "green", "yellow", "purple", "orange", "pink", "white", "black", "brown")
"""Colours of clothing."""

HAIR_COLOURS: tuple[str, ...] = ("black", "brown", "blond", "red", "grey", "white")
BUILDS: tuple[str, ...] = ("slim", "stout")

_YOUNG = ("black", "brown", "blond", "red")
_OLD = ("grey", "white")
KINDS: tuple[Kind, ...] = (
    Kind(
        "woman",
        "woman",
        "young",
        True,
        _YOUNG,
        ("long", "curly", "braided"),
        ("dress", "coat", "robe"),
        ("glasses", "a hat"),
    ),
    Kind(
        "man",
        "man",
        "young",
        False,
        _YOUNG,
        ("short", "wavy"),
        ("suit", "coat", "shirt"),
        ("glasses", "a hat", "a beard"),
    ),
    Kind("girl", "girl", "little", True, _YOUNG, ("long", "braided"), ("dress", "coat"), ("a ribbon",)),
    Kind("boy", "boy", "little", False, _YOUNG, ("short", "curly"), ("shirt", "coat"), ("a cap",)),
    Kind("old woman", "woman", "old", True, _OLD, ("tied", "curly"), ("dress", "coat", "robe"), ("glasses", "a hat")),
    Kind(
        "old man",
        "man",
        "old",
        False,
        _OLD,
        ("short", "thin"),
        ("suit", "coat", "robe"),
        ("glasses", "a hat", "a beard"),
    ),
)

PROPS: tuple[str, ...] = (
    "letter",
    "book",
    "map",
    "flower",
    "lantern",
    "bottle",
    "key",
    "cup",
    "sword",
    "box",
    "crown",
    "umbrella",
)

ACTIONS: tuple[Action, ...] = (
    Action("stand", "is standing", "are standing"),
    Action("walk", "is walking", "are walking"),
    Action("run", "is running", "are running"),
    Action("sit", "is sitting", "are sitting"),
    Action("kneel", "is kneeling", "are kneeling"),
    Action("look", "is looking into the distance", "are looking at each other"),
    Action("talk", "is talking", "are talking"),
    Action("think", "is thinking", ""),
    Action("point", "is pointing", "are pointing"),
    Action("wave", "is waving", "are waving"),
    Action("cheer", "is cheering", "are cheering"),
    Action("hold", "is holding {prop}", "are holding {prop}", PROPS),
    Action("read", "is reading {prop}", "are reading {prop}", ("letter", "book", "map")),
    Action("hug", "", "are hugging"),
    Action("hold hands", "", "are holding hands"),
    Action("dance", "is dancing", "are dancing"),
    Action("argue", "", "are arguing"),
)

EXPRESSIONS: tuple[Expression, ...] = (
    Expression("calm", "with a calm face", "with calm faces"),
    Expression("happy", "with a happy face", "with happy faces"),
    Expression("sad", "with a sad face", "with sad faces"),
    Expression("angry", "with an angry face", "with angry faces"),
    Expression("surprised", "with a surprised face", "with surprised faces"),
    Expression("afraid", "with a frightened face", "with frightened faces"),
)

STYLES: tuple[Style, ...] = (
    Style(
        "gothic",
        ("pointed arches", "long shadows", "cold moonlight"),
        ("dark", "gloomy", "haunted"),
        ("horror", "ghost", "vampire", "mystery", "witch", "haunted", "dark"),
    ),
    Style(
        "noir",
        ("black and white film", "hard light", "deep shadows"),
        ("tense", "smoky", "shadowy"),
        ("detective", "crime", "spy", "murder", "thriller", "gangster"),
    ),
    Style(
        "watercolor",
        ("wet paint on paper", "soft edges", "light washes"),
        ("gentle", "airy", "delicate"),
        ("poetic", "nature", "painter", "quiet", "spring"),
    ),
    Style(
        "pastel",
        ("soft pink tones", "milky light", "powder colors"),
        ("tender", "sweet", "light"),
        ("love", "romance", "romantic", "wedding", "child", "children"),
    ),
    Style(
        "vintage",
        ("faded sepia photograph", "old film grain", "brown tones"),
        ("nostalgic", "faded", "antique"),
        ("history", "historical", "memory", "war", "past", "western", "old"),
    ),
    Style(
        "neon",
        ("glowing magenta and cyan", "electric light", "purple night"),
        ("electric", "futuristic", "vivid"),
        ("future", "robot", "space", "cyberpunk", "city", "science", "alien"),
    ),
    Style(
        "comic",
        ("bold ink outlines", "flat colors", "printed dots"),
        ("bold", "playful", "punchy"),
        ("comedy", "hero", "superhero", "funny", "cartoon", "adventure"),
    ),
    Style(
        "sketch",
        ("pencil lines on paper", "grey hatching", "white paper"),
        ("simple", "rough", "fine"),
        ("drawing", "pencil", "artist", "diary"),
    ),
    Style(
        "impressionist",
        ("thick brush strokes", "dabs of color", "shimmering light"),
        ("painterly", "lively", "rich"),
        ("painting", "oil", "summer", "garden", "france"),
    ),
    Style(
        "woodcut",
        ("black lines on cream paper", "carved lines", "stark contrast"),
        ("stark", "folk", "rustic"),
        ("medieval", "legend", "saint", "folk", "print", "peasant"),
    ),
    Style(
        "fairytale",
        ("golden glow", "warm sparkling light", "rich colors"),
        ("magical", "warm", "enchanted"),
        ("magic", "princess", "dragon", "fantasy", "king", "queen", "wizard", "fairy"),
    ),
    Style(
        "cinematic",
        ("teal shadows", "orange light", "wide black bars"),
        ("dramatic", "epic", "grand"),
        ("epic", "action", "drama", "film", "movie", "journey"),
    ),
)
"""The looks that have a name in training."""

HELD_OUT_STYLES: tuple[Style, ...] = (
    Style("blueprint", ("deep blue shadows", "white highlights", "a fine grid", "ink outlines"), ("cold", "precise")),
    Style("ember", ("deep black shadows", "orange highlights", "a grainy texture", "dark edges"), ("hot", "smoky")),
    Style("jade", ("deep green shadows", "cream highlights", "a canvas texture", "bright edges"), ("calm", "antique")),
)
"""Looks kept out of training, picture and keyword, to measure how well a style can be learnt later.

Their phrases are words of the training vocabulary that come nearest, as a requester would choose them; no word says the
hues themselves, which lie between two that have names."""


def article(noun_phrase: str) -> str:
    """`a` or `an` before the phrase."""
    return f"{'an' if noun_phrase[:1] in 'aeiou' else 'a'} {noun_phrase}"


def kind_named(name: str) -> Kind:
    """The kind of person of that name; KeyError if there is none."""
    return {kind.name: kind for kind in KINDS}[name]


def appearance(person: Person) -> str:
    """The one phrase that stands for a person in every prompt.

    `a slim young woman with long red hair and glasses in a green dress`
    """
    kind = kind_named(person.kind)
    nouns = " ".join(word for word in (person.build, kind.age, kind.noun) if word)
    extra = f" and {person.extra}" if person.extra else ""
    hair = f"{person.hair_style} {person.hair_colour} hair"
    return f"{article(nouns)} with {hair}{extra} in {article(f'{person.colour} {person.garment}')}"


def predicate(action: Action, number: int, prop: str = "") -> str:
    """What one or two people do, with the held thing filled in: `is holding a letter`.

    Raises ValueError if the action does not exist for that number, or needs a prop and got none of its own.
    """
    words = action.one if number == 1 else action.two
    if not words:
        raise ValueError(f"the action {action.name!r} does not exist for {number} people")
    if "{prop}" in words and prop not in action.props:
        raise ValueError(f"the action {action.name!r} needs one of {', '.join(action.props)}; got {prop!r}")
    return words.format(prop=article(prop) if prop else "")


def frame_sentence(
    subjects: Sequence[str],
    action: Action | None,
    location: Location,
    *,
    prop: str = "",
    expression: Expression | None = None,
    time: str = "",
    weather: str = "",
    shot: str = "",
) -> str:
    """What one frame shows, in the order the model knows best; no subjects means an empty place.

    `subjects` are appearance phrases, or names to be replaced by them later. Empty arguments are left unsaid; weather
    is left out indoors, where it cannot be seen. Raises ValueError as `predicate` does, and for more than two subjects.

    `<A> is holding a letter with a sad face in the library at night, medium shot`
    """
    if len(subjects) > 2:
        raise ValueError(f"a frame shows at most two people; got {len(subjects)}")
    where = f"{location.preposition} the {location.name}" if subjects else f"the {location.name}"
    clauses = [where, TIME_PHRASES[time][0] if time else ""]
    if subjects:
        if action is None:
            raise ValueError("people need an action")
        face = "" if expression is None else (expression.one if len(subjects) == 1 else expression.two)
        clauses[:0] = [" and ".join(subjects), predicate(action, len(subjects), prop), face]
    if weather and weather != "clear" and not location.indoor:
        clauses.append(WEATHER_PHRASES[weather][0])
    sentence = " ".join(clause for clause in clauses if clause)
    return f"{sentence}, {shot}" if shot else sentence


def frame_prompt(style: str, description: str) -> str:
    """The request for one frame, worded as the paper's: `generate an image in gothic style: <description>`."""
    return f"generate an image in {style} style: {description}" if style else f"generate an image: {description}"


def style_words(style: Style) -> str:
    """The style said without its keyword: `dark and gloomy, pointed arches, long shadows`."""
    return ", ".join((" and ".join(style.adjectives[:2]), *style.phrases[:2]))


def reference_prompt(location: Location, style: Style, *, keyword: bool = True) -> str:
    """A picture of a place that shows a style, without people.

    `a picture of the library in gothic style, dark and gloomy, pointed arches, long shadows`; with `keyword=False` the
    style is told by its words alone, for a keyword that the model has never heard.
    """
    named = f" in {style.keyword} style" if keyword else ""
    return f"a picture of the {location.name}{named}, {style_words(style)}"


def find_location(word: str) -> Location | None:
    """The place a word of a theme leads to, by name or synonym, or None."""
    word = word.lower()
    for location in LOCATIONS:
        if word == location.name:
            return location
    for location in LOCATIONS:
        if word in location.synonyms or word in location.name.split():
            return location
    return None


def find_style(word: str) -> Style | None:
    """The taught style a word leads to, by keyword, adjective or synonym, or None."""
    word = word.lower()
    for style in STYLES:
        if word == style.keyword:
            return style
    for style in STYLES:
        if word in style.adjectives or word in style.synonyms:
            return style
    return None


def words_of(text: str) -> list[str]:
    """The words and marks of a text as the tokenizer sees them, in lower case."""
    return re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]", text.lower())

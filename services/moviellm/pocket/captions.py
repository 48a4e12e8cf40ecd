"""What is said of a scene: the same picture told in many ways, so that the model listens to words, not to a template.

Captions keep to the vocabulary and to the prompts that the services send (`frame_prompt`, `reference_prompt`), half of
the time word for word; the other half they change the order, use synonyms, leave clauses out, or tell the style by its
words alone. Invented names turn up now and then, to teach the model that they do not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from moviellm.pocket.look_space import LOOK_DARKS, LOOK_EDGES, LOOK_LIGHTS, LOOK_TEXTURES, Look, look_words
from moviellm.pocket.scene import Scene
from moviellm.pocket.vocabulary import (
    ACTIONS,
    BUILDS,
    COLOURS,
    EXPRESSIONS,
    HELD_OUT_STYLES,
    KINDS,
    LOCATIONS,
    PROPS,
    STYLES,
    TIME_PHRASES,
    TIMES,
    WEATHER_PHRASES,
    Person,
    Style,
    appearance,
    article,
    frame_prompt,
    frame_sentence,
    kind_named,
    predicate,
    style_words,
    words_of,
)

LONGEST = 75
"""Words and marks of a caption: 77 tokens less the first and the last."""

_FACES: dict[str, tuple[str, ...]] = {
    "calm": ("looking calm", "with a calm expression"),
    "happy": ("smiling", "looking happy", "with a happy expression"),
    "sad": ("crying", "looking sad", "with a sad expression"),
    "angry": ("looking angry", "with an angry expression"),
    "surprised": ("looking surprised", "with a surprised expression"),
    "afraid": ("looking frightened", "with a frightened expression"),
}
_STYLE = {style.keyword: style for style in STYLES}
_ADJECTIVES = tuple(dict.fromkeys(word for style in (*STYLES, *HELD_OUT_STYLES) for word in style.adjectives))
_SYLLABLES = ("ma", "ri", "lo", "an", "el", "jo", "ta", "vi", "sa", "ben", "ka", "ro", "no", "li", "da", "mir", "hen")


@dataclass(frozen=True)
class Caption:
    """A scene told: `look` are the words for a point of the look space, if there is one, `before` and `after` the rest.

    The two borders lie between words.
    """

    before: str
    look: str = ""
    after: str = ""

    @property
    def text(self) -> str:
        """The whole."""
        return self.before + self.look + self.after


def caption(scene: Scene, rng: Random) -> Caption:
    """One way to tell the scene, of at most `LONGEST` words and marks."""
    while True:
        told = _caption(scene, rng)
        if len(words_of(told.text)) <= LONGEST:
            return told


def canonical(scene: Scene) -> str:
    """The scene as the storyteller and the renderer word it, style prefix included."""
    return _canonical(scene).text


def _canonical(scene: Scene) -> Caption:
    sentence = _sentence(scene)
    if isinstance(scene.style, Look):
        return Caption(f"{frame_prompt('', sentence)}, ", look_words(scene.style))
    return Caption(frame_prompt(scene.style, sentence))


def _sentence(scene: Scene) -> str:
    return frame_sentence(
        [appearance(person) for person in scene.people],
        scene.action,
        scene.location,
        prop=scene.prop,
        expression=scene.expression,
        time=scene.time,
        weather=scene.weather,
        shot=scene.shot,
    )


def _caption(scene: Scene, rng: Random) -> Caption:
    if isinstance(scene.style, Look):
        return _of_look(scene, scene.style, rng)
    if rng.random() < 0.4:
        return _canonical(scene)
    if scene.style and rng.random() < 0.08:
        return Caption(f"{_subject_alone(scene, rng)} in {scene.style} style{_more(_STYLE[scene.style], rng)}")
    said = _description(scene, rng)
    return Caption(_styled(said, _STYLE[scene.style], rng) if scene.style else f"{_opening(rng)}{said}")


def _of_look(scene: Scene, look: Look, rng: Random) -> Caption:
    """A third as after a learnt token, where a keyword would stand, in the order in which a token begins."""
    roll = rng.random()
    if roll < 0.25:
        return Caption("generate an image in ", _as_keyword(look, rng), f" style: {_sentence(scene)}")
    if roll < 0.4:
        said = _subject_alone(scene, rng) if rng.random() < 0.2 else f"a picture of {_description(scene, rng)}"
        return Caption(f"{said} in ", _as_keyword(look, rng), " style")
    if roll < 0.65:
        return _canonical(scene)
    if rng.random() < 0.08:
        return Caption(f"{_subject_alone(scene, rng)}, ", _shuffled_look(look, rng))
    return Caption(f"{_opening(rng)}{_description(scene, rng)}, ", _shuffled_look(look, rng))


def _as_keyword(look: Look, rng: Random) -> str:
    """The look's words without marks and articles, now and then with adjectives that say little before them."""
    words = [word for word in words_of(look_words(look)) if word not in (",", "a")]
    if rng.random() < 0.5:
        words[:0] = rng.sample(_ADJECTIVES, 2)
    return " ".join(words)


def _opening(rng: Random) -> str:
    return rng.choice(("generate an image: ", "an image of ", "a picture of ", ""))


def _styled(said: str, style: Style, rng: Random) -> str:
    keyword, roll = style.keyword, rng.random()
    if roll < 0.35:
        return f"generate an image in {keyword} style: {said}{_more(style, rng)}"
    if roll < 0.6:
        return f"a picture of {said} in {keyword} style{_more(style, rng)}"
    if roll < 0.72:
        return f"{said}, {keyword} style{_more(style, rng)}"
    if roll < 0.78:
        return f"{article(keyword)} image of {said}"
    words = rng.sample(style.phrases, rng.randint(1, 3))
    words.insert(0, " and ".join(rng.sample(style.adjectives, 2)))
    return f"{_opening(rng)}{said}, {', '.join(words)}"


def _more(style: Style, rng: Random) -> str:
    roll = rng.random()
    if roll < 0.5:
        return ""
    if roll < 0.7:
        return f", {style_words(style)}"
    words = [rng.choice(style.adjectives), *rng.sample(style.phrases, rng.randint(0, 2))]
    return f", {', '.join(words)}"


def _shuffled_look(look: Look, rng: Random) -> str:
    parts = look_words(look).split(", ")
    if rng.random() < 0.5:
        rng.shuffle(parts)
    return ", ".join(parts)


def _subject_alone(scene: Scene, rng: Random) -> str:
    who = ("", " of people", " of two people")[len(scene.people)]
    return f"a picture{who}" if who and rng.random() < 0.5 else "an image"


def _description(scene: Scene, rng: Random) -> str:
    where = [clause for clause in (_place(scene, rng), _time(scene, rng), _weather(scene, rng)) if clause]
    if rng.random() < 0.3:
        rng.shuffle(where)
    who = _people(scene, rng)
    shot = scene.shot if rng.random() < 0.85 else ""
    if shot and rng.random() < 0.35:
        return f"{article(shot) if rng.random() < 0.5 else shot} of {' '.join([who, *where] if who else where)}"
    if who and where and rng.random() < 0.15:
        said = f"{' '.join(where)}, {who}"
    else:
        said = " ".join([who, *where] if who else where)
    return f"{said}, {shot}" if shot else said


def _place(scene: Scene, rng: Random) -> str:
    location = scene.location
    with_what = ""
    if rng.random() < 0.12:
        with_what = " with " + " and ".join(rng.sample(location.objects, rng.randint(1, 2)))
    if not scene.people:
        return f"{rng.choice(('the', 'the', 'an empty'))} {location.name}{with_what}"
    if rng.random() < 0.06:
        return ""
    return f"{location.preposition if rng.random() < 0.75 else 'in'} the {location.name}{with_what}"


def _time(scene: Scene, rng: Random) -> str:
    if rng.random() < 0.12:
        return ""
    return rng.choice((TIME_PHRASES[scene.time][0], *TIME_PHRASES[scene.time]))


def _weather(scene: Scene, rng: Random) -> str:
    if scene.location.indoor or rng.random() < (0.8 if scene.weather == "clear" else 0.1):
        return ""
    return rng.choice(WEATHER_PHRASES[scene.weather])


def _people(scene: Scene, rng: Random) -> str:
    if not scene.people or scene.action is None:
        return ""
    number = len(scene.people)
    roll = rng.random()
    if roll < 0.04:
        subjects = "two people" if number == 2 else "a person"
    else:
        told: Sequence[str] = [_person(person, rng, short=roll < 0.25) for person in scene.people]
        subjects = " and ".join(told)
    doing = predicate(scene.action, number, scene.prop)
    if rng.random() < 0.3:
        doing = doing.removeprefix("is ").removeprefix("are ")
    if rng.random() < 0.06:
        doing = ""
    face = ""
    if scene.expression is not None and rng.random() < 0.85:
        usual = scene.expression.one if number == 1 else scene.expression.two
        face = usual if rng.random() < 0.6 else rng.choice(_FACES[scene.expression.name])
    return " ".join(clause for clause in (subjects, doing, face) if clause)


def _person(person: Person, rng: Random, *, short: bool) -> str:
    named = "".join(rng.sample(_SYLLABLES, rng.randint(1, 3))) + ", " if rng.random() < 0.06 else ""
    if not short:
        return named + appearance(person)
    kind = kind_named(person.kind)
    noun = f"{kind.age} {kind.noun}" if rng.random() < 0.7 or kind.age != "young" else kind.noun
    if rng.random() < 0.6:
        return f"{named}{article(noun)} in {article(f'{person.colour} {person.garment}')}"
    return f"{named}{article(noun)} with {person.hair_colour} hair"


def taught_words() -> list[str]:
    """Every word and mark of the captions, in alphabetical order; held-out style keywords are not among them."""
    texts = ["generate an image in style: a picture of people two person the an empty, close-up wide medium shot"]
    texts += ["expression looking smiling crying on at by is are with and"]
    texts += [location.name + " " + " ".join(location.objects) for location in LOCATIONS]
    texts += [style.keyword + " " + " ".join(style.phrases + style.adjectives) for style in STYLES]
    for light, dark in zip(LOOK_LIGHTS, LOOK_DARKS, strict=True):
        texts.append(f"deep {dark} shadows {light} highlights ink outlines")
    texts += [*LOOK_TEXTURES.values(), *LOOK_EDGES.values()]
    texts += [phrase for time in TIMES for phrase in TIME_PHRASES[time]]
    texts += [phrase for phrases in WEATHER_PHRASES.values() for phrase in phrases]
    texts += [phrase for phrases in _FACES.values() for phrase in phrases]
    texts += _people_words()
    return sorted({word for text in texts for word in words_of(text)})


def _people_words() -> list[str]:
    texts = [*BUILDS, *COLOURS, *PROPS, "hair"]
    for kind in KINDS:
        parts = (kind.noun, kind.age, *kind.hair_colours, *kind.hair_styles, *kind.garments, *kind.extras)
        texts.append(" ".join(parts))
    texts += [f"{action.one} {action.two}".replace("{prop}", "") for action in ACTIONS]
    texts += [f"{expression.one} {expression.two}" for expression in EXPRESSIONS]
    texts += [" ".join(style.phrases + style.adjectives) for style in HELD_OUT_STYLES]
    return texts

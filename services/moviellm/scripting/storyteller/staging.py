"""What the camera sees: a scene's events as a row of drawable frames in the picture model's words."""

import random
import re
from collections.abc import Sequence

from moviellm.movie import Fact, Frame, Outline, ScenePlan
from moviellm.pocket import vocabulary
from moviellm.scripting.storyteller.moods import DRAWN_AS, PLACE_PROPS, SHOWN_AS, Mood, mood_of

_ACTIONS = {action.name: action for action in vocabulary.ACTIONS}
_EXPRESSIONS = {expression.name: expression for expression in vocabulary.EXPRESSIONS}
_JOYFUL = ("cheer", "dance", "wave")
_NEAR = {
    "calm": ("happy", "sad", "surprised"), "happy": ("calm", "surprised"), "sad": ("calm", "afraid"),
    "angry": ("calm", "sad"), "surprised": ("happy", "afraid"), "afraid": ("sad", "surprised"),
}  # fmt: skip
_TIME_WORDS = (
    ("night", r"\b(?:night|midnight|stars|asleep|dark)\b"),
    ("sunset", r"\b(?:sunset|dusk|evening)\b"),
    ("morning", r"\b(?:morning|dawn)\b"),
    ("noon", r"\bnoon\b"),
)
_WEATHER_WORDS = (
    ("storm", r"\bstorm"),
    ("rain", r"\brain"),
    ("snow", r"\b(?:snow|ice)\b"),
    ("fog", r"\b(?:fog|mist)\b"),
)


def frames_of(
    outline: Outline, chapter: int, scenes: int, plan: ScenePlan, cast: Sequence[str], count: int, rng: random.Random
) -> tuple[Frame, ...]:
    """Exactly `count` frames of a scene; `cast` are the names of those present, the most important first."""
    place = location_named(plan.location)
    time = time_of(outline, chapter, scenes, plan)
    weather = weather_of(outline, chapter, scenes, plan)
    mood = mood_of("; ".join(fact.deed for fact in plan.facts) or plan.content)
    props = props_of(plan)
    used: set[str] = set()
    previous = ""
    frames: list[Frame] = []
    for index in range(count):
        seen = _seen(index, count, cast, bool(props), rng)
        shot = _shot(index, count)
        for attempt in range(30):
            face = _expression(mood, index, count, attempt, rng)
            action, prop = _action(mood, plan, place, len(seen), index, attempt, face.name, rng)
            text = vocabulary.frame_sentence(
                seen,
                action,
                place,
                prop=prop,
                expression=face if seen else None,
                time=time,
                weather=weather,
                shot=shot if attempt < 20 else rng.choice(vocabulary.SHOTS),
            )
            text = _in_other_words(text, time, weather, plan.number)
            doing = f"{len(seen)} {action.name if action else ''}"
            if text not in used and (doing != previous or attempt > 12):
                break
            if attempt > 10 and len(cast) > 0:
                seen = rng.choice(_groups(cast))
        used.add(text)
        previous = doing
        frames.append(Frame(index + 1, text, tuple(seen)))
    return tuple(frames)


def _in_other_words(text: str, time: str, weather: str, scene: int) -> str:
    """Time and weather as this scene says them: neighbouring scenes at the same hour say it differently."""
    for phrases in (vocabulary.TIME_PHRASES.get(time, ("",)), vocabulary.WEATHER_PHRASES[weather]):
        if phrases[0]:
            text = text.replace(f" {phrases[0]}", f" {phrases[scene % len(phrases)]}", 1)
    return text


def location_named(name: str) -> vocabulary.Location:
    """The vocabulary's place of that name, or a plain one for a name it does not know."""
    found = vocabulary.find_location(name)
    return found if found and found.name == name else vocabulary.Location(name, "at", False, (), ())


def time_of(outline: Outline, chapter: int, scenes: int, plan: ScenePlan) -> str:
    """The time of day: as the scene says, else going on from scene to scene of the chapter."""
    for time, pattern in _TIME_WORDS:
        if re.search(pattern, _doings(plan.facts) or plan.content):
            return time
    start = random.Random(f"{outline.title}/{chapter}/time").randrange(2 if scenes > 2 else 4)
    span = 4 - start
    return vocabulary.TIMES[min(3, start + (plan.number - 1) * span // max(scenes, 1))]


def weather_of(outline: Outline, chapter: int, scenes: int, plan: ScenePlan) -> str:
    """The weather: as the chapter or the scene says, else one for each half of a chapter."""
    facts = next((one.facts for one in outline.chapters if one.number == chapter), ())
    for weather, pattern in _WEATHER_WORDS:
        if re.search(pattern, _doings((*facts, *plan.facts)) or plan.content):
            return weather
    half = 0 if plan.number <= (scenes + 1) // 2 else 1
    weathers = ("clear", "clear", "clear", *vocabulary.WEATHERS[1:])
    return random.Random(f"{outline.title}/{chapter}/{half}/weather").choice(weathers)


def _doings(facts: Sequence[Fact]) -> str:
    """What is done and how; reasons may lie far back, at another hour."""
    return "; ".join(f"{fact.deed} {fact.means}" for fact in facts)


def _groups(cast: Sequence[str]) -> list[tuple[str, ...]]:
    singles: list[tuple[str, ...]] = [(name,) for name in cast]
    pairs: list[tuple[str, ...]] = [(cast[0], name) for name in cast[1:]]
    return singles + pairs


def _seen(index: int, count: int, cast: Sequence[str], prop: bool, rng: random.Random) -> tuple[str, ...]:
    """Who is in a frame: all who talk are seen early, afterwards alone and together in turn.

    The third frame of a scene with a thing in it shows who acts with it.
    """
    if not cast or (index == 0 and count >= 5 and rng.random() < 0.3):
        return ()
    if len(cast) == 1:
        return (cast[0],)
    if count == 1 or (index == 1 and count > 1) or (count == 2 and index == 0):
        return (cast[0], cast[1])
    if prop and index == 2:
        return (cast[0],)
    if len(cast) > 2 and index in (2, 3) and count > 3:
        return (cast[2],) if rng.random() < 0.5 else (cast[0], cast[2])
    if index == 0:
        return (cast[0],)
    return rng.choice([*_groups(cast), (cast[0], cast[1]), (cast[0],)])


def _shot(index: int, count: int) -> str:
    if index == 0:
        return "wide shot"
    if index == count - 1 and count > 4:
        return "medium shot" if index % 2 else "close-up"
    return ("medium shot", "close-up", "medium shot", "close-up", "wide shot")[(index - 1) % 5]


def props_in(text: str) -> list[str]:
    """The drawable things that a text speaks of, also under their other names."""
    words = [DRAWN_AS.get(word, word) for word in vocabulary.words_of(text)]
    return list(dict.fromkeys(word for word in words if word in vocabulary.PROPS))


def _action(
    mood: Mood,
    plan: ScenePlan,
    place: vocabulary.Location,
    people: int,
    index: int,
    attempt: int,
    face: str,
    rng: random.Random,
) -> tuple[vocabulary.Action | None, str]:
    if people == 0:
        return None, ""
    named = props_of(plan)
    if named and (index % 3 == 2 or attempt == 5):
        prop = named[0] if index == 2 else rng.choice(named)
        reads = prop in _ACTIONS["read"].props and people == 1 and rng.random() < 0.5
        return _ACTIONS["read" if reads else "hold"], prop
    if not named and index % 4 == 3 and rng.random() < 0.7 and place.name in PLACE_PROPS:
        return _ACTIONS["hold"], rng.choice(PLACE_PROPS[place.name])
    shown = _shown(plan, people)
    if shown and attempt < 2 and index in (1, 4):
        return shown, ""
    names = mood.one if people == 1 else mood.two
    fitting = [name for name in names if (_ACTIONS[name].one if people == 1 else _ACTIONS[name].two)]
    fitting = [name for name in fitting if name not in _JOYFUL or face in ("happy", "surprised")]
    if attempt > 3 or not fitting or rng.random() < 0.4:
        fitting = ["stand", "walk", "sit", "look", "talk", "kneel", "point"]
    return _ACTIONS[rng.choice(fitting)], ""


def props_of(plan: ScenePlan) -> list[str]:
    """The drawable things of a scene: those that are done something with first, then those only spoken of."""
    deeds = " ".join(f"{fact.deed} {fact.means}" for fact in plan.facts)
    return list(dict.fromkeys((*props_in(deeds), *props_in(plan.content))))


def _shown(plan: ScenePlan, people: int) -> vocabulary.Action | None:
    """The action that shows what the scene is about, where so many people can do it."""
    for fact in plan.facts:
        action = _ACTIONS.get(SHOWN_AS.get(fact.deed.split(" ")[0], ""))
        if action and (action.one if people == 1 else action.two):
            return action
    return None


def _expression(mood: Mood, index: int, count: int, attempt: int, rng: random.Random) -> vocabulary.Expression:
    name = mood.before if index < count * 0.55 and count > 1 else mood.after
    if attempt > 2 or (0 < index < count - 1 and rng.random() < 0.45):
        name = rng.choice(_NEAR[name])
    return _EXPRESSIONS[name]

"""What frames tell of the story: where they are, and what is done, as facts and sentences."""

import re
from collections import Counter
from collections.abc import Sequence

from moviellm.movie import Character, Fact, Scene, ScenePlan
from moviellm.pocket import vocabulary
from moviellm.scripting import english
from moviellm.scripting.checker import sight
from moviellm.scripting.own_plot.import_frames import people_in
from moviellm.scripting.own_plot.import_places import short_place
from moviellm.scripting.storyteller import deeds, theme_words

_AT = re.compile(
    r"\b(?:in|at|on|inside|outside|near|by|through|across|into|around|beside) (?:the|an?) ([a-z]+)(?: ([a-z]+))?\b"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split(" "))


_BEFORE_PLACES = _words(
    "old small large big dark busy empty quiet grand ancient royal city village train ship school police "
    "living dining throne court church town space night beautiful abandoned wooden narrow crowded main public "
    "secret front back rose"
)
_NO_PLACES = _words(
    "morning evening afternoon night noon dawn dusk sunset sunrise rain snow fog storm mist moonlight "
    "sunlight dark light shadow shadows background foreground middle center centre distance front back side "
    "corner edge style image picture frame scene hand hands arms arm face eyes hair lap shoulder ground floor "
    "air sky water wind table chair bench bed door window wall fire crowd group circle line row way dress "
    "coat suit shirt robe cloak hat uniform gown jacket scarf apron box book letter map bottle cup lantern "
    "sword key other same calm happy sad angry surprised frightened man woman boy girl moment long short "
    "young wide medium mirror head chest end beginning top bottom far clothes"
)
_DOING = re.compile(r"\b(?:is|are) (?:\w+ly )?(\w+ing)\b(?P<rest>[^,;.]*)")
_STOP = re.compile(
    r"\s+(?:with (?:an? )?\w+ (?:face|faces|expression|smile|look)|(?:in|at|on|near|inside|by) the|while|as)\b.*$"
)
_WITH = {"talk", "walk", "sit", "stand", "argue", "dance", "run", "kneel", "think", "wait", "work", "play"}


def told_places(descriptions: Sequence[str], people: Sequence[Character]) -> tuple[str, ...]:
    """The places that the descriptions name, the most frequent first, at most 20."""
    counts: Counter[str] = Counter()
    for description in descriptions:
        for found in _AT.finditer(description.lower()):
            place = short_place(_place_of(found.group(1), found.group(2) or ""), people)
            if place and not theme_words.is_person(place.split()[-1]):
                counts[place] += 1
    return tuple(place for place, _ in counts.most_common(20))


def _place_of(first: str, second: str) -> str:
    both = f"{first} {second}"
    if vocabulary.find_location(both) is not None or (first in _BEFORE_PLACES and second and second not in _NO_PLACES):
        return both
    if first in _NO_PLACES or first in vocabulary.COLOURS or first in vocabulary.HAIR_COLOURS or len(first) < 3:
        return ""
    return first


def place_in(description: str, places: Sequence[str]) -> str:
    """The place that a description names, the longest of those that it does; empty if it names none."""
    low = description.lower()
    found = [place for place in places if re.search(rf"\b{re.escape(place.lower())}\b", low)]
    return max(found, key=len, default="")


def plan_of(scene: Scene, place: str, people: Sequence[Character]) -> ScenePlan:
    """The plan that a written scene follows: what is done in its frames."""
    facts = list(dict.fromkeys(filter(None, (fact_in(frame.description, place, people) for frame in scene.frames))))
    few = facts if len(facts) <= 3 else [facts[0], facts[len(facts) // 2], facts[-1]]
    content = " ".join(deeds.told(fact, place=index == 0) for index, fact in enumerate(few))
    return ScenePlan(scene.number, place, content or english.sentence(scene.frames[0].description), tuple(few))


def fact_in(description: str, place: str, people: Sequence[Character]) -> Fact | None:
    """Who does what in a frame; None where nobody of the cast does anything that has a plain verb."""
    seen = people_in(description, people)
    found = _DOING.search(description)
    verb = sight.base_of(found.group(1)) if found else ""
    if not seen or not verb or found is None or found.start() < description.find(seen[0]):
        return None
    rest = _STOP.sub("", found.group("rest")).rstrip()
    if len(seen) > 1 and seen[1] not in rest:
        other = seen[1]
        rest = rest.replace(" each other", f" {other}")
        if verb in _WITH and other not in rest:
            rest += f" with {other}"
        elif verb in ("hug", "embrace", "kiss") and not rest:
            rest = f" {other}"
    return Fact(seen[0], f"{verb}{rest}", "", "", place)

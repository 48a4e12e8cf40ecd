"""Mending the places of an imported plot: short, nameless, different, enough of them."""

import difflib
import re
from collections.abc import Sequence

from moviellm.movie import Character
from moviellm.pocket import vocabulary
from moviellm.scripting.checker import sight
from moviellm.scripting.checker.rules_of_plans import MIN_LOCATIONS
from moviellm.scripting.own_plot.plot_json import Ledger

_LEAD = re.compile(r"^(?:(?:in|at|on|inside|outside|near|by|the|a|an|his|her|their|our|my)\s+)+", re.IGNORECASE)
_AFTER = re.compile(r"\s+(?:of|in|at|on|near|with|by|where|from|and)\b.*$", re.IGNORECASE)
_NO_PLACE = frozenset(("she", "he", "they", "it", "who", "is", "are", "was"))
_MOST = 40


def short_place(text: str, characters: Sequence[Character]) -> str:
    """A location of one or two words without anybody's name, made of the text; empty if nothing is left."""
    words = _AFTER.sub("", _LEAD.sub("", re.sub(r"[^\w\s'’-]|_", " ", text.strip())))
    parts = {part.lower() for one in characters for mention in (one.name, *one.aliases) for part in mention.split()}
    kept = [word for word in words.split() if re.sub(r"['’]s?$", "", word.lower()) not in parts]
    kept = [word for word in kept if word.lower().removesuffix("s") not in parts and len(word) <= 18]
    kept = [word for word in kept if word.lower() not in _NO_PLACE and not sight.sequence_in(word)]
    place = " ".join(kept[-2:])
    if any(sight.passers_by(f"the {place.lower()}")):
        return ""
    return place[:1].lower() + place[1:] if place[1:].islower() or " " in place else place


def mended_places(
    places: Sequence[str], characters: Sequence[Character], theirs: Sequence[str], ledger: Ledger
) -> tuple[tuple[str, ...], dict[str, str]]:
    """At least twelve places, and what became of each that was given.

    `theirs` are the places that the plot's chapters and scenes name besides; what is missing comes from the pocket
    vocabulary.
    """
    became: dict[str, str] = {}
    kept: list[str] = []
    for given in (*places, *theirs):
        if given in became or not given.strip():
            continue
        place = given if _is_fine(given, characters) else short_place(given, characters)
        same = next((one for one in kept if one.lower() == place.lower()), "")
        if len(kept) >= _MOST and not same:
            same = kept[0]
        became[given] = same or place
        if place and not same:
            kept.append(place)
        rule = "locations-short" if not same else "locations-differ"
        if place != given or (same and given in places):
            ledger.note(rule, "locations", given, became[given])
    for location in vocabulary.LOCATIONS:
        taken = {part.lower() for one in characters for part in one.name.split()} & set(location.name.split())
        if len(kept) >= MIN_LOCATIONS:
            break
        if location.name not in [one.lower() for one in kept] and not taken:
            kept.append(location.name)
            ledger.note("locations-enough", "locations", "", location.name)
    return tuple(kept), became


def _is_fine(place: str, characters: Sequence[Character]) -> bool:
    return place == short_place(place, characters) and 1 <= len(place.split()) <= 2


def place_meant(text: str, places: Sequence[str]) -> str:
    """Which of the places a text means: the same but for case, one that it contains, or nearly the same; else empty."""
    wanted = _LEAD.sub("", text.strip().lower())
    small = {place.lower(): place for place in places}
    if wanted in small:
        return small[wanted]
    inside = [place for low, place in small.items() if re.search(rf"\b{re.escape(low)}\b", wanted)]
    if inside:
        return max(inside, key=len)
    near = difflib.get_close_matches(wanted, small, n=1, cutoff=0.8) if wanted else []
    return small[near[0]] if near else ""

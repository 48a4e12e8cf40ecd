"""Frames of a language model, mended by a program as far as that goes without making anything up."""

import re
from collections.abc import Sequence
from dataclasses import replace

from moviellm.movie import Character, Frame
from moviellm.scripting import english, names
from moviellm.scripting.by_model import conditions
from moviellm.scripting.by_model.mending import Notes, evenly, finished, place_phrase, rightly_named
from moviellm.scripting.checker import mentions, sight
from moviellm.scripting.checker.compacting import compacted
from moviellm.scripting.checker.rules_of_scenes import mentioned, names_location
from moviellm.scripting.writer import SceneRequest

_PREFIX = re.compile(
    r"^(?:(?:generate|create|draw|show|imagine) )?(?:an? |the )?(?:\w+[ -])?(?:image|picture|photo|illustration|scene)"
    r"(?: on| of| showing| in \w+ style)*\s*(?::|of|showing|on|where|in which)\s+",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"^(she|he|they|both|we|i|it|her|his)\b('s|’s)?", re.IGNORECASE)
_SHOTS = ("medium shot", "close-up", "wide shot")
_OBJECT = re.compile(r"\bhim\b|\bher\b(?=[.,;]|$| (?:in|on|at|with|by|near|under|and|while|as)\b)")
_SMALL_WORDS = "a an the two both one there it he she they his her their in at on under near with no some"
_PREPOSITIONS = r"(?:in|at|on|inside|near|by|outside|through|into|onto|across)"


def counted(frames: Sequence[Frame], wanted: int, notes: Notes, where: str) -> tuple[Frame, ...]:
    """Exactly as many frames as wanted: the surplus is left out evenly, missing ones are empty."""
    if len(frames) > wanted:
        notes("frames-counted", where, f"{len(frames)} frames", f"{wanted} of them")
    kept = [frames[index] for index in evenly(len(frames), wanted)] if frames else []
    kept += [Frame(0, "")] * (wanted - len(kept))
    return tuple(replace(frame, number=number) for number, frame in enumerate(kept, 1))


def _within_window(text: str, request: SceneRequest) -> str:
    outline, location = request.outline, conditions.planned(request).location
    return compacted(text, outline.characters, outline.style.keyword, location=location, count=request.count)


def mended(frame: Frame, request: SceneRequest, notes: Notes, where: str) -> Frame:
    """The frame with its placeholders, names, place and face mended; who is seen is read off the description."""
    people, plan = request.outline.characters, conditions.planned(request)
    steps = (
        ("frame-plain", lambda text: finished(text, frame.characters or _names(people), plan.location)),
        ("frame-plain", lambda text: _PREFIX.sub("", text)),
        ("frame-aliases", lambda text: mentions.settled(rightly_named(text, people), people)),
        ("frame-aliases", lambda text: _without_apposition(text, people)),
        ("frame-characters", lambda text: with_subject(text, [n for n in frame.characters if n in _names(people)][:2])),
        ("frame-characters", lambda text: _with_object(text, frame.characters, people)),
        ("frame-moment", _one_moment),
        ("frame-names-location", lambda text: _placed(text, plan.location, request.outline.locations)),
        ("frame-expression", lambda text: _faced(text, people)),
        ("frame-window", lambda text: _within_window(text, request)),
    )
    text = frame.description
    for rule, step in steps:
        was, text = text, step(text)
        if not text:
            return Frame(frame.number, "")
        notes(rule, where, was, text)
    seen = tuple(person.name for person in people if mentioned(text, person))
    listed = tuple(name for name in frame.characters if name not in seen)
    if listed:
        notes("frame-characters", where, ", ".join(frame.characters), ", ".join(seen))
    return Frame(frame.number, text, tuple(dict.fromkeys((*(n for n in frame.characters if n in seen), *seen))))


def with_subject(text: str, subjects: Sequence[str]) -> str:
    """The text with a pronoun that it begins with replaced by whom it means."""
    found = _PRONOUN.match(text)
    if found is None or not subjects:
        return text
    several = found[1].lower() in ("they", "both", "we")
    who = " and ".join(subjects) if several else subjects[0]
    owns = "'s" if found[1].lower() in ("her", "his") else ""
    rest = text[found.end() :]
    if found[2]:
        return f"{who} is{rest}"
    verb = "are" if several and len(subjects) > 1 else "is"
    return who + owns + re.sub(r"^ (?:am|are)\b", f" {verb}", rest)


def reduced(frame: Frame, subjects: Sequence[str], location: str, face: str) -> str:
    """What can be kept of a description that cannot be mended: its action, by known people, with a face and a shot.

    Frames next to each other differ by their number's shot.
    """
    verb = sight.action_in(frame.description) or "standing"
    if sight.expression_in(verb):
        verb = "standing"
    doing = verb if verb.endswith("ing") else english.ing_word(english.base_word(verb))
    are = "are" if len(subjects) > 1 else "is"
    shot = _SHOTS[frame.number % len(_SHOTS)]
    return f"{' and '.join(subjects)} {are} {doing} {face} {place_phrase(location)}, {shot}"


def _without_apposition(text: str, people: Sequence[Character]) -> str:
    """The text without a second mention right behind the first: "Tom Hale, Tom, holds" says it twice."""
    for person in people:
        known = "|".join(re.escape(mention) for mention in (person.name, *person.aliases) if mention)
        text = re.sub(rf"\b({known})(?:'s)?, (?:{known}),? ", r"\1 ", text)
    return text


def _with_object(text: str, listed: Sequence[str], people: Sequence[Character]) -> str:
    """The text with "him" or "her" replaced by the one who is listed as seen and not named."""
    unnamed = [person for person in people if person.name in listed and not mentioned(text, person)]
    named = [person for person in people if mentioned(text, person)]
    if len(unnamed) != 1 or (not named and not _PRONOUN.match(text)):
        return text
    return _OBJECT.sub(unnamed[0].name, text, count=1)


def strangers(text: str, people: Sequence[Character]) -> tuple[str, ...]:
    """Given names in the text that nobody of the cast has."""
    known = {word for person in people for mention in (person.name, *person.aliases) for word in mention.split()}
    given = (word for word in re.findall(r"\b[A-Z][a-z]+\b", text) if names.female_by_name(word) is not None)
    return tuple(dict.fromkeys(word for word in given if word not in known))


def _names(people: Sequence[Character]) -> tuple[str, ...]:
    return tuple(person.name for person in people)


def _one_moment(text: str) -> str:
    """The first of several moments, where it is told in enough words."""
    word = sight.sequence_in(text)
    if not word:
        return text
    first = re.split(rf",?\s*(?:and\s+|but\s+)?\b{re.escape(word)}\b", text)[0].strip(" ,;")
    if len(first.split()) >= 4:
        return first
    return re.sub(rf"\s*\b{re.escape(word)}\b", "", text).strip(" ,") if word.lower() in ("then", "finally") else text


def _placed(text: str, location: str, locations: Sequence[str]) -> str:
    if names_location(text, location):
        return text
    for other in sorted(locations, key=len, reverse=True):
        elsewhere = re.compile(rf"\b{_PREPOSITIONS} (?:the|a|an) {re.escape(other)}\b", re.IGNORECASE)
        if elsewhere.search(text):
            return elsewhere.sub(place_phrase(location), text, count=1)
    phrase = place_phrase(location)
    begins = text.split()[0].lower()
    plain = begins in _SMALL_WORDS.split() or begins.endswith("ing")
    return f"{phrase[0].upper()}{phrase[1:]}, {text[0].lower() + text[1:] if plain else text}"


def _faced(text: str, people: Sequence[Character]) -> str:
    """The text with a calm face where people are seen and no face is told."""
    seen = [person for person in people if mentioned(text, person)]
    if not seen or sight.expression_in(text):
        return text
    face = "with calm faces" if len(seen) > 1 else "with a calm face"
    shot = re.search(r",? (?:an? )?(?:[a-z-]+ )?(?:shot|close-up|view)\.?$", text)
    head, tail = (text[: shot.start()], text[shot.start() :]) if shot else (text.rstrip(" ."), "")
    return f"{head}, {face}{tail}"

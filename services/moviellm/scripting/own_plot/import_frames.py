"""Mending one description of an imported frame until it keeps to the rules."""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from moviellm.movie import Character, Frame
from moviellm.pocket import vocabulary
from moviellm.scripting import english
from moviellm.scripting.checker import likeness, sight
from moviellm.scripting.checker.compacting import WINDOW_RULE, bare, compacted
from moviellm.scripting.checker.mentions import ALIAS_RULE, settled, strays
from moviellm.scripting.checker.rules_of_scenes import mentioned, names_location
from moviellm.scripting.checker.tokens import TokenCounter, estimated
from moviellm.scripting.own_plot.plot_json import Ledger
from moviellm.scripting.storyteller.deeds import place_phrase

_PREFIX = re.compile(
    r"^\W*(?:(?:please )?(?:generate|create|draw|make|render)\s+)?(?:an?|the)?\s*(?:image|picture|photo|frame"
    r"|illustration|shot|painting)\b(?:\s+\d+)?\s*(?:(?:in|with)\s+(?:an?\s+|the\s+)?(?P<style>[\w-]+)\s+style)?"
    r"\s*(?:[:,.-]+|\b(?:of|on|showing|that shows|depicting|where|in which)\b)\s*",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^\W*(?:frame|scene|shot|image|key ?frame)?\s*\d+\s*[.:)-]+\s*", re.IGNORECASE)
_ARTICLE = re.compile(r"(?:the|an?)\b", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(She|He|They)\b")
_PLACE = re.compile(
    r"\b(?:in|at|on|inside|outside|near|by|beside|through|across) (?:the|an?|his|her|their) "
    r"((?:[A-Za-z]+ )?)([A-Za-z]+)\b"
)
_GONE = "a figure far away"


@dataclass(frozen=True)
class Setting:
    """What is fixed for all frames of a scene: its place among the movie's places, the cast, the style's keyword.

    `where` names the scene in a report.
    """

    location: str
    places: tuple[str, ...]
    characters: tuple[Character, ...]
    style: str
    where: str
    count: TokenCounter = estimated


def style_in(text: str) -> str:
    """The style that a prompt's prefix names; empty if there is none."""
    found = _PREFIX.match(text)
    return (found.group("style") or "") if found else ""


def without_prefix(text: str) -> str:
    """The description without the words that ask for a picture: "generate an image in Gothic style:", "image on"."""
    for _ in range(3):
        shorter = _PREFIX.sub(_place_stays, _LABEL.sub("", text))
        if shorter == text or not shorter.strip():
            break
        text = shorter
    return text.strip(" ,;:-")


def _place_stays(prefix: re.Match[str]) -> str:
    """ "image on Clara" is about Clara, but "image on the beach" is set on the beach."""
    on_a_place = prefix.group().split()[-1].lower() == "on" and _ARTICLE.match(prefix.string, prefix.end())
    return "on " if on_a_place else ""


def with_names(text: str, looks: Sequence[tuple[str, str]]) -> str:
    """The description with appearances turned back into names; `looks` are pairs of appearance and name."""
    for look, name in sorted(looks, key=lambda pair: -len(pair[0])):
        if len(look.split()) >= 3:
            pattern = r"[\s,]+".join(map(re.escape, re.findall(r"[^\s,]+", look)))
            escaped = name.replace("\\", r"\\")
            text = re.sub(rf"(?<!\w){pattern}(?!\w)", escaped, text, flags=re.IGNORECASE)
    return text


def by_name(text: str, characters: Sequence[Character]) -> str:
    """The description with every mention of somebody of the cast as the name, said once."""
    return _said_once(settled(text, characters), characters)


def _said_once(text: str, characters: Sequence[Character]) -> str:
    """A name right behind a name is what the substitution has left over."""
    known = "|".join(re.escape(one.name) for one in sorted(characters, key=lambda one: -len(one.name)))
    return re.sub(rf"\b({known})(?:,? (?:{known}))+(?!\w)", r"\1", text) if known else text


def odd_prefix(text: str) -> str:
    """The words that ask for a picture, where they are not those of the published layout; else empty."""
    found = _PREFIX.match(text)
    usual = re.match(r"(?:generate )?an image (?:in [\w-]+ style(?:\s*:| of)|of) ", text, re.IGNORECASE)
    return found.group() if found and not usual else ""


def mended_frame(
    frame: Frame, previous: Frame | None, setting: Setting, seen: set[str], rng: random.Random, ledger: Ledger
) -> Frame:
    """The frame by the rules; `seen` are the passers-by of the scene so far and grows."""
    where = f"{setting.where}, frame {frame.number}"
    text = frame.description
    mends: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("frame-plain", lambda text: _tidy(without_prefix(text))),
        ("appearance-invented", likeness.without_likeness),
        (ALIAS_RULE, lambda text: by_name(text, setting.characters)),
        ("frame-characters", lambda text: _named(text, frame, previous, setting)),
        (ALIAS_RULE, lambda text: _without_unknown(text, setting)),
        ("frame-moment", _one_moment),
        ("passer-by-described", lambda text: _passers_by(text, setting, seen, rng)),
        ("frame-names-location", lambda text: _placed(text, setting)),
        ("frame-action", lambda text: _acting(text, setting)),
        ("frame-expression", lambda text: _feeling(text, setting)),
        ("frame-characters", lambda text: _few(text, setting)),
        (WINDOW_RULE, lambda text: _within_window(text, setting)),
    )
    for rule, mend in mends:
        now = mend(text)
        ledger.note(rule, where, text, now)
        text = now
    return Frame(frame.number, text, people_in(text, setting.characters))


def _within_window(text: str, setting: Setting) -> str:
    return compacted(text, setting.characters, setting.style, location=setting.location, count=setting.count)


def people_in(text: str, characters: Sequence[Character]) -> tuple[str, ...]:
    """Who is named, in the order of the sentence."""
    found = {
        character.name: min(
            match.start()
            for mention in (character.name, *character.aliases)
            if mention and (match := re.search(rf"\b{re.escape(mention)}\b", text))
        )
        for character in characters
        if mentioned(text, character)
    }
    return tuple(sorted(found, key=lambda name: found[name]))


def _tidy(text: str) -> str:
    text = re.sub(r"\s+([,.;:])", r"\1", re.sub(r"\s+", " ", text)).strip(" ,;:-\"“”'")
    return english.upper_first(re.sub(r"[.!?]+$", "", text))


def _named(text: str, frame: Frame, previous: Frame | None, setting: Setting) -> str:
    """A pronoun in front gives way to the name it means; nobody in sight gives way to the place."""
    if not text:
        return english.upper_first(f"the {setting.location}")
    found = re.match(r"(she|he|they)\b", text, re.IGNORECASE)
    if not found:
        return text
    known = {character.name for character in setting.characters}
    meant = [name for name in (*frame.characters, *(previous.characters if previous else ())) if name in known]
    people = list(dict.fromkeys(meant)) or [setting.characters[0].name]
    subject = " and ".join(people[:2]) if found.group().lower() == "they" and len(people) > 1 else people[0]
    return subject + text[found.end() :]


def _without_unknown(text: str, setting: Setting) -> str:
    """Somebody whom nobody introduced cannot be drawn; a figure without features stands for them."""
    for _ in range(4):
        unknown = [stray for stray in strays(text, setting.characters) if stray.character is None]
        if not unknown:
            break
        for stray in unknown:
            text = re.sub(rf"(?<!\w){re.escape(stray.text)}(?:'s|’s)?(?!\w)", _GONE, text)
    return english.upper_first(text)


def _one_moment(text: str) -> str:
    if not sight.sequence_in(text):
        return text
    first = re.split(
        r",?\s*\b(?:and then|then|afterwards?|meanwhile|finally|later on|before|after)\b", text, maxsplit=1
    )[0].strip(" ,")
    if len(first.split()) >= 3:
        return first
    return re.sub(r"\s+", " ", re.sub(r"(?i)\b(?:and then|then|afterwards?|meanwhile|finally|later on)\b,?", "", text))


def _passers_by(text: str, setting: Setting, seen: set[str], rng: random.Random) -> str:
    """Passers-by get looks when they come and lose them when they come again."""
    plain = text
    for character in setting.characters:
        plain = plain.replace(character.appearance, "\x1f")
    for phrase, described in list(sight.passers_by(plain)):
        noun = phrase.split(" ")[-1]
        if noun in seen or phrase.split(" ", 1)[1] in seen:
            text = text.replace(phrase, _GONE, 1)
            continue
        seen |= {noun, phrase.split(" ", 1)[1]}
        if not described:
            text = text.replace(phrase, f"{phrase} with {_looks(setting, rng)}", 1)
    return text


def _looks(setting: Setting, rng: random.Random) -> str:
    taken = {character.clothing_color for character in setting.characters}
    colour = rng.choice([hue for hue in vocabulary.COLOURS if hue not in taken])
    return f"short {rng.choice(vocabulary.HAIR_COLOURS)} hair in {english.article(colour)} coat"


def _placed(text: str, setting: Setting) -> str:
    """The place of the scene, where another stood or at the end."""
    if names_location(text, setting.location):
        return text
    for found in _PLACE.finditer(text):
        known = {place.lower() for place in setting.places}
        noun = found.group(2).lower()
        if f"{found.group(1).lower()}{noun}" in known or noun in known or vocabulary.find_location(noun) is not None:
            return f"{text[: found.start()]}{place_phrase(setting.location)}{text[found.end() :]}"
    shot = re.search(r",\s*(?:wide shot|medium shot|close-up)$", text)
    cut = shot.start() if shot else len(text)
    return f"{text[:cut]} {place_phrase(setting.location)}{text[cut:]}"


def _bare_of_cast(text: str, setting: Setting) -> str:
    for character in setting.characters:
        for mention in sorted((character.name, *character.aliases), key=len, reverse=True):
            text = text.replace(mention, "")
    return text


def _acting(text: str, setting: Setting) -> str:
    people = people_in(text, setting.characters)
    if not people or sight.action_in(_bare_of_cast(text, setting)):
        return text
    last = max(text.rfind(name) + len(name) for name in people)
    return f"{text[:last]} {'are' if len(people) > 1 else 'is'} standing{text[last:]}"


def _feeling(text: str, setting: Setting) -> str:
    people = people_in(text, setting.characters)
    if not people or sight.expression_in(_bare_of_cast(text, setting)):
        return text
    face = "with calm faces" if len(people) > 1 else "with a calm face"
    at = re.search(rf"\s(?:in|at|on|inside|near|by)\s(?:\w+\s){{1,3}}?{re.escape(setting.location)}\b", text)
    cut = at.start() if at else len(text)
    return f"{text[:cut]} {face}{text[cut:]}"


def _few(text: str, setting: Setting) -> str:
    """Two people at most: a picture of three is drawn again with the first two."""
    people = people_in(text, setting.characters)
    if len(people) <= 2:
        return text
    first = [character for character in setting.characters if character.name in people[:2]]
    return bare(text, first, setting.location)


def plain_frame(frame: Frame, setting: Setting) -> Frame:
    """The least that the frame says, for one that cannot be mended otherwise."""
    people = [character for character in setting.characters if character.name in frame.characters][:2]
    text = bare(frame.description, people, setting.location)
    return Frame(frame.number, text, people_in(text, setting.characters))


def varied(frame: Frame, number: int) -> Frame:
    """The same frame from another distance, for a third one in a row."""
    text = re.sub(r",?\s*\b(?:wide shot|medium shot|close-up)\b", "", frame.description)
    shots = [shot for shot in vocabulary.SHOTS if not frame.description.endswith(shot)]
    return replace(frame, description=f"{text}, {shots[number % len(shots)]}")

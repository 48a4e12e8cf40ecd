"""The look of a movie: the preset that was asked for, the requester's own words, or one that suits the story."""

import random
import re
from collections.abc import Sequence

from moviellm.movie import Style
from moviellm.pocket import look_space, vocabulary
from moviellm.scripting.storyteller.theme_words import FUNCTION_WORDS

_COLOURS = {*vocabulary.COLOURS, *look_space.LOOK_DARKS, *look_space.LOOK_LIGHTS}


def choose(preset: str, description: str, theme_style: str, suited: Sequence[str], rng: random.Random) -> Style:
    """The preset, else the description, else a style for the theme's words, else one of the suited ones."""
    if preset:
        return named(preset)
    if description:
        return described(description)
    options = [theme_style] * 2 + list(suited) if theme_style else list(suited)
    return named(rng.choice(options))


def named(keyword: str) -> Style:
    """A known style with its words, or a style of one unknown keyword."""
    for style in (*vocabulary.STYLES, *vocabulary.HELD_OUT_STYLES):
        if style.keyword == keyword.lower():
            return Style(style.keyword, style.phrases, style.adjectives)
    found = vocabulary.find_style(keyword)
    if found:
        return Style(found.keyword, found.phrases, found.adjectives)
    return Style(one_word(keyword))


def described(description: str) -> Style:
    """A style in the requester's words: its keyword is the known style it names, else its first telling word."""
    parts = tuple(part.strip() for part in re.split(r"[,;.\n]+", description) if part.strip())
    words = re.findall(r"[A-Za-z]+", description.lower())
    known = next((style.keyword for word in words for style in vocabulary.STYLES if word == style.keyword), "")
    if not known:
        related = (vocabulary.find_style(word) for word in words)
        known = next((style.keyword for style in related if style), "")
    telling = [word for word in words if word not in FUNCTION_WORDS and word not in _COLOURS and len(word) > 3]
    keyword = known or next(iter(telling), "") or next(iter(words), "") or "plain"
    return Style(keyword, parts, ())


def one_word(text: str) -> str:
    """The first word of a text in small letters; `plain` for a text without any."""
    found = re.search(r"[^\W_]+", text.lower())
    return found.group() if found else "plain"

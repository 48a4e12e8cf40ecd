"""How long a prompt is for a text encoder of the CLIP family, which reads 77 tokens and cuts off the rest.

Two counters fill the same port: `estimated`, which needs nothing, and `BpeCounter`, which reads the tokenizer file of
the very model that will draw.
"""

import functools
import json
import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

from moviellm.errors import Broken
from moviellm.pocket import vocabulary

WINDOW = 77
"""Tokens that the text encoder reads, the start and the end mark among them."""

_WORD = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|[^\s\w]+|_+")
_MARKS = 2
_SHORT = 7


class TokenCounter(Protocol):
    """Tokens of a text, the start and the end mark included."""

    def __call__(self, text: str) -> int:
        """The number of tokens."""
        ...


def estimated(text: str) -> int:
    """An upper bound of CLIP's count for English text, and the exact one for what the pocket model was taught.

    Words of the pocket vocabulary and short English words are one token in CLIP's vocabulary of 49,408 pieces; longer
    words are counted as more pieces than they mostly have; a character of another script counts as its bytes.
    """
    return _MARKS + sum(map(_pieces, _WORD.findall(text.lower())))


@functools.lru_cache(maxsize=16384)
def _pieces(word: str) -> int:
    if word in _taught():
        return 1
    if not word.isascii():
        return len(word.encode())
    if not word[0].isalpha():
        return len(word) if len(word) > 1 else 1
    return 1 if len(word) <= 3 else 2 if len(word) <= _SHORT else math.ceil(len(word) / 3)


@functools.cache
def _taught() -> frozenset[str]:
    """Common words of what can be drawn: one piece each in the pocket model's vocabulary and in CLIP's."""
    texts = [
        "generate an image in style a picture of the and with at on is are shot wide medium close up",
        *vocabulary.PROPS, *vocabulary.COLOURS, *vocabulary.HAIR_COLOURS, *vocabulary.BUILDS, *vocabulary.SHOTS,
        *(location.name for location in vocabulary.LOCATIONS),
        *(words for action in vocabulary.ACTIONS for words in (action.one, action.two)),
        *(words for face in vocabulary.EXPRESSIONS for words in (face.one, face.two)),
        *(phrase for phrases in vocabulary.TIME_PHRASES.values() for phrase in phrases),
        *(phrase for phrases in vocabulary.WEATHER_PHRASES.values() for phrase in phrases),
        *(style.keyword for style in vocabulary.STYLES),
        *(word for kind in vocabulary.KINDS
          for word in (kind.noun, kind.age, *kind.hair_styles, *kind.garments, *kind.extras)),
        "hair",
    ]  # fmt: skip
    words = {word for text in texts for word in re.findall(r"[a-z]+", text)}
    return frozenset(words - {"kneeling", "woodcut"})


class BpeCounter:
    """CLIP's own byte-pair encoding, read from the tokenizer.json of a model folder; needs no library.

    The text is put into lower case and split into words; each word's bytes are joined by the learnt merges.
    """

    def __init__(self, merges: list[tuple[str, str]]) -> None:
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._letters = _byte_letters()
        self._known: dict[str, int] = {}

    @classmethod
    def load(cls, path: Path) -> "BpeCounter":
        """Read tokenizer.json, or a folder that holds it. Raises Broken for anything else."""
        file = path / "tokenizer.json" if path.is_dir() else path
        try:
            merges: list[Any] = json.loads(file.read_text(encoding="utf-8"))["model"]["merges"]
            pairs = [_pair(merge) for merge in merges]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Broken(f"{file} is not the tokenizer.json of a CLIP text encoder") from error
        return cls(pairs)

    def __call__(self, text: str) -> int:
        """The number of tokens, the start and the end mark included."""
        return _MARKS + sum(map(self._count, _WORD.findall(text.lower())))

    def _count(self, word: str) -> int:
        if word not in self._known:
            self._known[word] = len(self._joined(word))
        return self._known[word]

    def _joined(self, word: str) -> list[str]:
        pieces = [self._letters[byte] for byte in word.encode()]
        pieces[-1] += "</w>"
        while len(pieces) > 1:
            rank, index = min((self._ranks.get(pair, 1 << 30), i) for i, pair in enumerate(pairwise(pieces)))
            if rank == 1 << 30:
                break
            pieces[index : index + 2] = [pieces[index] + pieces[index + 1]]
        return pieces


def _pair(merge: Any) -> tuple[str, str]:
    first, second = merge.split(" ") if isinstance(merge, str) else merge
    return str(first), str(second)


def _byte_letters() -> list[str]:
    """The printable letters that stand for the 256 bytes."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]

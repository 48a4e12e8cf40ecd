"""The alphabet of the text encoder: every taught word is one piece, and any other text still has pieces.

CLIP's tokenizer splits text into words and joins bytes by learnt merges. Learning merges on the list of taught words
until each is whole gives one piece a word; names and unknown words fall apart into shorter pieces or bytes.
"""

from collections import Counter
from itertools import pairwise

START, END = "<|startoftext|>", "<|endoftext|>"
_LAST = "</w>"


def _byte_letters() -> list[str]:
    """The 256 printable letters that stand for bytes in CLIP's and GPT-2's tokenizers, in byte order."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    letters, extra = [], 0
    for byte in range(256):
        letters.append(chr(byte) if byte in plain else chr(256 + extra))
        extra += byte not in plain
    return letters


def learn_pieces(words: list[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary (piece to number) and merges in order, so that each of the words becomes one piece.

    Byte-pair encoding: the most frequent pair of neighbours is joined until nothing is left to join; ties go to the
    pair first in alphabetical order, so the result depends on the words alone.
    """
    split = {word: [*word[:-1], word[-1] + _LAST] for word in words}
    merges: list[tuple[str, str]] = []
    while True:
        pairs = Counter(pair for pieces in split.values() for pair in pairwise(pieces))
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        split = {word: _joined(pieces, best) for word, pieces in split.items()}
    letters = _byte_letters()
    pieces = [*letters, *(letter + _LAST for letter in letters), *("".join(pair) for pair in merges), START, END]
    return {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}, merges


def _joined(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    index = 0
    while index < len(pieces):
        if tuple(pieces[index : index + 2]) == pair:
            out.append(pieces[index] + pieces[index + 1])
            index += 2
        else:
            out.append(pieces[index])
            index += 1
    return out

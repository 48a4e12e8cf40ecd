"""Frames of different scenes that look the same, by their fingerprints."""

from collections.abc import Sequence
from dataclasses import dataclass

#: Fingerprints of 256 bits that differ in no more of them belong to pictures that people take for the same.
MOST_BITS = 20


@dataclass(frozen=True)
class Print:
    """The fingerprint of a frame; `frame` is its number in the movie, `scene` anything that tells scenes apart."""

    frame: int
    scene: tuple[int, int]
    bits: int


@dataclass(frozen=True)
class LookAlikes:
    """Two frames of different scenes that look the same; `bits` differ between their fingerprints."""

    first: int
    second: int
    bits: int


def look_alikes(prints: Sequence[Print], *, most_bits: int = MOST_BITS) -> list[LookAlikes]:
    """For each frame the most similar earlier frame of another scene, where one looks the same.

    All pairs are compared: about a quarter of a second for the 1331 frames of a full movie.
    """
    found = []
    for index, later in enumerate(prints):
        best: LookAlikes | None = None
        for earlier in prints[:index]:
            bits = (earlier.bits ^ later.bits).bit_count()
            if bits <= most_bits and earlier.scene != later.scene and (best is None or bits < best.bits):
                best = LookAlikes(earlier.frame, later.frame, bits)
        if best is not None:
            found.append(best)
    return found

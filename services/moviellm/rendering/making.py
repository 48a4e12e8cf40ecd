"""How a picture came about, as it is told inside the picture's own file.

So the picture and its story are written at once: neither a crash before the caller's record nor a second call loses it.
"""

from dataclasses import dataclass

from moviellm import wire
from moviellm.dataset import Attempt
from moviellm.errors import Broken
from moviellm.rendering.faults import GRID


@dataclass(frozen=True)
class Making:
    """Every attempt at a picture, the kept one last, and the picture's fingerprint in hexadecimal."""

    attempts: tuple[Attempt, ...]
    fingerprint: str


def write(attempts: tuple[Attempt, ...], fingerprint: bytes) -> bytes:
    """The comment that goes into the file; equal makings give equal bytes."""
    return wire.to_json(Making(attempts, fingerprint.hex()))


def read(comment: bytes) -> tuple[tuple[Attempt, ...], bytes] | None:
    """Attempts and fingerprint from a file's comment; None when it was not written here."""
    try:
        making = wire.from_json(comment, Making)
        fingerprint = bytes.fromhex(making.fingerprint)
    except (Broken, ValueError):
        return None
    return (making.attempts, fingerprint) if len(fingerprint) == GRID * GRID else None

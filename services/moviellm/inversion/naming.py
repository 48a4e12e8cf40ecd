"""The token that stands for a style in prompts."""

import hashlib
import re
import unicodedata
from collections.abc import Callable

LONGEST = 40


def style_token(keyword: str, taken: Callable[[str], bool]) -> str:
    """ "<keyword>", of lower-case ASCII letters, digits and hyphens; `taken` tells what a vocabulary holds already.

    Accents are dropped; a keyword without any Latin letter gets a short digest instead, so that every keyword has a
    token, and always the same one.
    """
    plain = unicodedata.normalize("NFKD", keyword).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain)[:LONGEST].strip("-")
    if not name:
        name = f"style-{hashlib.sha256(keyword.encode()).hexdigest()[:8]}"
    candidate, number = f"<{name}>", 1
    while taken(candidate):
        candidate = f"<{name}-style>" if number == 1 else f"<{name}-style-{number}>"
        number += 1
    return candidate

"""The kinds of questions that figures are given for."""

import re
from collections.abc import Iterable

from moviellm.movie import QuestionKind

OTHER = "other"
"""The kind of questions that say none, such as those of the published story."""

ALL = "all"
"""The name of the figures over all kinds."""

_ORDER = (*(kind.value for kind in QuestionKind), OTHER)


def kind_of(text: str) -> str:
    """One lower-case word for a kind as files spell it: "Temporal Understanding" is temporal; no text is other."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    known = next((kind.value for kind in QuestionKind if kind.value in words), None)
    return known or "-".join(words) or OTHER


def in_order(kinds: Iterable[str]) -> list[str]:
    """Each kind once: the paper's first, then ours, then others by name."""
    return sorted(set(kinds), key=lambda kind: (_ORDER.index(kind) if kind in _ORDER else len(_ORDER), kind))

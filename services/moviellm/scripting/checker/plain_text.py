"""Text that may go into training data: one line, nothing that a trainer takes for a label, no gaps left open."""

import re

MARKS = re.compile(
    r"<\s{0,3}/?\s{0,3}(?:image|video|audio|s|frame|img)\s{0,3}/?\s{0,3}>|<\|[^|>]{0,40}\|>|\[/?INST\]|<</?SYS>>"
    r"|\b(?:ASSISTANT|USER|SYSTEM)\s{0,3}:",
    re.IGNORECASE,
)
"""What corrupts the labels of a conversation: placeholders of media, ends of sentences, names of its speakers."""

_GAPS = re.compile(
    r"\{[^{}]{0,80}\}|\{\{|\}\}|\[(?:insert|your|name|character|location|scene|todo)[^\]]{0,60}\]|<[a-z_ ]{2,30}>",
    re.IGNORECASE,
)
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def fault(text: str) -> str:
    """What is wrong with a text, as the end of a sentence that begins with the place; empty if nothing is."""
    if found := MARKS.search(text):
        return f"must not contain {found.group()!r}, which corrupts the labels of training data"
    if found := _GAPS.search(text):
        return f"must be finished text, not the placeholder {found.group()!r}"
    if has_controls(text):
        return "must not contain control characters"
    return ""


def has_controls(text: str) -> bool:
    """Whether there are characters that are not seen: controls, marks of direction, half characters."""
    return bool(_CONTROLS.search(text))


def cleaned(text: str) -> str:
    """The text without what `fault` complains of, on one line; may come out empty."""
    text = _CONTROLS.sub("", text)
    for _ in range(8):
        shorter = _GAPS.sub(" ", MARKS.sub(" ", text))
        if shorter == text:
            break
        text = shorter
    else:
        text = re.sub(r"[<>{}\[\]]", " ", MARKS.sub(" ", text))
    return re.sub(r"\s+([,.;:!?])", r"\1", re.sub(r"\s+", " ", text)).strip()

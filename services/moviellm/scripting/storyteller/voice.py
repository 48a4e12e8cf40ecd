"""Putting a fact into a character's mouth: names and pronouns become I, you and we-know-whom."""

import re

from moviellm.scripting import english
from moviellm.scripting.storyteller.deeds import Person

_FORMS = {"I": ("I", "me", "my", "myself"), "you": ("you", "you", "your", "yourself")}
_AUXILIARIES = {
    "I": {"is": "am", "has": "have", "does": "do", "was": "was"},
    "you": {"is": "are", "has": "have", "does": "do", "was": "were"},
}
_MODALS = {"can", "cannot", "could", "must", "will", "would", "should", "had", "stood", "once", "too", "no", "never"}
_BEFORE_SUBJECTS = frozenset(
    ("", "that", "because", "what", "where", "when", "if", "how", "who", "than", "as", "everything", "whether", "and",
     "but", "the", "once", "while", "before", "until", "time")
)  # fmt: skip
_OBJECT_FOLLOWS = (
    r"(?=$|[,.;!?]|\s(?:to|with|and|into|in|on|at|from|for|off|away|alone|by|close|more|everything|what|how|that)\b)"
)


def spoken(text: str, *, subject: Person | None, speaker: Person, listener: Person) -> str:
    """The text as `speaker` says it to `listener`; pronouns in it mean `subject`, unless it begins with a name."""
    opening = next((person for person in (speaker, listener) if text.startswith(f"{person.name} ")), None)
    if opening is None and re.match(r"[A-Z]\w+ ", text):
        owner: Person | None = None
    else:
        owner = opening or subject
    if owner is not None and owner.name in (speaker.name, listener.name):
        text = _pronouns(text, owner, "I" if owner.name == speaker.name else "you")
    if owner is not None and subject is not None and owner.female != subject.female:
        text = _pronouns(text, subject, "I" if subject.name == speaker.name else "you")
    text = _names(text, speaker.name, "I")
    return _names(text, listener.name, "you")


_TOGETHER = (
    (r"\bthey\b", "we"), (r"\bthem both\b", "us both"), (r"\bboth of them\b", "both of us"),
    (r"\bbetween them\b", "between us"), (r"\bthem closer\b", "us closer"),
)  # fmt: skip


def together(text: str) -> str:
    """The text with "they" as "we": where two people speak of both, they speak of themselves."""
    for pattern, words in _TOGETHER:
        text = re.sub(pattern, words, text)
    return text


def _pronouns(text: str, owner: Person, pronoun: str) -> str:
    me, my, self_ = _FORMS[pronoun][1:]
    text = _subjects(text, owner.he, pronoun)
    text = re.sub(rf"\b{owner.him}self\b", self_, text)
    if owner.female:
        text = re.sub(r"\bher\b" + _OBJECT_FOLLOWS, me, text)
        return re.sub(r"\bher\b", my, text)
    text = re.sub(r"\bhim\b", me, text)
    return re.sub(r"\bhis\b", my, text)


def _names(text: str, name: str, pronoun: str) -> str:
    escaped = re.escape(name)
    text = re.sub(rf"\b{escaped}'s(?!\w)", _FORMS[pronoun][2], text)
    text = re.sub(rf"\b{escaped} and (?=[A-Z])", f"{name} and ", text)
    text = _subjects(text, escaped, pronoun)
    return re.sub(rf"\b{escaped}\b", _FORMS[pronoun][1], text)


def _subjects(text: str, word: str, pronoun: str) -> str:
    """Replace the word where a verb follows it, and put the verb into the right person."""

    def replaced(match: re.Match[str]) -> str:
        verb = match.group(1)
        return f"{pronoun} {_conjugated(verb, pronoun)}"

    return re.sub(rf"\b{word} ([a-z']+)", lambda match: replaced(match) if _is_verb(match) else match.group(), text)


def _is_verb(match: re.Match[str]) -> bool:
    verb = match.group(1)
    before = match.string[: match.start()].rstrip().rsplit(" ", 1)[-1].lower()
    starts = before in _BEFORE_SUBJECTS
    if verb in _AUXILIARIES["I"] or (verb in _MODALS and starts):
        return True
    if match.group().split()[0] in ("he", "she"):
        return True
    return starts and verb.endswith(("s", "ed"))


def _conjugated(verb: str, pronoun: str) -> str:
    if verb in _AUXILIARIES[pronoun]:
        return _AUXILIARIES[pronoun][verb]
    return verb if verb in _MODALS or not verb.endswith("s") or verb.endswith("ss") else english.base_word(verb)

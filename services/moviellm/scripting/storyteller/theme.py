"""Understanding a theme phrase: who, does what, with which thing, where, in which kind of story.

No theme is refused: what cannot be taken apart is quoted in the story as it stands.
"""

import re
from dataclasses import dataclass, replace

from moviellm.pocket import vocabulary
from moviellm.scripting import english
from moviellm.scripting.storyteller import theme_words
from moviellm.scripting.storyteller.theme_clauses import Clause, clause_of, is_verb

_FRAME = re.compile(
    r"^(?:(?:a|an|the|another)\s+)?(?P<kind>(?:[\w'’-]+\s+){0,3}?(?:" + theme_words.STORY_NOUNS + r")s?)\b\s*"
    r"(?:(?:about|of|between|with|in which|where|set in|featuring|starring|on)\s+|[:,–-]\s*|$)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*|\d+|[^\sA-Za-z\d]")
_MAX_PARSED = 24


@dataclass(frozen=True)
class Role:
    """Somebody the theme names: `noun` is the singular without article ("lighthouse keeper").

    `female` is None where the word does not say; `name` is filled when the theme gives one; `about` is what the theme
    adds ("in a casino").
    """

    noun: str
    definite: bool = False
    female: bool | None = None
    age: str = ""
    name: str = ""
    about: str = ""

    @property
    def phrase(self) -> str:
        """The role with its article: `a lighthouse keeper`, `the last dragon`."""
        noun = f"the {self.noun}" if self.definite else english.article(self.noun)
        return f"{noun} {self.about}".strip()


@dataclass(frozen=True)
class Theme:
    """A theme taken apart. `text` is the theme as given; empty fields are things it does not say.

    `clause` is what the first role does; `thing` the noun phrase (without article) that the story turns on, and
    `thing_phrase` its full first mention.
    """

    text: str
    genre: str
    framed: bool
    roles: tuple[Role, ...]
    clause: Clause
    thing: str
    thing_phrase: str
    places: tuple[vocabulary.Location, ...]
    style: str

    @property
    def quote(self) -> str:
        """The theme in quotation marks, shortened when it is long."""
        return f"“{shortened(self.text, 90)}”"


def shortened(text: str, length: int) -> str:
    """The text cut at a word's end to at most `length` characters."""
    text = re.sub(r"[\s“”\"{}]+", " ", text).strip()
    if len(text) <= length:
        return text
    return text[:length].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"


def understand(text: str) -> Theme:
    """Take a theme apart; never fails."""
    plain = re.sub(r"\s+", " ", text.replace("’", "'")).strip().strip(".!?\"'“” ")
    frame = _FRAME.match(plain)
    rest = plain[frame.end() :].strip() if frame else plain
    words = _WORD.findall(re.split(r"[.;!?\n]", rest)[0])[:_MAX_PARSED]
    roles, clause, thing, thing_phrase = _parts(words)
    everything = [word.lower() for word in re.findall(r"[A-Za-z']+", plain)]
    if clause.companion and len(roles) == 1:
        roles = (*roles, role_of(list(clause.companion)))
    owner = re.match(r"(?:.* )?(\w+)'s ", roles[0].noun) if len(roles) == 1 else None
    if owner and theme_words.is_person(owner.group(1).lower()):
        roles = (*roles, role_of(["the", owner.group(1)]))
    if not roles and not thing:
        thing, thing_phrase = _device(rest, text, words)
    return Theme(
        text=text.strip(),
        genre=_genre(everything, clause, roles),
        framed=bool(frame and frame.end() and frame.group("kind")) and text.isascii(),
        roles=roles,
        clause=clause,
        thing=thing or clause.thing,
        thing_phrase=thing_phrase or clause.thing_phrase,
        places=_places(plain, everything),
        style=_style(everything),
    )


def _parts(words: list[str]) -> tuple[tuple[Role, ...], Clause, str, str]:
    """Roles, what the first one does, and a thing when the theme is about a thing alone."""
    phrase, end = noun_phrase(words, 0)
    roles: tuple[Role, ...] = ()
    if phrase:
        follower = words[end].lower() if end < len(words) else ""
        if _is_agent(phrase, follower):
            roles = roles_of(phrase)
            while follower in ("and", "versus", "vs", "or", ",") and end + 1 < len(words) and len(roles) < 3:
                other, other_end = noun_phrase(words, end + 1)
                if not other or not (_is_agent(other, "and") or other[0][:1].isupper()):
                    break
                roles, end = (*roles, *roles_of(other)), other_end
                follower = words[end].lower() if end < len(words) else ""
            about, end = _about(words, end)
            clause = clause_of(words[end:], plural=len(roles) > 1)
            return (replace(roles[0], about=about), *roles[1:])[:3], clause, "", ""
    found = tuple(role for role in _scanned(words) if role)[:3]
    if found:
        return found, Clause(), "", ""
    if phrase and words[0].lower() in ("a", "an", "the") and len(phrase) > 1:
        tail = " ".join(words).replace(" ,", ",").replace(" '", "'")
        thing = tail.split(" ", 1)[1]
        if len(thing.split()) <= 7 and thing.isascii():
            return (), Clause(), thing, tail.lower() if tail.istitle() else english_lower(tail)
    return (), Clause(), "", ""


def english_lower(text: str) -> str:
    """The text with a small first letter, for use inside a sentence."""
    return text[:1].lower() + text[1:]


def noun_phrase(words: list[str], start: int) -> tuple[list[str], int]:
    """The noun phrase that starts at `start` (with its article) and the index behind it; empty if there is none."""
    taken: list[str] = []
    index = start
    while index < len(words):
        word = words[index].lower()
        if not re.match(r"[a-z]", word):
            break
        boundary = word in theme_words.PREPOSITIONS or word in theme_words.FUNCTION_WORDS - theme_words.DETERMINERS
        if taken and (boundary or word in theme_words.DETERMINERS):
            break
        if boundary or (not taken and word in theme_words.CLAUSE_OPENERS):
            break
        if len(taken) > 0 and (len(taken) > 1 or taken[0].lower() not in theme_words.DETERMINERS):
            plural = english.is_plural(taken[-1]) or taken[0].lower() in theme_words.NUMBERS
            if is_verb(word, plural=plural, after=words[index + 1 : index + 2]) and not word.endswith("'s"):
                break
        taken.append(words[index])
        index += 1
    if taken and taken[-1].lower() in theme_words.DETERMINERS:
        return [], start
    return taken, index


def _is_agent(phrase: list[str], follower: str) -> bool:
    head = english.singular(phrase[-1]).lower()
    if theme_words.is_person(head):
        return True
    if head in theme_words.NOT_AGENTS:
        return False
    named = phrase[0][:1].isupper() and len(phrase) == 1
    acts = follower == "who" or is_verb(follower, plural=False, after=["x"]) or follower in theme_words.GERUNDS
    if named and follower == "and":
        return True
    return acts and (named or phrase[0].lower() in theme_words.DETERMINERS)


def roles_of(phrase: list[str]) -> tuple[Role, ...]:
    """One role, or two for "two rival chefs" and "the sisters"."""
    head = english.singular(phrase[-1])
    plural = head.lower() != phrase[-1].lower()
    if not plural:
        return (role_of(phrase),)
    count = theme_words.NUMBERS.get(phrase[0].lower(), 2)
    one = role_of([*(word for word in phrase[:-1] if word.lower() not in theme_words.DETERMINERS), head])
    return (one,) * min(count, 3)


def role_of(phrase: list[str]) -> Role:
    """The role of one noun phrase with its article."""
    words = list(phrase)
    first = words[0].lower()
    if len(words) == 1 and words[0][:1].isupper() and not theme_words.is_person(first):
        return Role(noun="", name=words[0])
    definite = first in ("the", "this", "that")
    if first in theme_words.DETERMINERS:
        words = words[1:]
    owned = any(word.lower().endswith(("'s", "s'")) for word in words[:-1])
    noun = " ".join(word if word[1:2].isupper() or word[:1].islower() else word.lower() for word in words)
    marks = {word.lower() for word in words if not word.endswith("'s")}
    female = True if marks & theme_words.FEMALE else False if marks & theme_words.MALE else None
    age = "old" if marks & theme_words.OLD else "child" if marks & theme_words.CHILD else ""
    return Role(noun=noun, definite=definite or owned, female=female, age=age)


def _about(words: list[str], end: int) -> tuple[str, int]:
    """A phrase behind the roles that tells where or with whom they are: "in a casino"."""
    if end >= len(words) or words[end].lower() not in ("in", "on", "at", "from", "of", "with", "without", "near"):
        return "", end
    stop = end + 1
    while stop < len(words):
        word = words[stop].lower()
        if word in ("who", "that", "which", ",") or (
            stop > end + 2 and is_verb(word, plural=False, after=words[stop + 1 : stop + 2])
        ):
            break
        stop += 1
    return " ".join(words[end:stop]).replace(" ,", ","), stop


def _scanned(words: list[str]) -> list[Role]:
    """Every person mentioned anywhere, in order, each noun once."""
    found: list[Role] = []
    for index, word in enumerate(words):
        if not theme_words.is_person(english.singular(word).lower()):
            continue
        if index + 1 < len(words) and theme_words.is_person(english.singular(words[index + 1]).lower()):
            continue
        start = index
        while (
            start > 0 and words[start - 1].lower() not in theme_words.FUNCTION_WORDS and _is_modifier(words[start - 1])
        ):
            start -= 1
        if start > 0 and words[start - 1].lower() in ("the", "my", "our"):
            start -= 1
        for role in roles_of(words[start : index + 1]):
            if len(found) < 3:
                found.append(role)
    return found


def _is_modifier(word: str) -> bool:
    return word.isalpha() and word.islower() and word not in theme_words.THIRDS and word not in theme_words.PASTS


def _device(rest: str, text: str, words: list[str]) -> tuple[str, str]:
    """A thing that carries a theme which names neither a person nor a thing."""
    lowered = [word.lower() for word in words]
    english_like = len(words) > 2 and any(word in theme_words.FUNCTION_WORDS for word in lowered)
    if english_like and rest.isascii() and len(rest) <= 80 and lowered[0] not in theme_words.CLAUSE_OPENERS - {"how"}:
        return "book", f"a book about {english_lower(rest)}"
    return "note", f"a note that says “{shortened(text, 90)}”"


def _genre(words: list[str], clause: Clause, roles: tuple[Role, ...]) -> str:
    if clause.verb in ("marry", "love", "woo", "kiss") or "in love" in clause.deed:
        return "love"
    for word in words:
        if word in theme_words.GENRES:
            return theme_words.GENRES[word]
    if clause.verb in theme_words.FINDING and not clause.companion:
        return "mystery"
    if clause.verb in ("compete", "win", "defeat", "outwit", "race"):
        return "rivalry"
    if clause.deed:
        return "quest"
    people = [role.noun for role in roles if role.noun.split(" ")[-1] not in theme_words.CREATURES]
    return "love" if len(roles) == 2 and len(set(people)) == 2 else ""


def _places(plain: str, words: list[str]) -> tuple[vocabulary.Location, ...]:
    found = [location for location in vocabulary.LOCATIONS if location.name in plain.lower()]
    for word in words:
        location = vocabulary.find_location(word) or vocabulary.find_location(english.singular(word))
        if location and location not in found:
            found.append(location)
    return tuple(found)


def _style(words: list[str]) -> str:
    for word in words:
        style = vocabulary.find_style(word)
        if style:
            return style.keyword
    return ""

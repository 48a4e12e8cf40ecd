"""Making a long description short enough for the text encoder without losing who, what, where or how somebody feels."""

import re
from collections.abc import Callable, Iterator, Sequence

from moviellm.movie import Character, frame_prompt
from moviellm.scripting import english
from moviellm.scripting.checker import sight
from moviellm.scripting.checker.rules_of_scenes import mentioned
from moviellm.scripting.checker.tokens import WINDOW, TokenCounter, estimated
from moviellm.scripting.storyteller.deeds import place_phrase

WINDOW_RULE = "frame-window"

_CHUNK = re.compile(
    r"(?<=[,;])\s+|(?<!filled)(?<!covered)(?<!lit)(?<!surrounded)(?<!illuminated)(?<!bathed)(?<!framed)\s+"
    r"(?=(?:while|as|under|beneath|amid|amidst|among|beside|behind|against|near|below|above|around|through|across|beyond"
    r"|surrounded|illuminated|lit|bathed|framed|covered|filled|overlooking|with|where|which)\b)"
)
_PHRASE = re.compile(
    r"\b(a|an|the|his|her|their|its) ((?:[\w’'-]+,? ){1,6})([\w’'-]+)"
    r"(?=\s*(?:[,.;:]|$)|\s+(?:of|in|on|at|by|with|and|or|under|over|near|behind|beside|from|to|into|is|are|while|as|that"
    r"|who|which|beneath|through|across|against|around|above|below|\w+ing)\b)"
)
_ADVERB = re.compile(r"\b(?:very|quite|rather|slightly|softly|[a-z]{3,}ly) ?\b")
_SHOT = re.compile(r"\b(?:wide shot|medium shot|close-up|long shot|establishing shot)\b")


def compacted(
    description: str,
    characters: Sequence[Character],
    style_name: str,
    *,
    location: str,
    count: TokenCounter = estimated,
    limit: int = WINDOW,
) -> str:
    """The description, shortened step by step until its whole prompt has at most `limit` tokens.

    What goes first is decoration of the setting, then whole clauses about it from the last to the first, then
    adjectives anywhere, then the shot. What stays is who is seen doing what with which expression, and the location.
    One that fits comes back as it is; one whose appearances alone are too long comes back as short as it can be.
    """

    def fits(text: str) -> bool:
        return count(frame_prompt(text, characters, style_name)) <= limit

    def keeps(chunk: str) -> bool:
        return (
            location.lower() in chunk.lower()
            or any(mentioned(chunk, character) for character in characters)
            or bool(sight.expression_in(chunk))
            or chunk.split(" ")[0].endswith("ing")
        )

    text = description
    if fits(text):
        return text
    for shorten in (_plain_setting, _fewer_clauses, _fewer_adverbs, _plain_nouns):
        for shorter in shorten(text, location, keeps):
            text = shorter
            if fits(text):
                return text
    return bare(text, characters, location)


Keeps = Callable[[str], bool]


def _plain_setting(text: str, location: str, keeps: Keeps) -> Iterator[str]:
    """Adjectives go from the clauses that nobody acts in, and from before the location."""
    chunks = _chunks(text)
    for index in reversed(range(len(chunks))):
        if not keeps(chunks[index]):
            chunks[index] = _plainer(chunks[index])
            yield _joined(chunks)
    text = _joined(chunks)
    yield re.sub(rf"\b(an|a|the) (?:[\w-]+ ){{1,4}}({re.escape(location)})\b", r"the \2", text, flags=re.IGNORECASE)


def _fewer_clauses(text: str, location: str, keeps: Keeps) -> Iterator[str]:
    chunks = _chunks(text)
    for index in reversed(range(1, len(chunks))):
        if not keeps(chunks[index]) and not _SHOT.search(chunks[index]) and _still(chunks, index):
            if chunks.pop(index).endswith(",") and not chunks[index - 1].endswith(","):
                chunks[index - 1] += ","
            yield _joined(chunks)


def _still(chunks: list[str], index: int) -> bool:
    """Whether something is still done when the chunk is gone."""
    rest = " ".join(chunk for number, chunk in enumerate(chunks) if number != index)
    return bool(sight.action_in(rest)) or not sight.action_in(chunks[index])


def _fewer_adverbs(text: str, location: str, keeps: Keeps) -> Iterator[str]:
    yield _ADVERB.sub(lambda found: found.group() if sight.expression_in(found.group()) else "", text)


def _plain_nouns(text: str, location: str, keeps: Keeps) -> Iterator[str]:
    yield _PHRASE.sub(lambda found: found.group() if keeps(found.group()) else _phrase(found), text)
    yield re.sub(r",?\s*" + _SHOT.pattern, "", text)


def _chunks(text: str) -> list[str]:
    return _CHUNK.split(text)


def _joined(chunks: Sequence[str]) -> str:
    text = " ".join(chunk for chunk in chunks if chunk.strip())
    return re.sub(r"[,;]\s*([.]|$)", r"\1", text).strip()


def _plainer(text: str) -> str:
    return _PHRASE.sub(_phrase, text)


def _phrase(found: re.Match[str]) -> str:
    determiner, noun = found.group(1), found.group(3)
    if sight.expression_in(found.group(2)):
        return found.group()
    return english.article(noun) if determiner in ("a", "an") else f"{determiner} {noun}"


def bare(text: str, characters: Sequence[Character], location: str) -> str:
    """The least that a frame says."""
    seen = [character.name for character in characters if mentioned(text, character)][:2]
    where = place_phrase(location)
    shot = _SHOT.search(text)
    ending = f", {shot.group()}" if shot else ""
    if not seen:
        return english.upper_first(f"the {location}{ending}")
    bare = text
    for character in characters:
        for mention in sorted((character.name, *character.aliases), key=len, reverse=True):
            bare = bare.replace(mention, "")
    verb = sight.action_in(bare) or "standing"
    doing = verb if verb.endswith("ing") else english.ing_word(english.base_word(verb))
    face = sight.expression_in(bare) or "calm"
    kept = _face_phrase(face, len(seen))
    return f"{' and '.join(seen)} {'are' if len(seen) > 1 else 'is'} {doing} {kept} {where}{ending}"


def _face_phrase(face: str, people: int) -> str:
    words = face.lower().split()
    if words[-1] in ("face", "faces", "expression", "expressions"):
        feeling = words[0] if words[0] not in ("a", "an", "the", "his", "her", "their", "and", "with") else "calm"
        return f"with {feeling} faces" if people > 1 else f"with {english.article(f'{feeling} face')}"
    return (
        f"with {face.lower()}" if words[-1] in ("tears", "eyes", "eyebrows", "brow", "fear", "joy") else f"and {face}"
    )

"""Level 1 as a language model is asked for it: a theme's outline."""

import random
import re
from dataclasses import replace
from typing import Any

from moviellm.llm.reply import Unusable
from moviellm.movie import Character, CharacterRole, Outline, Style
from moviellm.scripting import names
from moviellm.scripting.by_model import conditions, lenient, outline_reading, own_outline, replies
from moviellm.scripting.by_model.level import Level
from moviellm.scripting.by_model.mending import as_sentence, finished
from moviellm.scripting.by_model.prompts import Prompts
from moviellm.scripting.checker import likeness, rules
from moviellm.scripting.checker.breach import Breach
from moviellm.scripting.storyteller import look
from moviellm.scripting.writer import OutlineRequest

_CHAPTER = re.compile(r"\bchapter (\d+)")
_PERSON = re.compile(r"\b([A-Z][a-z]{2,14})\b(?:,| is| -|:|\s\()?(?:\s+(?:a|an|the))?\s*([a-z][a-z ]{2,30})?")
_NO_NAMES = (
    "The And But She Her His They This That There Here One Two First Second Main Name Names Person Character Yes Not "
    "Once When What Who"
)


class OutlineLevel(Level[Outline]):
    """Pieces: "overview", "characters" and "chapter 1" …, the content of each chapter."""

    name = "outline"
    reply = replies.OutlineReply

    def __init__(self, request: OutlineRequest, prompts: Prompts) -> None:
        super().__init__(prompts)
        self._request = request
        self._style = look.named(request.preset) if request.preset else None
        if self._style is None and request.description:
            self._style = look.described(request.description)

    def whole(self) -> tuple[str, str]:
        """System and user message that ask for everything."""
        return conditions.outline(self._request, self.prompts)

    def read(self, value: dict[str, Any]) -> Outline:
        """The outline as it comes; Unusable without overview or characters, or with less than half of the chapters."""
        outline = outline_reading.read(lenient.unwrapped(value, "overview", "chapters"), self._request.theme)
        told = [chapter for chapter in outline.chapters if chapter.content]
        if not outline.overview:
            raise Unusable("overview: must not be empty")
        if not any(character.name for character in outline.characters):
            raise Unusable("there must be 1 or 2 main characters, got 0")
        if len(told) * 2 < self._request.chapters:
            raise Unusable(f"there must be exactly {self._request.chapters} chapters with a content, got {len(told)}")
        return outline

    def blank(self) -> Outline:
        """Nothing but the theme."""
        return self.mended(Outline("", self._request.theme, "", Style(""), (), (), ()))

    def mended(self, draft: Outline) -> Outline:
        """Everything but what is told."""
        return own_outline.mended(draft, self._request, self._style, self.notes)

    def reduced(self, draft: Outline, piece: str) -> Outline:
        """Nothing can be kept of a text that breaks rules."""
        return draft

    def breaches(self, draft: Outline) -> tuple[Breach, ...]:
        """By the checker."""
        return rules.breaches_of_outline(draft, self._request)

    def pieces(self, draft: Outline) -> dict[str, str]:
        """Overview, characters, chapters."""
        cast = ", ".join(character.name for character in draft.characters)
        chapters = {f"chapter {chapter.number}": chapter.content for chapter in draft.chapters}
        return {"overview": draft.overview, "characters": cast, **chapters}

    def piece_of(self, breach: Breach) -> str:
        """The chapter, or the part that is named."""
        found = _CHAPTER.search(breach.where)
        parts = ("overview", "characters")
        return found.group() if found else next((name for name in parts if breach.where.startswith(name)), "")

    def rule_of_gap(self, piece: str) -> str:
        """There are an overview, a cast, and chapters that tell something."""
        return {"overview": "overview-whole", "characters": "cast-size"}.get(piece, "chapter-told")

    def wanted(self, draft: Outline, piece: str) -> str:
        """What the piece should be."""
        if piece == "overview":
            return (
                "what the whole movie tells, in three sentences: who wants what, what stands in the way, how it ends."
            )
        if piece == "characters":
            return (
                "the first names of the movie's two people and what they are, such as: Mara, a baker; Ilya, a sailor."
            )
        return (
            f"what happens in chapter {_number(piece)} of {self._request.chapters} of this movie: two or three "
            f"sentences in the present tense about {conditions.names(draft)}."
        )

    def context(self, draft: Outline, piece: str) -> str:
        """The theme, the overview, and the chapter before."""
        told = [f"Theme: {self._request.theme}"]
        if piece != "overview":
            told.append(f"Movie: {draft.overview}")
        if _CHAPTER.match(piece):
            told += [f"Chapter {c.number}: {c.content}" for c in draft.chapters if c.number == _number(piece) - 1]
        return "\n".join((*told, f"{piece.capitalize()}:"))

    def where(self, piece: str = "") -> str:
        """The piece says it."""
        return piece or "outline"

    def put(self, draft: Outline, piece: str, text: str) -> Outline:
        """The draft with another text of a piece."""
        if piece == "characters":
            return replace(draft, characters=_cast(text, self._request))
        people = [character.name for character in draft.characters]
        if piece == "overview":
            return replace(draft, overview=as_sentence(finished(text, people)))
        number = _number(piece)
        chapters = list(draft.chapters)
        chapters[number - 1] = replace(chapters[number - 1], content=as_sentence(finished(text, people)), after="")
        return replace(draft, chapters=tuple(chapters))


def _cast(text: str, request: OutlineRequest) -> tuple[Character, ...]:
    """Two people out of a few words about them; who is not named gets an invented name."""
    found = {name: (job or "").strip() for name, job in _PERSON.findall(text) if name not in _NO_NAMES.split()}
    rng = random.Random(f"{request.seed}/names")
    people = dict(list(found.items())[:2])
    while len(people) < 2:
        told = likeness.female_by(request.theme) if not people else None
        woman = rng.random() < 0.5 if told is None else told
        people[names.pick(rng, woman, people)] = ""
    return tuple(Character(name, CharacterRole.MAIN, "", "", _occupation(job)) for name, job in people.items())


def _occupation(words: str) -> str:
    job = re.split(r"\b(?:and|who|that|in|from|with|of|is|are|was|wants?)\b", words)[0].strip()
    return job if len(job.split()) <= 3 else ""


def _number(piece: str) -> int:
    return int(piece.split()[1])

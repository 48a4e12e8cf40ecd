"""One level of the plot as a language model is asked for it: whole, some parts of it again, or one part at a time.

A draft consists of named pieces ("overview", "chapter 2", "frame 4", "line 1"), each a short text. Whatever else a
level has (numbers, locations, casts, frames of lines) a program can mend; a piece's text only the model can write.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from moviellm.scripting.by_model.mending import Notes
from moviellm.scripting.by_model.prompts import Prompts
from moviellm.scripting.by_model.replies import Reply
from moviellm.scripting.checker.breach import Breach

P = TypeVar("P")


@dataclass(frozen=True)
class Flaw:
    """A breach and the piece that must be written again for it; no piece where asking cannot mend it."""

    piece: str
    breach: Breach


class Level(ABC, Generic[P]):
    """How a part of the script is asked for, read, mended and checked; `notes` holds what was mended."""

    name: str
    reply: type[Reply]

    def __init__(self, prompts: Prompts) -> None:
        self.prompts = prompts
        self.notes = Notes()

    @abstractmethod
    def whole(self) -> tuple[str, str]:
        """System and user message that ask for everything."""

    @abstractmethod
    def read(self, value: dict[str, Any]) -> P:
        """The draft in a reply, not mended yet. Raises Unusable for a reply that holds too little of it."""

    @abstractmethod
    def blank(self) -> P:
        """A draft without any text, of the right shape."""

    @abstractmethod
    def mended(self, draft: P) -> P:
        """The draft with everything mended that a program can; empty pieces stay empty."""

    @abstractmethod
    def reduced(self, draft: P, piece: str) -> P:
        """The last resort for a piece whose text breaks a rule again and again: what can be kept of it."""

    @abstractmethod
    def breaches(self, draft: P) -> tuple[Breach, ...]:
        """Every rule that the draft breaks."""

    @abstractmethod
    def pieces(self, draft: P) -> dict[str, str]:
        """The pieces in the order of the story, with their texts."""

    @abstractmethod
    def piece_of(self, breach: Breach) -> str:
        """The piece that must be written again for a breach; empty where asking cannot mend it."""

    @abstractmethod
    def rule_of_gap(self, piece: str) -> str:
        """The rule that an empty piece breaks."""

    @abstractmethod
    def wanted(self, draft: P, piece: str) -> str:
        """What a piece should be, as the end of "Write …"."""

    @abstractmethod
    def context(self, draft: P, piece: str) -> str:
        """What must be known to write a piece, in very few words: small models have small windows."""

    @abstractmethod
    def put(self, draft: P, piece: str, text: str) -> P:
        """The draft with the piece's text replaced."""

    @abstractmethod
    def where(self, piece: str = "") -> str:
        """The place of a piece in the movie, for notes."""

    def one(self, draft: P, piece: str) -> tuple[str, str]:
        """System and user message that ask for one piece."""
        system = self.prompts["part"].filled(level=self.name, wanted=self.wanted(draft, piece))
        return system, self.context(draft, piece)

    def sentences(self, piece: str) -> int:
        """How many sentences of a reply are kept as the piece."""
        return 4

    def template_of(self, piece: str) -> str:
        """The name of the template that asks for one piece."""
        return "part"

    def flaws(self, draft: P) -> tuple[Flaw, ...]:
        """What is left to be written: empty pieces and broken rules, in the order of the pieces."""
        pieces = self.pieces(draft)
        empty = [
            Flaw(piece, Breach(self.rule_of_gap(piece), piece, "", "must not be empty"))
            for piece, text in pieces.items()
            if not text
        ]
        gaps = {flaw.piece for flaw in empty}
        placed = [Flaw(self.piece_of(breach), breach) for breach in self.breaches(draft)]
        broken = [flaw for flaw in placed if flaw.piece not in gaps]
        if empty:
            broken = [flaw for flaw in broken if flaw.piece]
        order = {piece: number for number, piece in enumerate(pieces)}
        return tuple(sorted((*empty, *broken), key=lambda flaw: order.get(flaw.piece, len(order))))

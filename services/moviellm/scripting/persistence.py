"""How long a writer goes on with one part of a script: whole, then what is wrong of it, then piece by piece.

All numbers are bounds on questions. A question may take the chat several calls of its own (its attempts at a usable
reply, and what is lost on the way), which are bounded there.
"""

from dataclasses import dataclass

WHOLE_TRIES = 2
"""How often a whole part is asked for; the second time only where whole parts have come before."""

AGAIN_TRIES = 2
"""How often what breaks rules is asked for again, all of it in one question."""

PIECE_TRIES = 2
"""How often one piece is asked for alone; after that it is reduced to what can be kept, or refused."""

DISTRUST = 2
"""After so many whole parts of a level that never came, its parts are asked for piece by piece from the start."""

RECONSIDER = 20
"""Every so many parts, a whole one is asked for all the same."""


def most_questions(pieces: int) -> int:
    """The most questions that a part of so many pieces can take."""
    return WHOLE_TRIES + AGAIN_TRIES + PIECE_TRIES * pieces


@dataclass
class Trust:
    """What a level has seen of the model: whether it can write a whole part at all."""

    came: int = 0
    failed: int = 0
    parts: int = 0

    def tries(self) -> int:
        """How often the whole of the next part is worth asking for."""
        self.parts += 1
        if self.came:
            return WHOLE_TRIES
        return 1 if self.failed < DISTRUST or self.parts % RECONSIDER == 0 else 0

    def learn(self, came: bool) -> None:
        """Take in how a whole part went."""
        self.came += came
        self.failed += not came

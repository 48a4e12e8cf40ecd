"""How long a writer goes on with one part of a script: whole, then what is wrong of it, then piece by piece.

A part of n pieces (a scene of 11 frames and 6 lines has 17) ends within `most_completions(n)` replies of the model,
with a part that keeps every rule or with an error that names the rule; a model that says nothing usable at all is given
up at the first piece. What is lost on the way to the endpoint comes on top, and is bounded by the chat.
"""

from dataclasses import dataclass

WHOLE_TRIES = 2
"""How often a whole part is asked for; the second time only where whole parts have come before."""

AGAIN_TRIES = 2
"""How often what breaks rules is asked for again, all of it in one question."""

PIECE_TRIES = 2
"""How often one piece is asked for alone; after that it is reduced to what can be kept, or refused."""

PART_ATTEMPTS = 3
"""Replies to one question for a whole part, or for what is wrong with it, until one is usable."""

PIECE_ATTEMPTS = 2
"""Replies to one question for a piece until one is usable."""

PIECE_TOKENS = 300
"""The longest reply to a question for a piece: small models do not know when to stop, and their first words will do."""

DISTRUST = 2
"""After so many whole parts of a level that never came, its parts are asked for piece by piece from the start."""

RECONSIDER = 20
"""Every so many parts, a whole one is asked for all the same."""


def most_completions(pieces: int) -> int:
    """The most replies of the model that a part of so many pieces can take."""
    return (WHOLE_TRIES + AGAIN_TRIES) * PART_ATTEMPTS + PIECE_TRIES * pieces * PIECE_ATTEMPTS


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

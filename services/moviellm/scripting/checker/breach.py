"""What the checker finds, and how a part that breaks a rule is refused."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from moviellm.errors import Broken


@dataclass(frozen=True)
class Breach:
    """One place where a rule does not hold.

    `where` names the place as people count ("frame 3", "characters", "Mara"), `was` is what stands there, `message`
    says what is demanded, in words that a language model can act on.
    """

    rule: str
    where: str
    was: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class Found(NamedTuple):
    """A breach whose rule is known from the table."""

    where: str
    was: str
    message: str


Check = Callable[[Any, Any], Iterator[Found]]


@dataclass(frozen=True)
class Rule:
    """A row of the table: `level` is outline, chapter or scene; `source` says who demands it, "paper" or "ours".

    `check` takes the part and the request it was written for, and yields what it finds.
    """

    name: str
    level: str
    sentence: str
    source: str
    check: Check


class RuleBroken(Broken):
    """A part of a script that breaks a rule; `breach` says which where the checker found it."""

    reason = "SCRIPT_RULE_BROKEN"

    def __init__(self, message: str, *, breach: Breach | None = None) -> None:
        super().__init__(message)
        self.breach = breach

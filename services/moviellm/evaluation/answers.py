"""A set of answers as it was read, whatever layout it had."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Role(StrEnum):
    """What a set of answers is to an evaluation; where a record holds both, it decides which answer is meant."""

    REFERENCE = "reference"
    CANDIDATE = "candidate"
    BASELINE = "baseline"


@dataclass(frozen=True)
class Answer:
    """One answer. `id`, `movie`, `kind` and `question` are empty where the file does not say; so is a missing answer.

    `where` says where it stands, for messages: "answers.json: [3]".
    """

    where: str
    id: str
    movie: str
    kind: str
    question: str
    answer: str


@dataclass(frozen=True)
class AnswerSet:
    """All answers of a file or folder, in its order."""

    role: Role
    path: Path
    answers: tuple[Answer, ...]


def same_words(text: str) -> str:
    """The text's words in lower case, by which questions are recognised."""
    return " ".join(re.findall(r"\w+", text.casefold()))

"""A question as a trainer gets it: one question, one answer, choices written out, no words that corrupt labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from moviellm.export.label_safety import harmless, harmless_deep
from moviellm.export.record import FrameRecord, QuestionRecord
from moviellm.export.summary import MovieFolder

INSTRUCTION = "Answer with the letter and the text of the right choice."
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Asked:
    """A question of a movie; `question` and `answer` are what a trainer sees."""

    movie: MovieFolder
    item: QuestionRecord
    question: str
    answer: str
    mended: bool

    @property
    def video(self) -> str:
        """The movie's video, from the dataset's folder on."""
        return f"{self.movie.path}/{self.movie.record.video}"

    @property
    def title(self) -> str:
        """The movie's title."""
        return harmless(self.movie.record.title)

    def frames(self, most: int) -> list[FrameRecord]:
        """At most `most` frames that prove the answer, evenly spread, the first and the last among them."""
        evidence = self.item.evidence
        proof = self.movie.frames[max(evidence.first_frame, 1) - 1 : evidence.last_frame]
        return evenly(proof or self.movie.frames, most)

    def pictures(self, most: int) -> list[str]:
        """The files of these frames, from the dataset's folder on."""
        return [f"{self.movie.path}/{frame.file}" for frame in self.frames(most)]

    def about(self) -> dict[str, Any]:
        """What is told about the question, the same keys in every record."""
        item = self.item
        return {
            "kind": str(item.kind),
            "category": harmless(item.category),
            "level": harmless(item.level),
            "difficulty": str(item.difficulty),
            "choices": harmless_deep(item.choices),
            "evidence": {
                "first_frame": item.evidence.first_frame,
                "last_frame": item.evidence.last_frame,
                "start_seconds": item.evidence.start_seconds,
                "end_seconds": item.evidence.end_seconds,
            },
        }


def asked(movie: MovieFolder) -> Iterator[Asked | None]:
    """The movie's questions in their order; None for one that says nothing or has no answer."""
    for item in movie.questions:
        question, answer = harmless(item.question), harmless(item.answer)
        if not question or not answer:
            yield None
            continue
        choices = [harmless(choice) for choice in item.choices]
        was = [item.question, item.answer, *item.choices]
        changed = any(old.strip() != new for old, new in zip(was, [question, answer, *choices], strict=True))
        if item.answer in item.choices and len(choices) <= len(LETTERS):
            options = [f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=False)]
            question = "\n".join([question, *options, INSTRUCTION])
            answer = options[item.choices.index(item.answer)]
        yield Asked(movie, item, question, answer, changed)


def evenly(frames: Sequence[FrameRecord], most: int) -> list[FrameRecord]:
    """At most `most` of the frames, evenly spread from the first to the last."""
    if len(frames) <= most:
        return list(frames)
    if most == 1:
        return [frames[len(frames) // 2]]
    return [frames[index * (len(frames) - 1) // (most - 1)] for index in range(most)]

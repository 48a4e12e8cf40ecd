"""The benchmark of the paper's first version: a few questions for each of many movies (1 overview, 2 plot, 1 temporal).

For movies of our own the questions are chosen from theirs, answers included. Of real movies nothing is known but the
title: their questions are generic, and the reference answers are for people to write.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from moviellm.evaluation.templates import TEMPLATES
from moviellm.movie import QuestionKind

FORMAT = "moviellm-benchmark/1"

PAPER: Mapping[QuestionKind, int] = {QuestionKind.OVERVIEW: 1, QuestionKind.PLOT: 2, QuestionKind.TEMPORAL: 1}
"""Questions of each kind for each movie."""


@dataclass(frozen=True)
class KnownQuestion:
    """A question of a movie's qa.json, as far as the choice depends on it."""

    id: str
    kind: str
    category: str
    level: str
    question: str
    answer: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class BenchmarkMovie:
    """A movie to ask about: `id` is unique in the benchmark; `questions` is empty where only the title is known."""

    id: str
    title: str
    questions: tuple[KnownQuestion, ...] = ()


@dataclass(frozen=True)
class BenchmarkQuestion:
    """One question of the benchmark; `answer` is empty where a person has to write it."""

    id: str
    movie: str
    title: str
    kind: str
    question: str
    answer: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Benchmark:
    """The questions, movie by movie; `lacking` says which movies have fewer of a kind than asked for."""

    seed: int
    questions: tuple[BenchmarkQuestion, ...]
    lacking: tuple[str, ...] = field(default=())

    def as_json(self, *, with_answers: bool = True) -> dict[str, Any]:
        """Plain JSON values; without answers it is the sheet that a model fills in."""
        questions = [_plain(question, with_answers) for question in self.questions]
        return {"format": FORMAT, "seed": self.seed, "questions": questions}


def benchmark(
    movies: Iterable[BenchmarkMovie], *, seed: int = 0, counts: Mapping[QuestionKind, int] = PAPER
) -> Benchmark:
    """The questions about each movie. A movie's questions depend on the seed and the movie alone, not on the others."""
    questions: list[BenchmarkQuestion] = []
    lacking: list[str] = []
    for movie in movies:
        chosen = list(_chosen(movie, seed, counts))
        questions += chosen
        given = Counter(question.kind for question in chosen)
        lacking += [
            f"{movie.id} has {given[kind]} of {count} {kind} questions"
            for kind, count in counts.items()
            if given[kind] < count
        ]
    return Benchmark(seed, tuple(questions), tuple(lacking))


def _chosen(movie: BenchmarkMovie, seed: int, counts: Mapping[QuestionKind, int]) -> Iterator[BenchmarkQuestion]:
    for kind, count in counts.items():
        rng = random.Random(f"{seed}/{movie.id}/{kind}")
        for number, (question, answer, choices) in enumerate(_of_kind(movie, kind, count, rng), start=1):
            yield BenchmarkQuestion(
                f"{movie.id}-{kind}-{number}", movie.id, movie.title, kind, question, answer, choices
            )


def _of_kind(
    movie: BenchmarkMovie, kind: QuestionKind, count: int, rng: random.Random
) -> list[tuple[str, str, tuple[str, ...]]]:
    if not movie.questions:
        same = 0 if kind is QuestionKind.PLOT else 1
        first, others = TEMPLATES[kind][:same], TEMPLATES[kind][same:]
        asked = (*first, *rng.sample(others, len(others)))
        return [(question, "", ()) for question in asked[:count]]
    known = [question for question in movie.questions if question.kind == kind]
    rng.shuffle(known)
    return [(one.question, one.answer, one.choices) for one in _varied(known, count)]


def _varied(asked: Sequence[KnownQuestion], count: int) -> list[KnownQuestion]:
    """Open questions before multiple choice, those about the whole movie first, no category twice while
    others are left.
    """
    left, chosen = list(asked), list[KnownQuestion]()
    while left and len(chosen) < count:
        used = {question.category for question in chosen}
        best = min(left, key=lambda one: (bool(one.choices), one.category in used, one.level != "movie"))
        chosen.append(best)
        left.remove(best)
    return chosen


def _plain(question: BenchmarkQuestion, with_answers: bool) -> dict[str, Any]:
    record = asdict(question)
    if not question.choices:
        del record["choices"]
    return record if with_answers else {**record, "answer": ""}

"""From the JSON of a file to answers, liberal in names and nesting, strict in what is an answer."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from moviellm.errors import InvalidInput
from moviellm.evaluation.answers import Answer, Role
from moviellm.evaluation.kinds import OTHER, kind_of
from moviellm.movie import QuestionKind

_ID = ("id", "question_id", "questionid", "qid")
_MOVIE = ("movie", "movie_id", "movie_name", "video", "video_id", "video_name", "movie_title", "title")
_KIND = ("kind", "type", "question_type")
_QUESTION = ("question", "q", "prompt")
_RIGHT = ("answer", "a", "reference", "reference_answer", "ground_truth", "gt", "correct_answer")
_PREDICTED = (
    "pred",
    "prediction",
    "predicted_answer",
    "predicted",
    "response",
    "model_answer",
    "generated",
    "output",
    "text",
)
_LISTS = ("questions", "answers", "predictions", "results", "annotations", "data", "movies", "videos")
_ACCEPTED = 'a list of {"id", "question", "answer"}, a mapping of ids to answers, or a movie with a list "QA"'


@dataclass(frozen=True)
class _Place:
    """Where the reader is in a file, and what it has heard on the way there."""

    role: Role
    file: str
    path: str = ""
    movie: str = ""
    kind: str = OTHER

    def __str__(self) -> str:
        return f"{self.file}: {self.path or 'the top'}"

    def at(self, index: int) -> "_Place":
        return replace(self, path=f"{self.path}[{index}]")

    def under(self, key: str) -> "_Place":
        return replace(self, path=f"{self.path}[{key!r}]")

    def field(self, name: str) -> "_Place":
        return replace(self, path=f"{self.path}.{name}" if self.path else name)


def answers_in(value: Any, role: Role, file: str, movie: str) -> list[Answer]:
    """The answers in what a file holds; `movie` is whose they are where the file does not say.

    Raises InvalidInput, naming the file and the place in it.
    """
    answers = list(_any(value, _Place(role, file, movie=movie)))
    if not answers:
        raise InvalidInput(file, f"holds no answers; it may be {_ACCEPTED}")
    return answers


def _any(value: Any, place: _Place) -> Iterator[Answer]:
    if isinstance(value, list):
        for index, record in enumerate(value):
            yield from _record(record, place.at(index))
    elif isinstance(value, dict):
        yield from _object(value, place)
    else:
        raise InvalidInput(str(place), f"must be {_ACCEPTED}")


def _record(record: Any, place: _Place) -> Iterator[Answer]:
    if not isinstance(record, dict):
        raise InvalidInput(str(place), 'must be an object with "id" or "question", and "answer"')
    fields = _lower(record)
    if _is_answer(fields):
        yield _answer(fields, place)
    else:
        yield from _object(record, place)


def _object(value: dict[str, Any], place: _Place) -> Iterator[Answer]:
    """An object that holds answers: in one of its lists, as an only one, or under its keys."""
    fields = _lower(value)
    listed = next((name for name in ("qa", *_LISTS) if isinstance(fields.get(name), list | dict)), None)
    if listed is not None:
        inside = place.field(_spelt(value, listed))
        yield from _any(fields[listed], replace(inside, movie=_text(fields, _MOVIE, place) or place.movie))
    elif _has(fields, (*_ID, *_QUESTION)) and _has(fields, (*_RIGHT, *_PREDICTED)):
        yield _answer(fields, place)
    else:
        for key, item in value.items():
            yield from _keyed(key, item, place.under(key))


def _keyed(key: str, item: Any, place: _Place) -> Iterator[Answer]:
    """One entry of a mapping: an answer under its id, or answers under their kind or their movie's name."""
    kind = _kind_named(key)
    named = replace(place, kind=kind) if kind else replace(place, movie=key)
    if isinstance(item, list):
        yield from _any(item, named)
    elif not isinstance(item, dict):
        yield Answer(str(place), key, place.movie, place.kind, "", _as_text(item, str(place)))
    elif _is_answer(fields := _lower(item)):
        yield _answer({"id": key, **fields}, place)
    else:
        yield from _object(item, named)


def _answer(fields: Mapping[str, Any], place: _Place) -> Answer:
    id, question = _text(fields, _ID, place), _text(fields, _QUESTION, place)
    if not id and not question:
        raise InvalidInput(str(place), 'must have an "id" or a "question", so that one knows what it answers')
    named = (*_RIGHT, *_PREDICTED) if place.role is Role.REFERENCE else (*_PREDICTED, *_RIGHT)
    return Answer(
        where=str(place),
        id=id,
        movie=_text(fields, _MOVIE, place) or place.movie,
        kind=kind_of(_text(fields, _KIND, place) or place.kind),
        question=question,
        answer=_text(fields, named, place),
    )


def _kind_named(key: str) -> str:
    """The kind whose questions a key like "overview_qa" holds; empty for any other key."""
    words = [word for word in re.findall(r"[a-z]+", key.lower()) if word not in ("qa", "question", "questions")]
    return words[0] if len(words) == 1 and words[0] in set(QuestionKind) else ""


def _is_answer(fields: Mapping[str, Any]) -> bool:
    if any(isinstance(fields.get(name), list | dict) for name in ("qa", *_LISTS)):
        return False
    return _has(fields, (*_ID, *_QUESTION, *_RIGHT, *_PREDICTED))


def _has(fields: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    return any(name in fields for name in names)


def _text(fields: Mapping[str, Any], names: tuple[str, ...], place: _Place) -> str:
    """The first of the named fields that is there."""
    for name in names:
        if fields.get(name) is not None:
            return _as_text(fields[name], str(place.field(name)))
    return ""


def _as_text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return value.strip()
    raise InvalidInput(where, f"must be text, got {'a list' if isinstance(value, list) else 'an object'}")


def _lower(record: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key).strip().lower(): value for key, value in record.items()}


def _spelt(record: Mapping[str, Any], name: str) -> str:
    return next(str(key) for key in record if str(key).strip().lower() == name)

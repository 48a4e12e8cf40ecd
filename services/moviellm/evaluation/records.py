"""From the JSON of a file to answers, liberal in names and nesting, strict in what is an answer."""

from collections.abc import Iterator, Mapping
from typing import Any

from moviellm.errors import InvalidInput
from moviellm.evaluation.answers import Answer, Role
from moviellm.evaluation.kinds import OTHER, kind_of

_ID = ("id", "question_id", "questionid", "qid")
_MOVIE = ("movie", "movie_id", "movie_name", "video", "video_id", "video_name", "title")
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


def answers_in(value: Any, role: Role, file: str, movie: str) -> list[Answer]:
    """The answers in what a file holds; `movie` is whose they are where the file does not say.

    Raises InvalidInput, naming the file and the place in it.
    """
    answers = list(_any(value, role, f"{file}: ", "", movie))
    if not answers:
        raise InvalidInput(file, f"holds no answers; it may be {_ACCEPTED}")
    return answers


def _any(value: Any, role: Role, file: str, path: str, movie: str) -> Iterator[Answer]:
    if isinstance(value, list):
        for index, record in enumerate(value):
            yield from _record(record, role, file, f"{path}[{index}]", movie)
    elif isinstance(value, dict):
        yield from _object(value, role, file, path, movie)
    else:
        raise InvalidInput(f"{file}{path or 'the top'}", f"must be {_ACCEPTED}")


def _object(value: dict[str, Any], role: Role, file: str, path: str, movie: str) -> Iterator[Answer]:
    fields = _lower(value)
    listed = next((name for name in ("qa", *_LISTS) if isinstance(fields.get(name), list | dict)), None)
    if listed is not None:
        inside = _text(fields, _MOVIE, file, path) or movie
        yield from _any(fields[listed], role, file, f"{path}{'.' if path else ''}{_spelt(value, listed)}", inside)
    elif _has(fields, (*_ID, *_QUESTION)) and _has(fields, (*_RIGHT, *_PREDICTED)):
        yield _answer(fields, role, file, path, movie)
    elif value and all(isinstance(item, str | int | float | dict | list | None) for item in value.values()):
        for key, item in value.items():
            yield from _keyed(key, item, role, file, f"{path}[{key!r}]", movie)
    else:
        raise InvalidInput(f"{file}{path or 'the top'}", f"must be {_ACCEPTED}")


def _keyed(key: str, item: Any, role: Role, file: str, path: str, movie: str) -> Iterator[Answer]:
    """One entry of a mapping: an answer under its id, or a movie's answers under its name."""
    if isinstance(item, list):
        yield from _any(item, role, file, path, key)
    elif isinstance(item, dict):
        fields = _lower(item)
        if _is_answer(fields):
            yield _answer({"id": key, **fields}, role, file, path, movie)
        else:
            yield from _object(item, role, file, path, key)
    else:
        yield Answer(f"{file}{path}", key, movie, OTHER, "", _as_text(item, f"{file}{path}"))


def _record(record: Any, role: Role, file: str, path: str, movie: str) -> Iterator[Answer]:
    if not isinstance(record, dict):
        raise InvalidInput(f"{file}{path}", 'must be an object with "id" or "question", and "answer"')
    fields = _lower(record)
    if _is_answer(fields):
        yield _answer(fields, role, file, path, movie)
    else:
        yield from _object(record, role, file, path, movie)


def _answer(fields: Mapping[str, Any], role: Role, file: str, path: str, movie: str) -> Answer:
    id, question = _text(fields, _ID, file, path), _text(fields, _QUESTION, file, path)
    if not id and not question:
        raise InvalidInput(f"{file}{path}", 'must have an "id" or a "question", so that one knows what it answers')
    named = (*_RIGHT, *_PREDICTED) if role is Role.REFERENCE else (*_PREDICTED, *_RIGHT)
    return Answer(
        where=f"{file}{path}",
        id=id,
        movie=_text(fields, _MOVIE, file, path) or movie,
        kind=kind_of(_text(fields, _KIND, file, path)),
        question=question,
        answer=_text(fields, named, file, path),
    )


def _is_answer(fields: Mapping[str, Any]) -> bool:
    if any(isinstance(fields.get(name), list | dict) for name in ("qa", *_LISTS)):
        return False
    return _has(fields, (*_ID, *_QUESTION, *_RIGHT, *_PREDICTED))


def _has(fields: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    return any(name in fields for name in names)


def _text(fields: Mapping[str, Any], names: tuple[str, ...], file: str, path: str) -> str:
    """The first of the named fields that is there."""
    for name in names:
        if fields.get(name) is not None:
            return _as_text(fields[name], f"{file}{path}.{name}")
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

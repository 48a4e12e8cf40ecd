"""The movies a benchmark asks about: folders of a downloaded dataset, or lists of titles."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from moviellm.errors import InvalidInput
from moviellm.evaluation.answers import Role
from moviellm.evaluation.benchmark import BenchmarkMovie, KnownQuestion
from moviellm.evaluation.reading import MOVIE, QUESTIONS, movie_folders, parsed
from moviellm.evaluation.records import answers_in

_TITLE = ("title", "name", "movie")
_LISTS = ("movies", "titles")


def movies_at(paths: Sequence[Path], titles: Sequence[str] = ()) -> list[BenchmarkMovie]:
    """The movies of all paths in order, then the titles; each with an id that no other has.

    Raises InvalidInput naming the file and the place in it that is wrong.
    """
    found = [movie for path in paths for movie in _movies_at(path)]
    found += [_titled(title) for title in titles if title.strip()]
    if not found:
        raise InvalidInput("movies", "must name at least one movie, by a folder, a list of titles or --title")
    return _with_own_ids(found)


def _movies_at(path: Path) -> Iterator[BenchmarkMovie]:
    if path.is_dir():
        folders = movie_folders(path)
        if not folders:
            raise InvalidInput(
                str(path), f"holds neither {QUESTIONS} nor movies/*/{QUESTIONS}; `moviellm download` fetches datasets"
            )
        yield from map(_movie_in, folders)
    elif path.is_file():
        titles = _json_titles(parsed(path), path) if path.suffix == ".json" else _text_titles(path)
        yield from map(_titled, titles)
    else:
        raise InvalidInput(str(path), "must be a folder or a file that is there; --title takes a single title")


def _movie_in(folder: Path) -> BenchmarkMovie:
    file, records = folder / QUESTIONS, parsed(folder / QUESTIONS)
    answers = answers_in(records, Role.REFERENCE, str(file), folder.resolve().name)
    if not isinstance(records, list) or not all(answer.question and answer.answer for answer in answers):
        raise InvalidInput(str(file), 'must be a list of questions, each with "kind", "question" and "answer"')
    questions = tuple(
        KnownQuestion(
            id=answer.id,
            kind=answer.kind,
            category=str(record.get("category", "")),
            level=str(record.get("level", "")),
            question=answer.question,
            answer=answer.answer,
            choices=tuple(map(str, record.get("choices") or ())),
        )
        for record, answer in zip(records, answers, strict=True)
    )
    title = _title_in(folder / MOVIE)
    return BenchmarkMovie(_id_of(folder, title), title or folder.resolve().name, questions)


def _id_of(folder: Path, title: str) -> str:
    """dataset-0001 for a movie in its dataset, else its title or folder."""
    whole = folder.resolve()
    if whole.parent.name == "movies":
        return f"{whole.parent.parent.name}-{whole.name}"
    return _slug(title or whole.name)


def _title_in(file: Path) -> str:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(record.get("title", "")) if isinstance(record, dict) else ""


def _text_titles(path: Path) -> list[str]:
    """A title a line; empty lines and lines that begin with # are left out."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise InvalidInput(str(path), "must be text in UTF-8") from None
    titles = [line for line in lines if line and not line.startswith("#")]
    if not titles:
        raise InvalidInput(str(path), "must hold a movie title a line")
    return titles


def _json_titles(value: Any, path: Path) -> Iterable[str]:
    if isinstance(value, dict):
        value = next((value[name] for name in _LISTS if name in value), None)
    if not isinstance(value, list) or not value:
        raise InvalidInput(str(path), 'must be a list of titles, or an object with a list "movies"')
    for index, item in enumerate(value):
        if isinstance(item, dict):
            item = next((item[name] for name in _TITLE if name in item), None)
        if not isinstance(item, str) or not item.strip():
            raise InvalidInput(f"{path}: [{index}]", 'must be a title or an object with a "title"')
        yield item.strip()


def _titled(title: str) -> BenchmarkMovie:
    return BenchmarkMovie(_slug(title), title)


def _slug(text: str) -> str:
    return "-".join(re.findall(r"\w+", text.lower())) or "movie"


def _with_own_ids(movies: Sequence[BenchmarkMovie]) -> list[BenchmarkMovie]:
    """Titles that come twice are numbered: dune, dune-2."""
    seen: Counter[str] = Counter()
    named = []
    for movie in movies:
        seen[movie.id] += 1
        number = seen[movie.id]
        named.append(replace(movie, id=f"{movie.id}-{number}") if number > 1 else movie)
    return named

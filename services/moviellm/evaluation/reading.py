"""Reading answer sets from files and folders; every layout ends as an AnswerSet."""

import json
from pathlib import Path
from typing import Any

from moviellm.errors import InvalidInput
from moviellm.evaluation.answers import Answer, AnswerSet, Role
from moviellm.evaluation.records import answers_in

QUESTIONS = "qa.json"
MOVIE = "movie.json"
_SUFFIXES = (".json", ".jsonl")


def read_answers(path: Path, role: Role) -> AnswerSet:
    """Read a file (JSON or JSON lines), a movie's folder, a dataset's folder, or a folder of such files.

    Raises InvalidInput, naming the file and the place in it that is wrong.
    """
    answers: list[Answer] = []
    for file, movie in answer_files(path):
        answers += answers_in(parsed(file), role, str(file), movie)
    return AnswerSet(role, path, tuple(answers))


def answer_files(path: Path) -> list[tuple[Path, str]]:
    """The files to read, each with the movie it belongs to."""
    if path.is_file():
        return [(path, _movie_of(path))]
    if not path.is_dir():
        raise InvalidInput(str(path), "must be a file or a folder that is there")
    found = movie_folders(path)
    if found:
        return [(folder / QUESTIONS, folder.name) for folder in found]
    files = [file for file in sorted(path.iterdir()) if file.suffix in _SUFFIXES and file.is_file()]
    if not files:
        raise InvalidInput(str(path), f"holds neither movies/*/{QUESTIONS} nor {QUESTIONS} nor other JSON files")
    return [(file, _movie_of(file)) for file in files]


def movie_folders(path: Path) -> list[Path]:
    """The folders with a qa.json: the path itself, its children, or those of its folder "movies", in order."""
    if (path / QUESTIONS).is_file():
        return [path]
    for parent in (path / "movies", path):
        found = [file.parent for file in sorted(parent.glob(f"*/{QUESTIONS}"))]
        if found:
            return found
    return []


def parsed(file: Path) -> Any:
    """What the file holds; for JSON lines the list of its lines. Raises InvalidInput, naming file and line."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(str(file), "must be text in UTF-8") from None
    except OSError as error:
        raise InvalidInput(str(file), f"cannot be read: {error.strerror}") from None
    if file.suffix == ".jsonl":
        return [_json(line, f"{file}: line {number}") for number, line in _lines(text)]
    return _json(text, str(file))


def _lines(text: str) -> list[tuple[int, str]]:
    return [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}" if "\n" in text else f"column {error.colno}"
        raise InvalidInput(where, f"is not valid JSON: {error.msg} at {place}") from None
    except RecursionError:
        raise InvalidInput(where, "is nested too deeply") from None


def _movie_of(file: Path) -> str:
    """A movie's own qa.json belongs to its folder; any other file is named for its movie."""
    return file.parent.resolve().name if file.name == QUESTIONS else file.stem

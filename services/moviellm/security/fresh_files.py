"""What is read of files that others replace: read again when they changed, kept when the new ones are no good."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger()
T = TypeVar("T")

Marks = tuple[tuple[int, int, int], ...]


class FreshFiles(Generic[T]):
    """The value that `read` makes of files, made anew whenever one of them is another than before.

    The first reading raises what `read` raises; a later one that fails is logged and leaves the value as it was, so
    that a half-written file locks nobody out.
    """

    def __init__(self, paths: Sequence[str], read: Callable[[], T]) -> None:
        self._paths = [Path(path) for path in paths]
        self._read = read
        self._marks = self._look()
        self._value = read()

    def value(self) -> T:
        """The value as of now; costs one `stat` a file."""
        self.renewed()
        return self._value

    def renewed(self) -> bool:
        """Look whether the files changed; True when the value is another one since the last look."""
        marks = self._look()
        if marks == self._marks:
            return False
        self._marks = marks
        try:
            self._value = self._read()
        except (OSError, ValueError) as error:
            log.error("changed files are not used", files=[str(path) for path in self._paths], why=str(error))
            return False
        log.info("files were read again", files=[str(path) for path in self._paths])
        return True

    def _look(self) -> Marks:
        return tuple(_mark(path) for path in self._paths)


def _mark(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)

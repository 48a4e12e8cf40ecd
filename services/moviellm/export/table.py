"""Tables with pictures in them, as ports."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol


class Table(Protocol):
    """A table file under way; its methods block."""

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows as a group that readers can skip as a whole."""

    def close(self) -> None:
        """Finish the file."""


class OpenTable(Protocol):
    """Begins a table file."""

    def __call__(self, path: Path, columns: Mapping[str, str]) -> Table:
        """The table at `path`. Columns by name: "text", "texts" (a list), "int", "float" or "picture" (bytes, path)."""

"""In the build of an image: bytecode for all that has none yet."""

import importlib.util
import py_compile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

#: Taken as it is, since nobody changes the sources of an image, and without time stamps.
MODE = py_compile.PycInvalidationMode.UNCHECKED_HASH


def sources_without(folder: Path) -> Iterator[str]:
    """Python files below a folder that have no bytecode."""
    for path in folder.rglob("*.py"):
        if not Path(importlib.util.cache_from_source(str(path))).exists():
            yield str(path)


def compile_one(path: str) -> None:
    """Compile a file; one that is a template or for another Python stays as it is."""
    py_compile.compile(path, quiet=2, invalidation_mode=MODE)


def compile_all(folder: Path) -> None:
    """Compile what has no bytecode yet, on all cores."""
    with ProcessPoolExecutor() as workers:
        list(workers.map(compile_one, sources_without(folder), chunksize=64))

"""What a reply means to whoever asked: the first of the objects it may hold that is read without complaint."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from moviellm.llm.mending import objects_in, strict, without_thoughts
from moviellm.llm.reply import Unusable

T = TypeVar("T")


def understood(
    text: str, schema: Mapping[str, Any], read: Callable[[dict[str, Any]], T], *, words: str = ""
) -> tuple[T, dict[str, Any]]:
    """The value that `read` makes, and the object it made it of.

    With `words`, a reply without JSON is the object's field of that name, and placeholders in it are left to `read`,
    which may know what they stand for. Raises Unusable with the reason for the likeliest object, which names what had
    to be mended before it was read.
    """
    reason = ""
    try:
        for value, flaw in _found(text, schema, words):
            try:
                return read(value), value
            except Unusable as error:
                reason = reason or (f"{flaw}; as far as it can be read, {error}" if flaw else str(error))
    except Unusable as error:
        reason = reason or str(error)
    except RecursionError:
        reason = reason or "it is nested too deeply"
    raise Unusable(reason)


def _found(text: str, schema: Mapping[str, Any], words: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Objects and their flaws, the likeliest first; raises Unusable where there are none."""
    said = without_thoughts(text)
    if words and said and not said.startswith(("{", "[", "`")):
        yield {words: said}, ""
        return
    whole, _ = strict(said) if words else (None, "")
    if isinstance(whole, dict) and isinstance(whole.get(words), str):
        yield whole, ""
        return
    for found in objects_in(text, schema):
        yield found.value, found.flaw

"""Reading JSON objects of models that keep to a schema more or less."""

import re
from typing import Any

_TEXTS = ("text", "description", "content", "value", "name", "title")


def field(value: Any, *names: str) -> Any:
    """The first field of these names that an object has, whatever the case and the separators; else None."""
    if not isinstance(value, dict):
        return None
    known = {_plain(str(name)): item for name, item in value.items()}
    return next((known[_plain(name)] for name in names if known.get(_plain(name)) is not None), None)


def text(value: Any) -> str:
    """One line of text: of a string, a number, a list of them, or an object with one telling field."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return " ".join(filter(None, map(text, value[:20])))
    if isinstance(value, dict):
        found = field(value, *_TEXTS)
        return text(found) if found is not None else text(next(iter(value.values()))) if len(value) == 1 else ""
    return ""


def texts(value: Any) -> list[str]:
    """Texts of a list, of an object's values, or of a string's parts between commas."""
    if isinstance(value, str):
        return [part.strip() for part in re.split(r"[,;\n]", value) if part.strip()]
    items = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    return [found for found in map(text, items) if found]


def items(value: Any) -> list[Any]:
    """The items of a list, or of an object whose values are numbered items ({"1": …, "2": …})."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        inside = list(value.values())
        return inside if all(isinstance(item, dict | str) for item in inside) and _numbered(value) else [value]
    return [line for line in value.splitlines() if line.strip()] if isinstance(value, str) else []


def number(value: Any, default: int) -> int:
    """A whole number, also as the first one inside a text."""
    if isinstance(value, bool) or value is None:
        return default
    if isinstance(value, int | float):
        return int(value) if abs(value) < 1e6 else default
    found = re.search(r"\d{1,5}", str(value))
    return int(found.group()) if found else default


def unwrapped(value: dict[str, Any], *names: str) -> dict[str, Any]:
    """The object with one of these fields: the value itself or the only object inside it."""
    if field(value, *names) is None:
        for inside in value.values():
            if isinstance(inside, dict) and field(inside, *names) is not None:
                return inside
    return value


def _numbered(value: dict[str, Any]) -> bool:
    return all(re.search(r"\d", str(name)) for name in value)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())

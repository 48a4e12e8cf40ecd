"""A value brought into the form of its JSON schema where what is meant is plain: names of fields, lists, numbers.

Small models know what to say sooner than how to write it. Nothing is invented here: what is missing stays missing.
"""

import re
from collections.abc import Mapping
from typing import Any

from moviellm.llm.reply import Unusable

Schema = Mapping[str, Any]

_BRACED = re.compile(r"\$?\{{1,3}\s?([\w][\w '.,-]{0,120}?)\s?\}{1,3}")
_ANGLED = re.compile(r"<\s*([A-Za-z][\w ,-]*)\s*>")
_LISTED = re.compile(r"\s*[,;\n]\s*")
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}


def fitted(value: object, schema: Schema) -> dict[str, Any] | None:
    """The object that the value holds by the schema, at its top or under another name; None where there is none."""
    adapted = _fit(value, schema, schema)
    return adapted if isinstance(adapted, dict) and adapted else None


def without_braces(value: Any, schema: Schema) -> Any:
    """The value with "{Mara}" as "Mara" everywhere; raises Unusable for "{name}" and "<title>", which say nothing."""
    names = frozenset(_words(name) for name in _field_names(schema, schema, ()))

    def clean(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: clean(item) for key, item in part.items()}
        if isinstance(part, list):
            return [clean(item) for item in part]
        return _unbraced(part, names) if isinstance(part, str) else part

    return clean(value)


def _unbraced(text: str, names: frozenset[str]) -> str:
    angled = _ANGLED.fullmatch(text.strip())
    for found in [match[1] for match in _BRACED.finditer(text)] + ([angled[1]] if angled else []):
        words = _words(found)
        if any(re.search(rf"\b{re.escape(name)}\b", words) for name in names) or "_" in found:
            raise Unusable(f'"{text[:80]}" holds a placeholder; write what belongs in its place')
    return _BRACED.sub(r"\1", text)


def _fit(value: Any, schema: Schema, root: Schema) -> Any:
    schema = _resolved(schema, root)
    if "enum" in schema:
        return _one_of(value, schema["enum"])
    match schema.get("type"):
        case "object":
            return _object(value, schema, root)
        case "array":
            items = schema.get("items", {})
            return [_fit(item, items, root) for item in _listed(value, _resolved(items, root))]
        case "string" if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
            return " ".join(value)
        case "integer" | "number" if isinstance(value, str):
            return _number(value)
        case "integer" if isinstance(value, float) and value.is_integer():
            return int(value)
        case "boolean" if isinstance(value, str):
            return _TRUTHS.get(value.strip().lower(), value)
    return value


def _object(value: Any, schema: Schema, root: Schema) -> Any:
    properties: Schema = schema.get("properties", {})
    if isinstance(value, list):
        value = _from_list(value, properties, root)
    if not isinstance(value, dict):
        return value
    named = _renamed(value, properties)
    required = set(schema.get("required", ()))
    if required - named.keys():
        inner = (_renamed(item, properties) for item in value.values() if isinstance(item, dict))
        named = next((fields for fields in inner if not required - fields.keys()), named)
    strict = schema.get("additionalProperties") is False
    return {
        name: _fit(item, properties[name], root) if name in properties else item
        for name, item in named.items()
        if name in properties or not strict
    }


def _from_list(value: list[Any], properties: Schema, root: Schema) -> Any:
    """The object's only list field, or the only object in the list; the list where neither is plain."""
    if len(value) == 1 and isinstance(value[0], dict) and _renamed(value[0], properties).keys() & properties.keys():
        return value[0]
    of_objects = all(isinstance(item, dict) for item in value)
    lists = [
        name
        for name, inner in ((name, _resolved(inner, root)) for name, inner in properties.items())
        if inner.get("type") == "array"
        and (_resolved(inner.get("items", {}), root).get("type") == "object") is of_objects
    ]
    return {lists[0]: value} if len(lists) == 1 else value


def _renamed(value: Mapping[str, Any], properties: Schema) -> dict[str, Any]:
    """The fields by the schema's names where they differ in case, spaces and dashes alone."""
    known = {_words(name): name for name in properties}
    renamed = {known.get(_words(name), name): item for name, item in value.items()}
    return renamed | {name: item for name, item in value.items() if name in properties}


def _listed(value: Any, items: Schema) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and items.get("type") == "object":
        properties: Schema = items.get("properties", {})
        inner = list(value.values())
        is_one = bool(_renamed(value, properties).keys() & properties.keys())
        return [value] if is_one or not all(isinstance(item, dict) for item in inner) else inner
    if isinstance(value, str) and items.get("type") == "string":
        return [part for part in _LISTED.split(value.strip()) if part]
    return [] if value is None else [value]


def _one_of(value: Any, allowed: list[Any]) -> Any:
    if not isinstance(value, str):
        return value
    return next((one for one in allowed if isinstance(one, str) and _words(one) == _words(value)), value)


def _number(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def _words(name: str) -> str:
    """The words of a name without case and joints: clothing_color, clothingColor and "Clothing Color" are one."""
    return re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).strip().lower()


def _resolved(schema: Schema, root: Schema) -> Schema:
    """The schema behind a "$ref" to the root's definitions."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    for step in reference.removeprefix("#/").split("/"):
        root = root.get(step, {})
    return root


def _field_names(schema: Schema, root: Schema, above: tuple[str, ...]) -> set[str]:
    """All names of fields in the schema; one that holds itself is gone through once."""
    reference = str(schema.get("$ref", ""))
    if reference and reference in above:
        return set()
    schema, above = _resolved(schema, root), (*above, reference)
    names = set(schema.get("properties", {}))
    inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return names.union(*(_field_names(part, root, above) for part in inner)) if inner else names

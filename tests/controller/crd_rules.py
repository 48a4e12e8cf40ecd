"""What an API server does with a custom object: defaults, pruning, the schema and its CEL, all read from the CRD."""

import copy
import functools
import re
from pathlib import Path

import celpy
import yaml
from celpy import celtypes

CRD_FOLDER = Path(__file__).parents[2] / "deploy" / "helm" / "moviellm" / "crd"
CRD = yaml.safe_load((CRD_FOLDER / "moviedatasets.yaml").read_text())
VERSION = CRD["spec"]["versions"][0]
SCHEMA = VERSION["schema"]["openAPIV3Schema"]

_TYPES = {"string": str, "object": dict, "array": list, "boolean": bool, "integer": int, "number": (int, float)}


def defaulted(value, schema=SCHEMA):
    """The value with every default of the schema, and without what the schema does not know."""
    if schema.get("type") == "object" and isinstance(value, dict):
        if "properties" not in schema:
            return value
        whole = {name: inner for name, inner in value.items() if name in schema["properties"]}
        for name, inner in schema["properties"].items():
            if name not in whole and "default" in inner:
                whole[name] = copy.deepcopy(inner["default"])
            if name in whole:
                whole[name] = defaulted(whole[name], inner)
        return whole
    if schema.get("type") == "array" and isinstance(value, list):
        return [defaulted(item, schema["items"]) for item in value]
    return value


def complaints(value, old=None, schema=SCHEMA, path=""):
    """Every (field, message) for which an API server refuses the value; `old` is what was there before."""
    kind = schema.get("type")
    if kind and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return [(path, f"must be of type {kind}")]
    found = [(path, text) for text in _of_schema(value, schema)]
    if kind == "object":
        for name in schema.get("required", ()):
            if name not in value:
                found.append((_join(path, name), "Required value"))
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                before = old.get(name) if isinstance(old, dict) else None
                found += complaints(value[name], before, inner, _join(path, name))
    if kind == "array":
        for number, item in enumerate(value):
            found += complaints(item, None, schema["items"], f"{path}[{number}]")
    # An API server evaluates CEL only for what its schema allows.
    return found or [(path, text) for text in _of_rules(value, old, schema)]


def _join(path, name):
    return f"{path}.{name}" if path else name


def _of_schema(value, schema):
    if "enum" in schema and value not in schema["enum"]:
        yield f"Unsupported value: {value!r}"
    if isinstance(value, str):
        if len(value) > schema.get("maxLength", len(value)) or len(value) < schema.get("minLength", 0):
            yield "Invalid length"
        if "pattern" in schema and not re.search(schema["pattern"].replace("$", r"\Z"), value, re.ASCII):
            yield f"should match '{schema['pattern']}'"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if schema.get("format") == "int32" and not -(2**31) <= value < 2**31:
            yield "must be of type int32"
        low = schema.get("minimum")
        if low is not None and (value < low or (schema.get("exclusiveMinimum") and value == low)):
            yield f"should be at least {low}"
        if value > schema.get("maximum", value):
            yield f"should be at most {schema['maximum']}"
    if isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            yield "Too many"
        keys = schema.get("x-kubernetes-list-map-keys")
        names = [tuple(item.get(key) for key in keys) if keys else item for item in value]
        if "x-kubernetes-list-type" in schema and any(name in names[:number] for number, name in enumerate(names)):
            yield "Duplicate value"


def _of_rules(value, old, schema):
    for rule in schema.get("x-kubernetes-validations", ()):
        is_transition = "oldSelf" in rule["rule"]
        if is_transition and old is None:
            continue
        known = {"self": _cel(value, schema)} | ({"oldSelf": _cel(old, schema)} if is_transition else {})
        if not bool(_program(rule["rule"]).evaluate(known)):
            yield rule["message"]


@functools.cache
def _program(rule):
    environment = celpy.Environment()
    return environment.program(environment.compile(rule))


def _cel(value, schema):
    """The value with the CEL types that the schema gives it: a number is a double even where JSON writes 1."""
    if schema.get("type") == "number":
        return celtypes.DoubleType(value)
    if isinstance(value, dict):
        inner = schema.get("properties", {})
        return celtypes.MapType(
            {celtypes.StringType(name): _cel(content, inner.get(name, {})) for name, content in value.items()}
        )
    if isinstance(value, list):
        return celtypes.ListType([_cel(item, schema.get("items", {})) for item in value])
    return celpy.json_to_cel(value)

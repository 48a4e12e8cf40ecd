"""Between protobuf messages and the domain's dataclasses, whose fields have the same names.

One generic pair of functions serves every room; tests hold messages and dataclasses together. Enums become StrEnums:
QUESTION_KIND_PLOT on the wire is "plot" in the domain. The same dataclasses go to JSON for the artifact store.
"""

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TypeVar

import pydantic
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from moviellm.dataset import Provenance
from moviellm.errors import Broken, InvalidInput


@dataclasses.dataclass(frozen=True)
class _Artifact:
    """What every artifact has beside its own fields."""

    made: Provenance | None = None


T = TypeVar("T")
M = TypeVar("M", bound=Message)


def from_message(message: Message, cls: type[T], field: str = "") -> T:
    """The dataclass `cls` with the message's values.

    Fields of the message that the dataclass lacks are left out. An unset optional scalar gives the dataclass's
    default. Raises InvalidInput, naming the field, for an enum value that is not set or unknown.
    """
    values: dict[str, Any] = {}
    kind: Any = cls
    for name, hint in _hints(kind).items():
        descriptor = message.DESCRIPTOR.fields_by_name[name]
        if descriptor.has_presence and descriptor.type != FieldDescriptor.TYPE_MESSAGE and not message.HasField(name):
            continue
        path = f"{field}.{name}" if field else name
        value = getattr(message, name)
        if descriptor.is_repeated:
            item_hint = typing.get_args(hint)[0]
            values[name] = tuple(_value(item, item_hint, descriptor, f"{path}[{i}]") for i, item in enumerate(value))
        else:
            values[name] = _value(value, hint, descriptor, path)
    return cls(**values)


def to_message(value: object, message_type: type[M]) -> M:
    """The message with the dataclass's values; the message must have all of its fields."""
    message = message_type()
    _fill(message, value)
    return message


def to_json(value: object, made: Provenance | None = None) -> bytes:
    """A dataclass as UTF-8 JSON, keys in the order of its fields, so that equal values give equal bytes.

    How it was `made` follows under that key; `from_json` reads past it, `provenance` reads it.
    """
    fields = dataclasses.asdict(value)  # type: ignore[call-overload]
    if made is not None:
        fields["made"] = dataclasses.asdict(made)
    return json.dumps(fields, ensure_ascii=False, indent=1).encode()


def provenance(data: bytes, name: str = "artifact") -> Provenance | None:
    """How the artifact was made, None where it does not say; raises Broken, naming the artifact, for anything else."""
    return from_json(data, _Artifact, name).made


def from_json(data: bytes, cls: type[T], name: str = "artifact") -> T:
    """The dataclass `cls` from JSON; raises Broken, naming the artifact, for anything else."""
    try:
        kind: Any = cls
        value: T = _adapter(kind).validate_json(data)
        return value
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Broken(f"{name} is damaged at {where or 'the top'}: {first['msg']}") from error


@functools.cache
def _adapter(cls: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(cls)


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _value(value: Any, hint: Any, descriptor: Any, path: str) -> Any:
    if isinstance(hint, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    if descriptor.enum_type is not None:
        return _enum_value(value, hint, descriptor.enum_type, path)
    if descriptor.message_type is not None:
        return from_message(value, hint, path)
    return value


def _enum_value(number: int, hint: type[StrEnum], enum: Any, path: str) -> StrEnum:
    known = enum.values_by_number.get(number)
    if known is None or number == 0:
        raise InvalidInput(path, f"must be one of {', '.join(value.name for value in enum.values[1:])}")
    return hint(known.name.removeprefix(_enum_prefix(enum)).lower())


def _enum_prefix(enum: Any) -> str:
    return str(enum.values[0].name).removesuffix("UNSPECIFIED")


def _fill(message: Message, value: object) -> None:
    for attribute in dataclasses.fields(value):  # type: ignore[arg-type]
        descriptor = message.DESCRIPTOR.fields_by_name[attribute.name]
        content = getattr(value, attribute.name)
        if content is None:
            continue
        if descriptor.is_repeated:
            _extend(getattr(message, attribute.name), content, descriptor)
        elif descriptor.message_type is not None:
            target = getattr(message, attribute.name)
            target.SetInParent()
            _fill(target, content)
        else:
            setattr(message, attribute.name, _scalar(content, descriptor))


def _extend(target: Any, items: Iterable[object], descriptor: Any) -> None:
    for item in items:
        if descriptor.message_type is not None:
            _fill(target.add(), item)
        else:
            target.append(_scalar(item, descriptor))


def _scalar(value: Any, descriptor: Any) -> Any:
    if descriptor.enum_type is None:
        return value
    return descriptor.enum_type.values_by_name[_enum_prefix(descriptor.enum_type) + str(value).upper()].number

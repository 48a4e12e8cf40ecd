"""Between protobuf messages and the domain's dataclasses, whose fields have the same names.

One generic pair of functions serves every room; tests hold messages and dataclasses together. Enums become StrEnums:
QUESTION_KIND_PLOT on the wire is "plot" in the domain. The same dataclasses go to JSON for the artifact store.
"""

import dataclasses
import functools
import operator
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

import pydantic
import pydantic_core
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
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
    kind: Any = cls
    try:
        value: T = _reader(kind, message.DESCRIPTOR)(message)
        return value
    except _NotSet as error:
        where = ".".join([field] * bool(field) + error.path[::-1]).replace(".[", "[")
        raise InvalidInput(where, error.allowed) from None


def to_message(value: object, message_type: type[M]) -> M:
    """The message with the dataclass's values; the message must have all of its fields."""
    message = message_type()
    _fill(message, value)
    return message


def to_json(value: object, made: Provenance | None = None) -> bytes:
    """A dataclass as UTF-8 JSON, keys in the order of its fields, so that equal values give equal bytes.

    How it was `made` follows under that key; `from_json` reads past it, `provenance` reads it.
    """
    kind: Any = type(value)
    fields = {name: getattr(value, name) for name in _names(kind)}
    if made is not None:
        fields["made"] = made
    return pydantic_core.to_json(fields, indent=1, inf_nan_mode="constants")


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
def _names(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(cls))


# What is to be done with a field follows from its class and its message's descriptor: found out once for each pair.


@dataclasses.dataclass(frozen=True)
class _Filled:
    """A field of a dataclass on its way into a message; enums have their `numbers` by the domain's value."""

    name: str
    is_repeated: bool
    is_message: bool
    numbers: Mapping[str, int] | None


class _NotSet(Exception):
    """An enum value that is not set or unknown; its path grows on the way up, innermost first."""

    def __init__(self, allowed: str) -> None:
        super().__init__(allowed)
        self.allowed = allowed
        self.path: list[str] = []


@functools.cache
def _reader(cls: Any, message: Descriptor) -> Callable[[Message], Any]:
    """What makes a dataclass of a message; scalars, most of all fields, are fetched in one go."""
    hints = typing.get_type_hints(cls)
    plain, others = list[str](), list[tuple[str, bool, Callable[[Any], Any]]]()
    for name, hint in hints.items():
        field = message.fields_by_name[name]
        may_lack = field.has_presence and field.message_type is None
        if field.is_repeated or field.message_type or field.enum_type or may_lack:
            others.append((name, may_lack, _field_reader(field, hint)))
        else:
            plain.append(name)
    scalars = _fetcher(plain)

    def read(source: Message) -> Any:
        values = dict(zip(plain, scalars(source), strict=True))
        for name, may_lack, convert in others:
            if may_lack and not source.HasField(name):
                continue
            try:
                values[name] = convert(getattr(source, name))
            except _NotSet as error:
                error.path.append(name)
                raise
        return cls(**values)

    return read


def _fetcher(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return operator.attrgetter(*names)
    return lambda source: tuple(getattr(source, name) for name in names)


def _field_reader(field: FieldDescriptor, hint: Any) -> Callable[[Any], Any]:
    """What converts a field's value."""
    if field.is_repeated:
        hint = typing.get_args(hint)[0]
    if isinstance(hint, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    convert: Callable[[Any], Any]
    if field.enum_type is not None:
        convert = _enum_reader(hint, field.enum_type)
    elif field.message_type is not None:
        convert = _reader(hint, field.message_type)
    else:
        return tuple if field.is_repeated else _as_it_is
    return _of_all(convert) if field.is_repeated else convert


def _as_it_is(value: Any) -> Any:
    return value


def _of_all(convert: Callable[[Any], Any]) -> Callable[[Iterable[Any]], tuple[Any, ...]]:
    def read_all(items: Iterable[Any]) -> tuple[Any, ...]:
        read: list[Any] = []
        try:
            for item in items:
                read.append(convert(item))
        except _NotSet as error:
            error.path.append(f"[{len(read)}]")
            raise
        return tuple(read)

    return read_all


def _enum_reader(hint: type[StrEnum], enum: EnumDescriptor) -> Callable[[int], StrEnum]:
    named = {value.number: value.name.removeprefix(_enum_prefix(enum)).lower() for value in enum.values if value.number}
    members = {number: hint(name) for number, name in named.items()}

    def read(number: int) -> StrEnum:
        if number not in members:
            raise _NotSet(f"must be one of {', '.join(value.name for value in enum.values[1:])}")
        return members[number]

    return read


def _enum_prefix(enum: EnumDescriptor) -> str:
    return str(enum.values[0].name).removesuffix("UNSPECIFIED")


def _fill(message: Message, value: object) -> None:
    kind: Any = type(value)
    for one in _fields_filled(kind, message.DESCRIPTOR):
        content = getattr(value, one.name)
        if content is None:
            continue
        if one.is_repeated:
            _extend(getattr(message, one.name), content, one)
        elif one.is_message:
            target = getattr(message, one.name)
            target.SetInParent()
            _fill(target, content)
        else:
            setattr(message, one.name, content if one.numbers is None else one.numbers[content])


@functools.cache
def _fields_filled(cls: Any, message: Descriptor) -> tuple[_Filled, ...]:
    return tuple(_field_filled(message.fields_by_name[name]) for name in _names(cls))


def _field_filled(field: FieldDescriptor) -> _Filled:
    numbers = None
    if enum := field.enum_type:
        numbers = {value.name.removeprefix(_enum_prefix(enum)).lower(): value.number for value in enum.values}
    return _Filled(field.name, field.is_repeated, field.message_type is not None, numbers)


def _extend(target: Any, items: Iterable[Any], field: _Filled) -> None:
    if field.is_message:
        for item in items:
            _fill(target.add(), item)
    else:
        target.extend(items if field.numbers is None else [field.numbers[item] for item in items])

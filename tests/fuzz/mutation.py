"""Requests from their descriptors: anything at all, or a good one with a few places spoilt."""

import json
import random
from typing import Any

import hostile
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

_WHOLE = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
}
_MANY = (0, 1, 2, 12, 70, 1400)
_DEEPEST = 5


class Mutator:
    """Makes requests; the same seed makes the same. `plots` and `pictures` stand where bytes of that name are sent."""

    def __init__(self, seed: str, *, root: str, plots: tuple[bytes, ...], pictures: tuple[bytes, ...]) -> None:
        self._random = random.Random(seed)
        self._root = root
        self._plots = plots
        self._pictures = pictures

    def request(self, good: Message) -> Message:
        """One request: usually the good one with one to four places changed, sometimes made up from nothing."""
        message = type(good)()
        if self._random.random() < 0.15:
            self._fill(message, 0)
            return message
        message.CopyFrom(good)
        for _ in range(self._random.choice((0, 1, 1, 1, 2, 2, 3, 4))):
            self._spoil(message)
        return message

    def garbage(self, good: Message) -> bytes:
        """Bytes that are hardly a message: bits turned over, cut, doubled, or texts that are not UTF-8."""
        data = bytearray(good.SerializeToString())
        kind = self._random.randrange(4)
        if kind == 0 or not data:
            return self._random.randbytes(self._random.choice((1, 7, 300)))
        if kind == 1:
            for _ in range(8):
                data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)
        elif kind == 2:
            del data[self._random.randrange(len(data)) :]
        else:
            data = bytearray(b"\x0a\x02\xff\xfe") + data
        return bytes(data)

    def _spoil(self, message: Message) -> None:
        """Change one place somewhere below `message`."""
        while True:
            field = self._random.choice(message.DESCRIPTOR.fields) if message.DESCRIPTOR.fields else None
            if field is None:
                return
            below = self._below(message, field)
            if below is None or self._random.random() < 0.25:
                self._change(message, field)
                return
            message = below

    def _below(self, message: Message, field: FieldDescriptor) -> Message | None:
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            return None
        value = getattr(message, field.name)
        if field.is_repeated:
            return self._random.choice(value) if value else None
        return value if message.HasField(field.name) else None

    def _change(self, message: Message, field: FieldDescriptor) -> None:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return
        if self._random.random() < 0.2:
            message.ClearField(field.name)
        elif field.is_repeated:
            self._change_list(message, field)
        elif field.message_type is not None:
            message.ClearField(field.name)
            self._fill(getattr(message, field.name), 1)
            getattr(message, field.name).SetInParent()
        else:
            setattr(message, field.name, self._value(field))

    def _change_list(self, message: Message, field: FieldDescriptor) -> None:
        values = getattr(message, field.name)
        count = self._random.choice(_MANY)
        if values and self._random.random() < 0.5:
            kept = list(values)
            message.ClearField(field.name)
            for number in range(count):
                values.append(kept[number % len(kept)])
            return
        message.ClearField(field.name)
        for _ in range(count if field.message_type is None else min(count, 12)):
            if field.message_type is not None:
                self._fill(values.add(), 2)
            else:
                values.append(self._value(field))

    def _fill(self, message: Message, depth: int) -> None:
        for field in message.DESCRIPTOR.fields:
            if self._random.random() < 0.3 or depth > _DEEPEST:
                continue
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                continue
            values = getattr(message, field.name)
            if field.is_repeated:
                for _ in range(self._random.choice((0, 1, 3))):
                    if field.message_type is None:
                        values.append(self._value(field))
                    else:
                        self._fill(values.add(), depth + 1)
            elif field.message_type is not None:
                self._fill(values, depth + 1)
                values.SetInParent()
            else:
                setattr(message, field.name, self._value(field))

    def _value(self, field: FieldDescriptor) -> Any:
        pick = self._random.choice
        if field.enum_type is not None:
            return pick([*field.enum_type.values_by_number, 77, -1])
        if field.type in _WHOLE:
            low, high = _WHOLE[field.type]
            return min(max(pick(hostile.WHOLE_NUMBERS), low), high)
        if field.type == FieldDescriptor.TYPE_BOOL:
            return pick((True, False))
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self.plot() if field.name == "plot" else pick(self._pictures)
        if field.type == FieldDescriptor.TYPE_STRING:
            return self._text(field.name)
        return pick(hostile.NUMBERS)

    def _text(self, name: str) -> str:
        if name.endswith("token") and self._random.random() < 0.6:
            return self._random.choice(hostile.PAGE_TOKENS)
        if name.endswith("uri") and self._random.random() < 0.6:
            return f"{self._root}/{self._random.choice(hostile.TEXTS)}"
        return self._random.choice(hostile.TEXTS)

    def plot(self) -> bytes:
        """A plot: one of the known bad ones, or the first, good one with a few values of its JSON changed."""
        if self._random.random() < 0.3:
            return self._random.choice(self._plots)
        value = json.loads(self._plots[0])
        for _ in range(self._random.choice((1, 1, 2, 5))):
            self._spoil_json(value)
        return json.dumps(value).encode()

    def _spoil_json(self, value: Any) -> None:
        while True:
            if not value:
                return
            key = self._random.choice(list(value)) if isinstance(value, dict) else self._random.randrange(len(value))
            if not isinstance(value[key], dict | list) or self._random.random() < 0.2:
                break
            value = value[key]
        kinds = (None, True, -1, 10**30, 0.5, [], {}, [[]], {"a": {}}, list(range(80)), *hostile.TEXTS)
        value[key] = self._random.choice(kinds)

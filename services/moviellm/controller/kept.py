"""Converted values that many requests carry, such as a movie's outline: each is converted once while it is in use."""

import functools
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

V = TypeVar("V")
M = TypeVar("M")


def kept(most: int) -> Callable[[Callable[[V], M]], Callable[[V], M]]:
    """Decorate a conversion of immutable values: its last `most` results are kept by the value's identity.

    Identity, because to hash an outline takes as long as to convert it. Callers must not change what they get.
    """

    def decorate(convert: Callable[[V], M]) -> Callable[[V], M]:
        found: OrderedDict[int, tuple[V, M]] = OrderedDict()

        @functools.wraps(convert)
        def converted(value: V) -> M:
            name = id(value)
            if name not in found:
                found[name] = value, convert(value)
                if len(found) > most:
                    found.popitem(last=False)
            found.move_to_end(name)
            return found[name][1]

        return converted

    return decorate

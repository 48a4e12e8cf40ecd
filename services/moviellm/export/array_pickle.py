"""Pickles of arrays, written as their numbers come.

Pickle itself wants the whole array at once, and writes names that only its own generation of NumPy knows. Here an array
is the call numpy.ndarray(shape, "<f2", numbers), which every NumPy answers, and its numbers may follow piece by piece.
"""

import math
import pickle
import struct
from collections.abc import Sequence

START = pickle.PROTO + b"\x05"
ARRAY_END = pickle.TUPLE3 + pickle.REDUCE
DICT_START = pickle.EMPTY_DICT + pickle.MARK
DICT_END = pickle.SETITEMS
END = pickle.STOP


def array_start(shape: Sequence[int]) -> bytes:
    """What stands before the numbers of a float16 array, which have to follow in C order."""
    size = 2 * math.prod(shape)
    lengths = b"".join(pickle.BININT + struct.pack("<i", length) for length in shape)
    called = pickle.GLOBAL + b"numpy\nndarray\n"
    return called + pickle.MARK + lengths + pickle.TUPLE + text("<f2") + pickle.BYTEARRAY8 + struct.pack("<Q", size)


def text(value: str) -> bytes:
    """A text."""
    data = value.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(data)) + data

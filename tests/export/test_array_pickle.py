"""Pickles written piece by piece are what pickle reads."""

import io
import pickle
import pickletools

import numpy as np
import pytest

from moviellm.export.array_pickle import ARRAY_END, DICT_END, DICT_START, END, START, array_start, text


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 1), (356, 1024), (300, 257, 5)])
def test_an_array_comes_back(shape):
    numbers = (np.arange(np.prod(shape)) % 1000).reshape(shape).astype("<f2")
    data = START + array_start(shape) + numbers.tobytes() + ARRAY_END + END
    found = pickle.loads(data)
    assert type(found) is np.ndarray
    assert (found.dtype, found.shape) == (np.float16, shape)
    assert np.array_equal(found, numbers)
    assert found.flags.writeable


def test_a_dict_of_an_array_and_a_text_comes_back_and_names_numpy_alone():
    numbers = np.ones((2, 2), "<f2")
    array = array_start(numbers.shape) + numbers.tobytes() + ARRAY_END
    data = START + DICT_START + text("feats") + array + text("inputs") + text("é <image>" * 90) + DICT_END + END
    found = pickle.load(io.BytesIO(data))
    assert list(found) == ["feats", "inputs"]
    assert np.array_equal(found["feats"], numbers)
    assert found["inputs"] == "é <image>" * 90
    assert [value for code, value, _ in pickletools.genops(data) if code.name == "GLOBAL"] == ["numpy ndarray"]

"""What many requests carry is converted once, and only the last are kept."""

from moviellm.controller.kept import kept


def test_each_value_is_converted_once_while_it_is_among_the_last():
    asked = []

    @kept(2)
    def convert(value):
        asked.append(value[0])
        return [value[0]]

    first, equal, third = ["a"], ["a"], ["c"]
    assert convert(first) is convert(first)
    assert convert(equal) is not convert(first), "equal values are not the same value"
    assert asked == ["a", "a"]
    convert(third)
    assert convert(first) == ["a"]
    assert asked == ["a", "a", "c"], "the one that was not asked for longest has gone"
    convert(equal)
    assert asked == ["a", "a", "c", "a"]

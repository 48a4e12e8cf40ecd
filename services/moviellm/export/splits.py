"""Which movies train and which test: whole movies, never parts of one."""

from collections.abc import Mapping

from moviellm.dataset import derived_seed

TRAIN, VALIDATION, TEST = "train", "validation", "test"


def split_movies(movies: int, seed: int, *, validation: float, test: float) -> Mapping[int, str]:
    """The split of each movie by its number.

    Movies are put in an order that only the seed decides; the first `test` share (0 to 1, rounded down) tests, the next
    `validation` share validates, the rest trains. A dataset too small for a share has no such split.
    """
    order = sorted(range(1, movies + 1), key=lambda number: derived_seed(seed, "split", number))
    tests, validations = int(movies * test), int(movies * validation)
    names = {number: TEST for number in order[:tests]}
    names |= {number: VALIDATION for number in order[tests : tests + validations]}
    return {number: names.get(number, TRAIN) for number in range(1, movies + 1)}

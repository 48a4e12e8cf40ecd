"""Intervals against values worked out by hand."""

import math
import random

import pytest

from moviellm.evaluation.statistics import Figure, mean_by_movie, quantile, share


def test_wilson_of_eight_in_ten():
    # centre (0.8 + z²/20) / (1 + z²/10) = 0.716740, reach 1.959964 · √(0.016 + z²/400) / (1 + z²/10) = 0.226577
    figure = share(8, 10)
    assert figure.value == 0.8
    assert (figure.low, figure.high) == (pytest.approx(0.490163, abs=1e-6), pytest.approx(0.943317, abs=1e-6))


def test_wilson_of_nothing_and_of_everything_stays_within_bounds():
    # For 0 of n it is [0, z² / (n + z²)]
    assert share(0, 10) == Figure(0.0, 0.0, pytest.approx(0.277533, abs=1e-6))
    assert share(10, 10) == Figure(1.0, pytest.approx(0.722467, abs=1e-6), pytest.approx(1.0))
    assert share(0, 0) is None


def test_a_half_counts_half():
    assert share(0.5, 1).value == 0.5
    assert share(1.5, 3) == share(3 / 2, 3)


def test_movies_are_drawn_and_not_questions():
    # Two movies of 100 alike questions: a quarter of the draws are 0 and a quarter are 1, however many questions.
    values, movies = [0.0] * 100 + [1.0] * 100, ["a"] * 100 + ["b"] * 100
    assert mean_by_movie(values, movies) == Figure(0.5, 0.0, 1.0)


def test_a_movie_weighs_as_much_as_it_has_questions():
    figure = mean_by_movie([0.0, 1.0, 1.0, 1.0], ["a", "b", "b", "b"])
    assert figure == Figure(0.75, 0.0, 1.0)


def test_the_bootstrap_of_many_movies_is_near_the_normal_interval():
    rng = random.Random(5)
    values = [rng.gauss(3, 1) for _ in range(200)]
    figure = mean_by_movie(values, [str(number) for number in range(200)], seed=1)
    mean = sum(values) / 200
    reach = 1.96 * math.sqrt(sum((value - mean) ** 2 for value in values) / 200 / 200)
    assert figure.value == pytest.approx(mean)
    assert (figure.low, figure.high) == (pytest.approx(mean - reach, abs=0.02), pytest.approx(mean + reach, abs=0.02))


def test_the_bootstrap_repeats_and_does_not_depend_on_the_order_of_questions():
    values, movies = [number**1.5 for number in range(40)], [str(number % 13) for number in range(40)]
    first = mean_by_movie(values, movies, seed=3)
    assert mean_by_movie(values[::-1], movies[::-1], seed=3) == first
    assert mean_by_movie(values, movies, seed=4) != first


def test_a_single_movie_has_no_interval():
    assert mean_by_movie([1.0, 2.0], ["a", "a"]) == Figure(1.5, None, None)
    assert mean_by_movie([], []) is None


def test_quantiles_lie_between_neighbours():
    assert quantile([0.0, 10.0], 0.25) == 2.5
    assert quantile([7.0], 0.975) == 7.0
    assert quantile([1.0, 2.0, 3.0], 1.0) == 3.0

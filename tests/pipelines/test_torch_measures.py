"""Distances between pictures: formulas against their definitions, and what they find in drawn scenes."""

import dataclasses
from random import Random

import numpy as np
import pytest
import torch

from moviellm.pipelines.torch_measures import (
    ColorMoments,
    GramMoments,
    clip_scores,
    color_distance,
    gram_distance,
    neighbour_distance,
    neighbour_distances,
    oklab,
)
from moviellm.pocket.scene import as_bytes, draw, random_scene

torch.set_num_threads(1)


def noise(seed, count=4, size=32):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def plain(*color, size=16):
    return np.full((1, size, size, 3), color, np.uint8)


def layers(seed, count=5, patches=9):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(count, patches, width, generator=generator) for width in (8, 12)]


def test_oklab_has_its_published_points():
    white, red = oklab(np.array([[255, 255, 255], [255, 0, 0]], np.uint8))
    np.testing.assert_allclose(white, [1, 0, 0], atol=1e-3)
    np.testing.assert_allclose(red, [0.628, 0.2249, 0.1258], atol=1e-3)


def test_color_distance_is_that_of_plain_colors_and_nothing_for_equal_pictures():
    one, two = oklab(np.array([[200, 30, 30], [30, 30, 200]], np.uint8))
    assert color_distance(plain(200, 30, 30), plain(30, 30, 200)) == pytest.approx(np.linalg.norm(one - two), abs=1e-3)
    assert color_distance(noise(1), noise(1)) == pytest.approx(0, abs=1e-6)


def test_color_distance_sees_spread_where_the_mean_is_the_same():
    greys = np.concatenate([plain(100, 100, 100), plain(140, 140, 140)])
    lab = oklab(np.array([[100, 100, 100], [140, 140, 140]], np.uint8))
    spread = abs(lab[0, 0] - lab[1, 0]) / 2
    middle = ColorMoments()
    middle.pictures, middle._first = 1, lab.mean(axis=0)
    middle._second = np.outer(middle._first, middle._first)
    both = ColorMoments()
    for picture in greys:
        both.add(picture)
    assert both.distance(middle) == pytest.approx(spread, abs=1e-4)


def test_large_pictures_are_looked_at_in_part_and_weigh_the_same():
    small = plain(10, 200, 90, size=16)
    large = np.kron(small[0, :1, :1], np.ones((1024, 700, 1), np.uint8))[None]
    assert color_distance([*small, *noise(1)], [*large, *noise(1)]) == pytest.approx(0, abs=1e-6)


def test_gram_distance_knows_no_places_and_adds_up():
    features = layers(1)
    shuffled = [x[:, torch.randperm(x.shape[1])] for x in features]
    assert gram_distance(features, shuffled) == pytest.approx(0, abs=1e-5)
    assert 0.1 < gram_distance(features, [x + 1 for x in features]) < 2
    one, two = GramMoments(), GramMoments()
    one.add(features)
    for start in range(5):
        two.add([x[start : start + 1] for x in features])
    assert one.distance(two) == pytest.approx(0, abs=1e-6)
    x = torch.nn.functional.normalize(features[0], dim=-1).reshape(-1, 8).double()
    torch.testing.assert_close(one.matrices[0], x.T @ x / len(x), atol=1e-6, rtol=0)


def test_neighbour_distance_is_its_formula():
    features = layers(2)
    assert len(neighbour_distances(features)) == 4
    expected = [
        torch.stack(
            [
                (torch.nn.functional.normalize(x[i], dim=-1) - torch.nn.functional.normalize(x[i + 1], dim=-1))
                .square()
                .sum(-1)
                .mean()
                for x in features
            ]
        ).mean()
        for i in range(4)
    ]
    assert neighbour_distance(features) == pytest.approx(float(torch.stack(expected).mean()), abs=1e-6)
    assert neighbour_distance([x[:1] for x in features]) == 0
    assert neighbour_distance([x[:1].repeat(3, 1, 1) for x in features]) == pytest.approx(0, abs=1e-6)
    opposite = [torch.cat([x[:1], -x[:1]]) for x in features]
    assert neighbour_distance(opposite) == pytest.approx(4, abs=1e-5)


def test_clip_scores_are_cosines_cut_at_zero():
    a = torch.tensor([[3.0, 4.0], [1.0, 0.0], [1.0, 0.0]])
    b = torch.tensor([[4.0, 3.0], [-2.0, 0.0], [0.0, 5.0]])
    assert clip_scores(a, b).tolist() == pytest.approx([0.96, 0, 0])


def test_drawn_styles_are_told_apart_by_color():
    def drawn(style, tag):
        scenes = [random_scene(Random(f"{tag} {style} {number}")) for number in range(8)]
        return [as_bytes(draw(dataclasses.replace(scene, style=style))) for scene in scenes]

    styles = ("noir", "watercolor", "gothic")
    references = {style: drawn(style, "reference") for style in styles}
    for style in styles:
        frames = drawn(style, "frame")
        distances = {other: color_distance(frames, references[other]) for other in styles}
        assert min(distances, key=distances.get) == style

"""Measuring pictures with a real store and the pocket scorer: what is measured and what is refused."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from moviellm.artifacts import digest
from moviellm.errors import InvalidInput, Unsatisfied
from moviellm.movie import StoredFile
from moviellm.pipelines.transformers_scorer import ClipScorer
from moviellm.pocket.captions import canonical
from moviellm.pocket.dataset import scene_at
from moviellm.pocket.scene import as_bytes, draw
from moviellm.rendering import measuring
from moviellm.rendering.critic import Critic
from moviellm.rendering.measuring import Measuring
from moviellm.rendering.pillow_jpeg import jpeg, pixels_of

torch.set_num_threads(1)

SCENES = [scene_at(7, number) for number in range(6)]
PICTURES = [as_bytes(draw(scene)) for scene in SCENES]
TEXTS = [canonical(scene) for scene in SCENES]


class Loader:
    """Loads the scorer and counts how often."""

    def __init__(self):
        self.loaded = 0

    def __call__(self):
        self.loaded += 1
        return ClipScorer.open("pocket", device="cpu")


@pytest.fixture
def loader():
    return Loader()


@pytest.fixture
def measure(store, loader):
    return Measuring(store=store, critic=Critic(scorer=loader), read_pixels=pixels_of, node_pool="gold").measure


async def keep(store, name, data):
    await store.put(name, data)
    return StoredFile(store.uri(name), digest(data), len(data))


@pytest.fixture
async def files(store):
    return [await keep(store, f"m/{number}.jpg", jpeg(pixels)) for number, pixels in enumerate(PICTURES)]


async def test_a_movie_is_measured(measure, files, loader):
    found, work = await measure(files, TEXTS, files[:2])
    assert found.pictures == len(found.scores) == len(files)
    assert found.text_score > 0.3
    assert 0 < found.neighbour_score < 1
    assert found.neighbour_distance > 0.1
    assert 0 < found.style_color_distance < 1
    assert 0 < found.style_gram_distance < 2
    assert (found.scorer, work.model, work.node_pool, work.gpu_seconds) == ("pocket", "pocket", "gold", 0)
    assert work.seconds > 0
    shuffled, _ = await measure(files, TEXTS[::-1], [])
    assert shuffled.text_score < found.text_score
    assert (shuffled.style_color_distance, shuffled.style_gram_distance) == (0, 0)
    assert loader.loaded == 1


async def test_chunks_do_not_show(measure, files, monkeypatch):
    whole, _ = await measure(files, TEXTS, files[3:])
    monkeypatch.setattr(measuring, "CHUNK", 2)
    parts, _ = await measure(files, TEXTS, files[3:])
    np.testing.assert_allclose(parts.scores, whole.scores, atol=2e-6)
    for name in ("neighbour_score", "neighbour_distance", "style_color_distance", "style_gram_distance"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), abs=3e-6)


async def test_references_may_be_any_pictures(measure, store, files):
    buffer = io.BytesIO()
    Image.new("RGBA", (3000, 40), (200, 10, 10, 128)).save(buffer, format="PNG")
    wide = await keep(store, "m/wide.png", buffer.getvalue())
    buffer = io.BytesIO()
    Image.new("L", (20, 30), 90).save(buffer, format="WEBP")
    small = await keep(store, "m/small.webp", buffer.getvalue())
    found, _ = await measure(files[:1], TEXTS[:1], [wide, small])
    assert found.style_color_distance > 0.05


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("pictures", lambda p, t, r: (p[:0], t[:0], r)),
        ("texts", lambda p, t, r: (p, t[:-1], r)),
        ("texts", lambda p, t, r: (p, (), r)),
        ("texts[1]", lambda p, t, r: (p, [t[0], " ", *t[2:]], r)),
        ("texts[2]", lambda p, t, r: (p, [*t[:2], "x" * 2001, *t[3:]], r)),
        ("pictures[1].uri", lambda p, t, r: ([p[0], StoredFile("file:///etc/passwd", "0" * 64, 1), *p[2:]], t, r)),
        ("pictures[5].uri", lambda p, t, r: ([*p[:5], StoredFile(p[5].uri + "x", "0" * 64, 1)], t, r)),
        ("references[0].uri", lambda p, t, r: (p, t, [StoredFile("", "0" * 64, 1)])),
        ("references", lambda p, t, r: (p, t, [p[0]] * 1001)),
    ],
)
async def test_a_bad_request_names_the_field(measure, files, field, change):
    with pytest.raises(InvalidInput) as caught:
        await measure(*change(files, TEXTS, files[:1]))
    assert caught.value.field == field


async def test_a_damaged_picture_is_told(measure, store, files):
    other = StoredFile(files[0].uri, "0" * 64, 1)
    with pytest.raises(Unsatisfied, match="its SHA-256 is not 000"):
        await measure([other], TEXTS[:1], [])
    text = await keep(store, "m/text.jpg", b"not a picture")
    with pytest.raises(Unsatisfied, match=r"m/text\.jpg cannot be read"):
        await measure([text], TEXTS[:1], [])
    cut = await keep(store, "m/cut.jpg", jpeg(PICTURES[0])[:900])
    with pytest.raises(Unsatisfied, match=r"m/cut\.jpg cannot be read"):
        await measure([cut], TEXTS[:1], [])


async def test_without_a_scorer_nothing_is_measured(store, files):
    without = Measuring(store=store, critic=Critic(), read_pixels=pixels_of, node_pool="gold")
    with pytest.raises(Unsatisfied, match="no scorer to measure pictures with"):
        await without.measure(files, TEXTS, [])


async def test_a_scorer_that_failed_to_load_is_loaded_again(store, files, loader):
    class Flaky:
        failed = False

        def __call__(self):
            if not self.failed:
                self.failed = True
                raise Unsatisfied("no memory now")
            return loader()

    flaky = Measuring(store=store, critic=Critic(scorer=Flaky()), read_pixels=pixels_of, node_pool="gold")
    with pytest.raises(Unsatisfied, match="no memory now"):
        await flaky.measure(files[:1], TEXTS[:1], [])
    found, _ = await flaky.measure(files[:1], TEXTS[:1], [])
    assert found.pictures == 1

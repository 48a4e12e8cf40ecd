"""Best of k: which attempts are made, what is wrong with them, which one is kept, and that the rest decides nothing."""

import asyncio
import io
import itertools
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from moviellm.dataset import Attempt, derived_seed
from moviellm.pocket.dataset import scene_at
from moviellm.pocket.scene import as_bytes, draw
from moviellm.rendering import making
from moviellm.rendering.choice import Chooser
from moviellm.rendering.critic import Critic
from moviellm.rendering.faults import alike, look
from moviellm.rendering.gallery import Gallery, PictureFormat
from moviellm.rendering.measuring import Measuring
from moviellm.rendering.picture import Painted, Recipe, Renderer, RenderProfile
from moviellm.rendering.pillow_jpeg import comment_of, jpeg, pixels_of
from moviellm.rendering.servicer import RenderingServicer
from moviellm.rendering.studio import Studio, as_words
from moviellm.rendering.styles import StyleShelf
from moviellm.v1 import rendering_service_pb2 as pb

SIZE = 32
RENDERER = Renderer("tiny", SIZE, SIZE, RenderProfile("", 2, 1.0))
FORMAT = PictureFormat(write=jpeg, comment=comment_of, pixels=pixels_of)


def noise(seed):
    """Coarse noise, which JPEG keeps."""
    small = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return np.kron(small, np.ones((2, 2, 1), np.uint8))


def second(seed):
    return derived_seed(seed, "attempt", 2)


def third(seed):
    return derived_seed(seed, "attempt", 3)


class Painter:
    """Paints noise, or what a seed is told to give, in whatever order `delays` lets it."""

    def __init__(self, pictures=(), delays=None):
        self.pictures = dict(pictures)
        self.delays = delays or (lambda seed: 0)
        self.seeds = []

    async def __call__(self, job):
        self.seeds.append(job.seed)
        for _ in range(self.delays(job.seed)):
            await asyncio.sleep(0)
        return Painted(self.pictures.get(job.seed, noise(job.seed)), seconds=0.5, gpu_seconds=0.25)


class Scorer:
    """Scores pictures by their seeds; remembers the texts."""

    on_gpu = False

    def __init__(self, scores=(), default=0.3):
        self.scores = {noise(seed).tobytes(): score for seed, score in dict(scores).items()}
        self.default = default
        self.texts = []

    def score(self, pixels, text):
        self.texts.append(text)
        return self.scores.get(pixels.tobytes(), self.default)


class Prude:
    def __init__(self, *seeds):
        self.unwanted = {noise(seed).tobytes() for seed in seeds}

    def unsafe(self, pixels):
        return pixels.tobytes() in self.unwanted


class Tally:
    def __init__(self):
        self.verdicts = []

    def picture(self, outcome, seconds):
        pass

    def attempt(self, verdict):
        self.verdicts.append(verdict)


class Service:
    def __init__(self, store, painter, scorer=None, checker=None, max_waiting=1000):
        self.store = store
        self.painter = painter
        self.tally = Tally()
        critic = Critic(scorer=scorer and (lambda: scorer), checker=checker and (lambda: checker))
        self.studio = Studio(
            store=store,
            gallery=Gallery(store, format=FORMAT, node_pool="gold", model="tiny"),
            styles=StyleShelf(store, read=None, capacity=2),
            chooser=Chooser(paint=painter, critic=critic),
            recipe=lambda options: Recipe(SIZE, SIZE, 2, 1.0),
            tally=self.tally,
            renderer=RENDERER,
            max_waiting=max_waiting,
        )
        measuring = Measuring(store=store, critic=critic, read_pixels=pixels_of, node_pool="gold")
        self.servicer = RenderingServicer(studio=self.studio, measuring=measuring)

    async def render(self, *seeds, folder="x", prompts=None, text="", **options):
        """The pictures of orders with those seeds, in their order."""
        prompts = prompts or [f"picture {seed}" for seed in seeds]
        orders = [
            pb.PictureOrder(number=n, prompt=prompt, seed=seed, uri=self.store.uri(f"{folder}/{n}.jpg"), text=text)
            for n, (seed, prompt) in enumerate(zip(seeds, prompts, strict=True))
        ]
        request = pb.RenderSceneRequest(pictures=orders, options=pb.RenderOptions(**options))
        found = {answer.picture.number: answer.picture async for answer in self.servicer.render_scene(request)}
        return [found[n] for n in range(len(seeds))]

    async def pixels(self, picture):
        data = await self.store.get(self.store.key(picture.file.uri))
        return np.asarray(Image.open(io.BytesIO(data))).astype(int)

    async def shows(self, picture, seed):
        return bool(np.abs(await self.pixels(picture) - noise(seed)).mean() < 20)


def told(picture):
    return [(attempt.seed, round(attempt.score, 4), attempt.verdict) for attempt in picture.attempts]


async def test_one_attempt_is_neither_scored_nor_repeated(store):
    scorer = Scorer()
    service = Service(store, Painter({1: noise(1) * 0}), scorer)
    black, good = await service.render(1, 2)
    assert told(black) == [(1, 0, "black")]
    assert told(good) == [(2, 0, "")]
    assert scorer.texts == []
    assert sorted(service.painter.seeds) == [1, 2]
    assert sorted(service.tally.verdicts) == ["", "black"]


async def test_the_best_of_all_is_kept_and_told_last(store):
    scorer = Scorer({1: 0.2, second(1): 0.9, third(1): 0.4})
    service = Service(store, Painter(), scorer)
    (picture,) = await service.render(1, attempts=3)
    assert told(picture) == [(1, 0.2, ""), (third(1), 0.4, ""), (second(1), 0.9, "")]
    assert await service.shows(picture, second(1))
    assert (picture.work.seconds, picture.work.gpu_seconds) == (1.5, 0.75)


async def test_the_first_that_is_good_enough_is_kept(store):
    scorer = Scorer({1: 0.2, second(1): 0.6, third(1): 0.9, 5: 0.5})
    service = Service(store, Painter(), scorer)
    one, other = await service.render(1, 5, attempts=3, min_score=0.5)
    assert told(one) == [(1, 0.2, "below threshold"), (second(1), 0.6, "")]
    assert told(other) == [(5, 0.5, "")]
    assert third(1) not in service.painter.seeds


async def test_where_none_is_good_enough_the_best_is_kept_and_says_so(store):
    scorer = Scorer({1: 0.1, second(1): 0.3, third(1): 0.2})
    service = Service(store, Painter(), scorer)
    (picture,) = await service.render(1, attempts=3, min_score=0.5)
    assert told(picture)[-1] == (second(1), 0.3, "below threshold")
    assert len(told(picture)) == 3


async def test_equal_scores_keep_the_first(store):
    service = Service(store, Painter(), Scorer())
    (picture,) = await service.render(1, attempts=3)
    assert told(picture)[-1][0] == 1


async def test_one_attempt_with_a_threshold_is_scored(store):
    service = Service(store, Painter(), Scorer({1: 0.2}))
    (picture,) = await service.render(1, min_score=0.5)
    assert told(picture) == [(1, 0.2, "below threshold")]


@pytest.mark.parametrize(
    ("pixels", "verdict"),
    [
        (np.zeros((SIZE, SIZE, 3), np.uint8), "black"),
        (np.full((SIZE, SIZE, 3), 130, np.uint8), "flat"),
        (np.clip(noise(3) // 60 + 100, 0, 255).astype(np.uint8), "flat"),
    ],
)
@pytest.mark.parametrize("scored", [True, False])
async def test_black_and_flat_pictures_are_made_again(store, pixels, verdict, scored):
    service = Service(store, Painter({1: pixels}), Scorer() if scored else None)
    (picture,) = await service.render(1, attempts=2)
    assert told(picture) == [(1, 0, verdict), (second(1), 0.3 if scored else 0, "")]
    assert await service.shows(picture, second(1))


async def test_without_a_scorer_the_first_without_a_fault_is_kept(store):
    service = Service(store, Painter())
    (picture,) = await service.render(1, attempts=4)
    assert told(picture) == [(1, 0, "")]
    assert service.painter.seeds == [1]


async def test_a_faulty_picture_is_kept_only_where_all_are_and_the_least_bad_of_them(store):
    black, flat = np.zeros((SIZE, SIZE, 3), np.uint8), np.full((SIZE, SIZE, 3), 130, np.uint8)
    service = Service(store, Painter({1: black, second(1): flat, third(1): black}), Scorer())
    (picture,) = await service.render(1, attempts=3)
    assert [verdict for _, _, verdict in told(picture)] == ["black", "black", "flat"]
    assert (await service.pixels(picture)).mean() == pytest.approx(130, abs=1)


async def test_an_unsafe_picture_is_never_stored(store):
    service = Service(store, Painter(), Scorer({1: 0.9}), checker=Prude(1, 7))
    for picture, seed in zip(await service.render(1, 7), (1, 7), strict=True):
        assert told(picture) == [(seed, 0, "unsafe")]
        assert (await service.pixels(picture)).max() == 0
    (again,) = await service.render(1, folder="y", attempts=2)
    assert told(again) == [(1, 0, "unsafe"), (second(1), 0.3, "")]
    assert await service.shows(again, second(1))


async def test_a_picture_that_repeats_an_earlier_one_of_another_prompt_is_made_again(store):
    """The later one, though it is painted first."""
    painter = Painter({2: noise(1), 3: noise(1)}, delays=lambda seed: 200 if seed == 1 else 0)
    service = Service(store, painter, Scorer())
    pictures = await service.render(1, 2, 3, prompts=["a", "b", "a"], attempts=2, min_score=0.1)
    assert [told(picture)[0][2] for picture in pictures] == ["", "duplicate", ""]
    assert await service.shows(pictures[1], second(2))


async def test_what_lies_in_the_store_is_told_with_its_attempts_and_counts_as_seen(store):
    service = Service(store, Painter(), Scorer({1: 0.2, second(1): 0.9}))
    (first,) = await service.render(1, attempts=2)
    again = Service(store, Painter({2: noise(second(1))}), Scorer())
    pictures = await again.render(1, 2, attempts=2)
    assert pictures[0].existed
    assert pictures[0].attempts == first.attempts
    assert pictures[0].file == first.file
    assert told(pictures[1])[0] == (2, 0.3, "duplicate")


async def test_a_picture_that_says_nothing_is_looked_at(store):
    await store.put("x/0.jpg", jpeg(noise(2)))
    await store.put("x/1.jpg", b"no picture at all")
    service = Service(store, Painter(), Scorer())
    pictures = await service.render(1, 5, 2, attempts=2)
    assert [len(picture.attempts) for picture in pictures] == [0, 0, 2]
    assert told(pictures[2])[0][2] == "duplicate"


@pytest.mark.parametrize("options", [{"attempts": 3}, {"attempts": 3, "min_score": 0.5}, {}])
async def test_what_is_kept_depends_on_the_request_alone(store, options):
    """Not on the order of painting, nor on what of it lay in the store already."""
    seeds = (1, 2, 3, 4, 5)
    pictures = {2: noise(1), 3: noise(3) * 0, second(4): noise(5), 5: noise(1)}
    scorer = Scorer({4: 0.1, 5: 0.9, second(2): 0.8, second(5): 0.45, third(5): 0.55, second(1): 0.7}, default=0.5)

    async def files(folder, delays, before=()):
        service = Service(store, Painter(pictures, delays), scorer)
        for end in before:
            await service.render(*seeds[:end], folder=folder, **options)
        made = await service.render(*seeds, folder=folder, **options)
        return [(await store.get(f"{folder}/{n}.jpg"), told(picture)) for n, picture in enumerate(made)]

    expected = await files("plain", lambda seed: 0)
    assert await files("backwards", lambda seed: 50 * (7 - seed % 7)) == expected
    assert await files("mixed", lambda seed: seed % 13) == expected
    assert await files("resumed", lambda seed: 0, before=(1, 3)) == expected


async def test_attempts_at_all_pictures_go_on_beside_each_other(store):
    """The first picture needs all its attempts; the others do not wait for it before they are made again."""
    gates = {seed: asyncio.Event() for seed in (second(1),)}

    class Gated(Painter):
        async def __call__(self, job):
            painted = await super().__call__(job)
            if job.seed in gates:
                await gates[job.seed].wait()
            elif job.seed == third(2):
                gates[second(1)].set()
            return painted

    service = Service(store, Gated(), Scorer(default=0.1))
    made = await service.render(1, 2, attempts=3, min_score=0.5)
    assert [len(picture.attempts) for picture in made] == [3, 3]


async def test_pictures_are_scored_by_their_text_or_the_prompt_in_words(store):
    scorer = Scorer()
    service = Service(store, Painter(), scorer)
    await service.render(1, text="the sea", attempts=2)
    await service.render(1, folder="y", attempts=2)
    assert scorer.texts == ["the sea"] * 2 + ["picture 1"] * 2
    assert as_words("<clara> in <gothic-style> style, <gothic>", ["<gothic>", "<clara>", "<gothic-style>"]) == (
        "clara in gothic-style style, gothic"
    )


async def test_a_failed_attempt_ends_the_request_and_drops_the_rest(store):
    class Broken(Painter):
        async def __call__(self, job):
            if job.seed == second(2):
                raise ZeroDivisionError("a bug")
            return await super().__call__(job)

    service = Service(store, Broken(), Scorer())
    with pytest.raises(ZeroDivisionError):
        await service.render(1, 2, 3, attempts=4)
    assert service.studio.waiting == 0


def test_a_making_comes_back_from_its_file_and_nothing_else_does():
    attempts = (Attempt(3, 0.25, "black"), Attempt(9, 0.5, ""))
    data = jpeg(noise(1), making.write(attempts, bytes(range(64))))
    assert making.read(comment_of(data)) == (attempts, bytes(range(64)))
    assert (np.asarray(Image.open(io.BytesIO(data))) == pixels_of(jpeg(noise(1)), "x")).all()
    for other in (
        b"",
        b"made with a camera",
        b"{}",
        b'{"attempts": [], "fingerprint": "xyz"}',
        b'{"attempts": [], "fingerprint": "00"}',
    ):
        assert making.read(other) is None
    assert comment_of(jpeg(noise(1))) == comment_of(b"no picture") == b""


def test_fingerprints_survive_compression_and_size_and_tell_pictures_apart():
    pictures = [as_bytes(draw(scene_at(3, number))) for number in range(8)]
    prints = [look(pixels).fingerprint for pixels in pictures]
    assert not any(alike(one, other) for one, other in itertools.combinations(prints, 2))
    for pixels, fingerprint in zip(pictures, prints, strict=True):
        assert alike(look(np.kron(pixels, np.ones((4, 6, 1), np.uint8))).fingerprint, fingerprint)
        assert alike(look(pixels_of(jpeg(pixels), "x")).fingerprint, fingerprint)


def test_drawn_scenes_are_neither_black_nor_flat():
    nights = [replace(scene_at(4, number), time="night", style="noir") for number in range(8)]
    assert [look(as_bytes(draw(scene))).fault for scene in nights] == [""] * 8

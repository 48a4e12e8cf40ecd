"""One render request against a real store, with a painter that only waits and counts."""

import asyncio

import numpy as np
import pytest

from moviellm.artifacts import digest
from moviellm.errors import Exhausted, InvalidInput
from moviellm.movie import LearnedStyle
from moviellm.rendering.choice import Chooser
from moviellm.rendering.critic import Critic
from moviellm.rendering.gallery import Gallery, PictureFormat
from moviellm.rendering.measuring import Measuring
from moviellm.rendering.picture import Painted, Recipe, Renderer, RenderProfile
from moviellm.rendering.pillow_jpeg import comment_of, jpeg, pixels_of
from moviellm.rendering.servicer import RenderingServicer
from moviellm.rendering.studio import Studio
from moviellm.rendering.styles import StyleShelf
from moviellm.v1 import movie_pb2
from moviellm.v1 import rendering_service_pb2 as pb

RENDERER = Renderer(
    "tiny", 8, 8, RenderProfile("", 2, 1.0), profiles=(RenderProfile("lcm", 4, 1.0),), refiner=False, ip_adapter=False
)


class Painter:
    """Paints grey squares once the gate is open; keeps what it was asked for."""

    def __init__(self):
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrivals = asyncio.Semaphore(0)
        self.jobs = []
        self.dropped = 0

    async def arrived(self, count):
        for _ in range(count):
            await self.arrivals.acquire()

    async def __call__(self, job):
        self.jobs.append(job)
        self.arrivals.release()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.dropped += 1
            raise
        if job.prompt == "broken":
            raise ZeroDivisionError("a bug")
        return Painted(np.full((8, 8, 3), job.seed % 256, np.uint8), seconds=0.5, gpu_seconds=0.25)


class Tally:
    def __init__(self):
        self.outcomes = []

        self.verdicts = []

    def picture(self, outcome, seconds):
        self.outcomes.append(outcome)

    def attempt(self, verdict):
        self.verdicts.append(verdict)


class Vectors:
    token = "<gothic>"


@pytest.fixture
def painter():
    return Painter()


@pytest.fixture
def tally():
    return Tally()


@pytest.fixture
def servicer(store, painter, tally):
    async def read(files):
        return Vectors()

    format = PictureFormat(write=jpeg, comment=comment_of, pixels=pixels_of)
    studio = Studio(
        store=store,
        gallery=Gallery(store, format=format, node_pool="gold", model="tiny"),
        styles=StyleShelf(store, read=read, capacity=2),
        chooser=Chooser(paint=painter, critic=Critic()),
        recipe=lambda options: Recipe(options.width or 8, 8, 2, 1.0),
        tally=tally,
        renderer=RENDERER,
        max_waiting=5,
    )
    measuring = Measuring(store=store, critic=Critic(), read_pixels=pixels_of, node_pool="gold")
    return RenderingServicer(studio=studio, measuring=measuring)


def order(store, position, **changes):
    values = {"number": position, "prompt": "a picture", "seed": position, "uri": store.uri(f"x/{position}.jpg")}
    return pb.PictureOrder(**(values | changes))


async def render(servicer, orders, style=None, **options):
    request = pb.RenderSceneRequest(pictures=orders, learned_style=style, options=pb.RenderOptions(**options))
    return {response.picture.number: response.picture async for response in servicer.render_scene(request)}


async def test_pictures_are_stored_and_told(servicer, store, tally):
    pictures = await render(servicer, [order(store, number) for number in (3, 1, 2)])
    assert set(pictures) == {1, 2, 3}
    for number, picture in pictures.items():
        data = await store.get(f"x/{number}.jpg")
        assert picture.file.uri == store.uri(f"x/{number}.jpg")
        assert (picture.file.digest, picture.file.size_bytes) == (digest(data), len(data))
        assert not picture.existed
        work = picture.work
        assert (work.node_pool, work.seconds, work.gpu_seconds, work.model) == ("gold", 0.5, 0.25, "tiny")
    assert tally.outcomes == ["rendered"] * 3


async def test_what_lies_in_the_store_is_not_painted_again(servicer, store, painter, tally):
    await store.put("x/1.jpg", b"a picture")
    pictures = await render(servicer, [order(store, 1), order(store, 2)])
    assert pictures[1].existed
    assert pictures[1].file.digest == digest(b"a picture")
    assert pictures[1].work.seconds == 0
    assert not pictures[2].existed
    assert [job.seed for job in painter.jobs] == [2]
    assert await store.get("x/1.jpg") == b"a picture"
    assert sorted(tally.outcomes) == ["existed", "rendered"]


async def test_who_comes_second_tells_of_the_first_ones_picture(servicer, store, painter):
    painter.gate.clear()
    task = asyncio.create_task(render(servicer, [order(store, 1)]))
    await painter.arrived(1)
    await store.put("x/1.jpg", b"somebody else's")
    painter.gate.set()
    picture = (await task)[1]
    assert picture.existed
    assert picture.file.digest == digest(b"somebody else's")


async def test_references_are_rendered_without_a_style(servicer, store, painter):
    request = pb.RenderReferencesRequest(pictures=[order(store, 1)])
    responses = [response async for response in servicer.render_references(request)]
    assert responses[0].picture.number == 1
    assert painter.jobs[0].learned == ()
    assert await store.exists("x/1.jpg")


async def test_a_caller_that_leaves_drops_its_pictures(servicer, store, painter):
    painter.gate.clear()
    task = asyncio.create_task(render(servicer, [order(store, number) for number in range(4)]))
    await painter.arrived(4)
    assert servicer.waiting == 4
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (painter.dropped, servicer.waiting) == (4, 0)


async def test_one_failure_ends_the_stream_and_drops_the_rest(servicer, store, painter, tally):
    orders = [order(store, 1), order(store, 2, prompt="broken"), order(store, 3)]
    with pytest.raises(ZeroDivisionError):
        await render(servicer, orders)
    assert servicer.waiting == 0
    assert "failed" in tally.outcomes


async def test_a_full_queue_says_when_to_come_back(servicer, store, painter):
    painter.gate.clear()
    first = asyncio.create_task(render(servicer, [order(store, number) for number in range(4)]))
    await painter.arrived(4)
    with pytest.raises(Exhausted, match="4 pictures wait already, of at most 5") as caught:
        await render(servicer, [order(store, 10), order(store, 11)])
    assert caught.value.retry_after >= 1
    second = asyncio.create_task(render(servicer, [order(store, 12)]))
    await painter.arrived(1)
    painter.gate.set()
    assert len(await first) + len(await second) == 5


async def test_a_large_request_is_let_in_when_nothing_waits(servicer, store):
    assert len(await render(servicer, [order(store, number) for number in range(9)])) == 9


async def test_the_style_goes_with_the_pictures(servicer, store, painter):
    await store.put("styles/a.safetensors", b"vectors")
    style = movie_pb2.LearnedStyle(uri=store.uri("styles/a.safetensors"), digest=digest(b"vectors"), token="<gothic>")
    await render(servicer, [order(store, 1, prompt="in <gothic> style")], style)
    assert [type(vectors) for vectors in painter.jobs[0].learned] == [Vectors]


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("pictures[1].prompt", {"prompt": " "}),
        ("pictures[1].prompt", {"prompt": "x" * 2001}),
        ("pictures[1].number", {"number": 1}),
        ("pictures[1].uri", {"uri": ""}),
        ("pictures[1].uri", {"uri": "file:///etc/passwd"}),
        ("pictures[1].uri", {"uri": "STORE/../secret.jpg"}),
        ("pictures[1].uri", {"uri": "STORE/x/1.jpg"}),
        ("options.width", {"width": 65}),
        ("options.width", {"width": 56}),
        ("options.width", {"width": -64}),
        ("options.height", {"height": 4096}),
        ("options.steps", {"steps": -1}),
        ("options.steps", {"steps": 201}),
        ("options.guidance_scale", {"guidance_scale": -0.5}),
        ("options.guidance_scale", {"guidance_scale": 30.5}),
        ("options.guidance_scale", {"guidance_scale": float("nan")}),
        ("options.negative_prompt", {"negative_prompt": "x" * 2001}),
        ("options.profile", {"profile": "turbo"}),
        ("options.refiner_share", {"refiner_share": 0.95}),
        ("options.refiner_share", {"refiner_share": float("nan")}),
        ("options.refiner_share", {"refiner_share": 0.25}),
        ("options.model", {"model": "sdxl"}),
        ("options.attempts", {"attempts": -1}),
        ("options.attempts", {"attempts": 9}),
        ("options.min_score", {"min_score": 1.5}),
        ("options.min_score", {"min_score": float("nan")}),
        ("options.min_score", {"min_score": 0.2}),
        ("pictures[1].text", {"text": "x" * 2001}),
    ],
)
async def test_bad_requests_name_the_field(servicer, store, painter, field, change):
    of_picture = {key: value for key, value in change.items() if key in ("prompt", "number", "uri", "text")}
    if "uri" in of_picture:
        of_picture["uri"] = of_picture["uri"].replace("STORE", store.root)
    options = {key: value for key, value in change.items() if key not in of_picture}
    with pytest.raises(InvalidInput) as caught:
        await render(servicer, [order(store, 1), order(store, 2, **of_picture)], **options)
    assert caught.value.field == field
    assert not painter.jobs


@pytest.mark.parametrize("count", [0, 1025])
async def test_the_number_of_pictures_is_bounded(servicer, store, count):
    with pytest.raises(InvalidInput, match=f"1 to 1024 pictures, got {count}"):
        await render(servicer, [order(store, number) for number in range(count)])


@pytest.mark.parametrize(
    ("field", "style"),
    [
        ("learned_style.uri", LearnedStyle("file:///etc/passwd", "0" * 64, "<gothic>")),
        ("learned_style.uri", LearnedStyle("STORE/styles/none.safetensors", "0" * 64, "<gothic>")),
        ("learned_style.digest", LearnedStyle("STORE/styles/a.safetensors", "0" * 63, "<gothic>")),
        ("learned_style.token", LearnedStyle("STORE/styles/a.safetensors", "0" * 64, "")),
        ("learned_style.token", LearnedStyle("STORE/styles/a.safetensors", "0" * 64, "<baroque>")),
    ],
)
async def test_bad_styles_name_the_field(servicer, store, field, style):
    message = movie_pb2.LearnedStyle(uri=style.uri.replace("STORE", store.root), digest=style.digest, token=style.token)
    with pytest.raises(InvalidInput) as caught:
        await render(servicer, [order(store, 1, prompt="in <gothic> style")], message)
    assert caught.value.field == field


async def test_the_renderer_says_what_it_can_do(servicer):
    said = await servicer.describe_renderer(pb.DescribeRendererRequest())
    assert (said.model, said.width, said.own.steps, said.refiner, said.ip_adapter) == ("tiny", 8, 2, False, False)
    assert [(profile.name, profile.steps, profile.guidance_scale) for profile in said.profiles] == [("lcm", 4, 1.0)]

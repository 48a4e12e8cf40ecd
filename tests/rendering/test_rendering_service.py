"""The service as it runs: `python -m moviellm.rendering` with Ray, Serve, its gRPC proxy and a tiny random pipeline.

The tests share one service and run in order: the last ones kill a replica and end the service.
"""

import asyncio
import contextlib
import io
import os
import signal
import urllib.request
from dataclasses import replace
from pathlib import Path

import grpc
import numpy as np
import pytest
import torch
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from PIL import Image

from moviellm import errors, rpc
from moviellm.artifacts import digest
from moviellm.pipelines.diffusers_prompts import LearnedVectors, write_learned
from moviellm.rendering.ray_guard import processes_of
from moviellm.v1 import movie_pb2
from moviellm.v1 import rendering_service_pb2 as pb
from moviellm.v1 import rendering_service_pb2_grpc as pb_grpc

START_SECONDS = 280
APPLICATION = (("application", "rendering"),)
pytestmark = pytest.mark.timeout(START_SECONDS + 20)

BATCH = 4
"""Pictures of a full batch; a caller that has read them all waits for the next, as most callers that leave do."""
LISTENING = "0A"
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
"""127.0.0.1, the same as IPv6, and ::1, as the kernel's socket tables have them."""


async def pixels(service, picture):
    data = await service.store.get(service.store.key(picture.file.uri))
    assert digest(data) == picture.file.digest
    return np.asarray(Image.open(io.BytesIO(data))).astype(int)


async def learned(service, name, seed, token="<gothic>"):
    vectors = torch.randn((1, 16), generator=torch.Generator().manual_seed(seed))
    data = write_learned(LearnedVectors(token, (vectors,)))["learned_embeds.safetensors"]
    key = f"styles/{name}/learned_embeds.safetensors"
    await service.store.put(key, data)
    return movie_pb2.LearnedStyle(uri=service.store.uri(key), digest=digest(data), token=token)


async def test_strangers_hear_of_health_alone(service):
    address = f"127.0.0.1:{service.port}"
    async with rpc.channel(address) as in_the_clear:
        assert not await rpc.is_serving(in_the_clear)
    for token in (None, lambda: "made up by somebody else"):
        async with rpc.channel(address, replace(service.peer, token=token)) as stranger:
            assert await rpc.is_serving(stranger)
            with pytest.raises(errors.Unauthenticated):
                await service.render(service.orders("strange", 1), channel=stranger)
    assert [entry async for entry in service.store.list("strange")] == []


async def test_frames_are_written_and_told(service):
    pictures = await service.render(service.orders("first", 6))
    assert sorted(pictures) == [1, 2, 3, 4, 5, 6]
    for picture in pictures.values():
        assert (await pixels(service, picture)).shape == (32, 32, 3)
        assert not picture.existed
        assert (picture.work.node_pool, picture.work.gpu_seconds) == ("tests", 0)
        assert picture.work.seconds > 0


async def test_existing_frames_are_told_and_not_rendered(service):
    await service.store.put("second/000002.jpg", b"a picture")
    pictures = await service.render(service.orders("second", 3))
    assert [pictures[number].existed for number in (1, 2, 3)] == [False, True, False]
    again = await service.render(service.orders("second", 3))
    assert all(picture.existed for picture in again.values())
    assert {n: p.file.digest for n, p in again.items()} == {n: p.file.digest for n, p in pictures.items()}


async def test_scenes_in_one_batch_give_the_pictures_they_give_alone(service):
    style, other = await learned(service, "a", 1), await learned(service, "b", 2)
    prompt = {"prompt": "a picture in <gothic> style", "seed": 5}
    names = {"style": style, "other": other, "plain": None}
    alone = {
        name: await service.render(service.orders(f"alone-{name}", 1, **prompt), style=learnt)
        for name, learnt in names.items()
    }
    together = await asyncio.gather(
        *(service.render(service.orders(f"together-{n}", 1, **prompt), style=learnt) for n, learnt in names.items())
    )
    seen = [await pixels(service, pictures[1]) for pictures in together]
    for name, picture in zip(names, seen, strict=True):
        assert np.abs(await pixels(service, alone[name][1]) - picture).max() <= 4, name
    assert np.abs(seen[0] - seen[1]).max() > 0
    assert np.abs(seen[0] - seen[2]).max() > 0


async def test_the_best_of_three_is_the_same_alone_and_beside_other_scenes(service):
    quality = {"attempts": 3, "min_score": 0.0}
    strict = {"attempts": 3, "min_score": 0.95}
    text = {"text": "mountain"}
    alone = await service.render(service.orders("best-alone", 3, **text), **quality)
    both = await asyncio.gather(
        service.render(service.orders("best-strict", 5, **text), **strict),
        service.render(service.orders("best-together", 3, **text), **quality),
        service.render(service.orders("best-other", 3, prompt="dark people", seed=77)),
    )
    for number, picture in alone.items():
        assert len(picture.attempts) == 3
        assert picture.attempts[-1].score == max(attempt.score for attempt in picture.attempts) > 0
        assert len({attempt.seed for attempt in picture.attempts}) == 3
        assert both[1][number].attempts == picture.attempts
        assert both[1][number].file.digest == picture.file.digest
        assert [attempt.verdict for attempt in both[0][number].attempts] == ["below threshold"] * 3
        assert {a.seed for a in both[0][number].attempts} == {a.seed for a in picture.attempts}
    again = await service.render(service.orders("best-alone", 3, **text), **quality)
    assert all(again[number].existed and again[number].attempts == alone[number].attempts for number in alone)


async def test_characters_are_spliced_beside_the_style(service):
    style = await learned(service, "with", 1)
    clara, john = await learned(service, "clara", 2, "<clara>"), await learned(service, "john", 3, "<john>")
    prompt = {"prompt": "a picture of <clara> in <gothic> style", "seed": 5}
    plain = await service.render(service.orders("characters-none", 1, **prompt), style=style)
    shown = await service.render(service.orders("characters", 1, **prompt), style=style, characters=[john, clara])
    assert shown[1].file.digest != plain[1].file.digest
    with pytest.raises(errors.InvalidInput, match=r"learned_characters\[1\]\.token: must differ"):
        await service.render(service.orders("characters-two", 1, **prompt), style=style, characters=[clara, clara])
    missing = movie_pb2.LearnedStyle(uri=service.store.uri("styles/none"), digest="0" * 64, token="<nobody>")
    with pytest.raises(errors.InvalidInput, match=r"learned_characters\[0\]\.uri: must be a learnt style's file"):
        await service.render(service.orders("characters-two", 1, **prompt), style=style, characters=[missing])


async def test_references_are_rendered(service, peer):
    request = pb.RenderReferencesRequest(
        pictures=service.orders("references", 2), options=pb.RenderOptions(steps=2, width=64)
    )
    call = pb_grpc.RenderingServiceStub(peer).RenderReferences(request, metadata=APPLICATION)
    pictures = [response.picture async for response in rpc.stream("rendering", call)]
    assert {picture.number for picture in pictures} == {1, 2}
    assert (await pixels(service, pictures[0])).shape == (32, 64, 3)


async def test_pictures_are_measured(service, peer):
    pictures = await service.render(service.orders("measured", 3))
    files = [pictures[number].file for number in (1, 2, 3)]
    stub = pb_grpc.RenderingServiceStub(peer)
    request = pb.MeasurePicturesRequest(pictures=files, texts=["the library"] * 3, references=files[:1])
    answer = await rpc.call("rendering", stub.MeasurePictures(request, metadata=APPLICATION))
    assert (answer.measures.pictures, len(answer.measures.scores)) == (3, 3)
    assert answer.measures.scorer == answer.work.model == "pocket"
    assert answer.measures.neighbour_distance > 0
    assert answer.measures.style_color_distance > 0
    request.texts.pop()
    with pytest.raises(errors.InvalidInput) as caught:
        await rpc.call("rendering", stub.MeasurePictures(request, metadata=APPLICATION))
    assert caught.value.field == "texts"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("pictures", {"count": 0}),
        ("pictures[0].prompt", {"prompt": ""}),
        ("pictures[0].uri", {"uri": "file:///etc/passwd"}),
        ("options.width", {"width": 65}),
        ("options.model", {"model": "sdxl"}),
    ],
)
async def test_bad_requests_name_the_field_through_the_proxy(service, field, change):
    of_order = {key: value for key, value in change.items() if key in ("prompt", "uri")}
    options = {key: value for key, value in change.items() if key in ("width", "model")}
    orders = [pb.PictureOrder(number=1, prompt="a", uri=service.store.uri("bad/1.jpg"))] * change.get("count", 1)
    for order in orders:
        order.MergeFrom(pb.PictureOrder(**of_order))
        if of_order.get("prompt") == "":
            order.prompt = ""
    with pytest.raises(errors.InvalidInput) as caught:
        await service.render(orders, **options)
    assert caught.value.field == field


async def test_an_error_comes_without_an_empty_message(service, peer):
    call = pb_grpc.RenderingServiceStub(peer).RenderScene(pb.RenderSceneRequest(), metadata=APPLICATION)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "pictures: must hold 1 to 1024 pictures, got 0"


async def test_a_style_that_is_not_there_or_does_not_fit_is_told(service):
    style = await learned(service, "c", 3)
    prompt = {"prompt": "a picture in <gothic> style"}
    missing = movie_pb2.LearnedStyle(uri=service.store.uri("styles/none"), digest="0" * 64, token="<gothic>")
    with pytest.raises(errors.InvalidInput, match=r"learned_style\.uri"):
        await service.render(service.orders("styled", 1, **prompt), style=missing)
    damaged = movie_pb2.LearnedStyle(uri=style.uri, digest="0" * 64, token="<gothic>")
    with pytest.raises(errors.Broken, match="is damaged") as caught:
        await service.render(service.orders("styled", 1, **prompt), style=damaged)
    assert caught.value.reason == "INTERNAL"
    data = write_learned(LearnedVectors("<gothic>", (torch.zeros(1, 5),)))["learned_embeds.safetensors"]
    await service.store.put("styles/foreign/learned_embeds.safetensors", data)
    foreign = movie_pb2.LearnedStyle(
        uri=service.store.uri("styles/foreign/learned_embeds.safetensors"), digest=digest(data), token="<gothic>"
    )
    with pytest.raises(errors.Unsatisfied, match="learn the style with this model"):
        await service.render(service.orders("styled", 1, **prompt), style=foreign)


async def test_a_full_queue_is_told_through_the_proxy(service, peer):
    request = pb.RenderSceneRequest(pictures=service.orders("queue", 280), options=pb.RenderOptions(steps=50))
    call = pb_grpc.RenderingServiceStub(peer).RenderScene(request, metadata=APPLICATION)
    for _ in range(BATCH):
        await call.read()
    with pytest.raises(errors.Exhausted, match="pictures wait already, of at most 300") as caught:
        await service.render(service.orders("refused", 100))
    call.cancel()
    assert caught.value.retry_after >= 1
    assert caught.value.reason == "RENDER_QUEUE_FULL"


@pytest.mark.parametrize("read", [1, BATCH])
async def test_a_caller_that_leaves_stops_the_work(service, peer, read):
    """In the middle of a batch's messages, and while it waits for the next batch."""
    stub = pb_grpc.RenderingServiceStub(peer)
    names = [f"left-{read}-{caller}" for caller in range(3)]
    for name in names:
        request = pb.RenderSceneRequest(pictures=service.orders(name, 40), options=pb.RenderOptions(steps=10))
        call = stub.RenderScene(request, metadata=APPLICATION)
        for _ in range(read):
            await call.read()
        call.cancel()
    await service.render(service.orders(f"after-{read}", 5))
    made = [len([entry async for entry in service.store.list(name)]) for name in names]
    assert max(made) < 40, made


async def test_health_and_reflection_are_on_the_same_port(service, peer):
    assert await rpc.is_serving(peer)
    stub = health_pb2_grpc.HealthStub(peer)
    named = await stub.Check(health_pb2.HealthCheckRequest(service="moviellm.v1.RenderingService"))
    assert named.status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Check(health_pb2.HealthCheckRequest(service="other"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    async for answer in reflection_pb2_grpc.ServerReflectionStub(peer).ServerReflectionInfo(iter([request])):
        assert "moviellm.v1.RenderingService" in {found.name for found in answer.list_services_response.service}


async def test_metrics_tell_pictures_and_batches(service):
    def scrape():
        with urllib.request.urlopen(f"http://127.0.0.1:{service.metrics_port}/metrics") as answer:
            return answer.read().decode()

    for _ in range(300):  # Ray tells its figures a few at a time
        text = await asyncio.to_thread(scrape)
        lines = [line for line in text.splitlines() if line.startswith("ray_moviellm_pictures_total{")]
        if any('outcome="existed"' in line for line in lines) and 'verdict="below_threshold"' in text:
            break
        await asyncio.sleep(0.1)
    assert any('outcome="rendered"' in line and 'node_pool="tests"' in line for line in lines)
    assert "ray_moviellm_picture_batch_size_bucket{" in text
    attempts = [line for line in text.splitlines() if line.startswith("ray_moviellm_picture_attempts_total{")]
    assert any('verdict="good"' in line for line in attempts)
    assert any('verdict="below_threshold"' in line for line in attempts)


def test_ray_listens_on_this_machine_only(service):
    def sockets(process):
        for entry in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed a moment ago
                kind, _, number = str(entry.readlink()).partition(":")
                if kind == "socket":
                    yield number.strip("[]")

    ours = {number for process in [service.process.pid, *service.processes()] for number in sockets(process)}
    table = [
        line.split() for line in (Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()).splitlines()
    ]
    addresses = {fields[1].partition(":")[0] for fields in table if fields[3] == LISTENING and fields[9] in ours}
    assert addresses
    assert addresses <= LOOPBACK


async def test_a_killed_replica_is_a_temporary_error_and_is_replaced(service, peer):
    orders = service.orders("killed", 60)
    request = pb.RenderSceneRequest(pictures=orders, options=pb.RenderOptions(steps=50))
    stream = rpc.stream("rendering", pb_grpc.RenderingServiceStub(peer).RenderScene(request, metadata=APPLICATION))
    first = await anext(stream)
    (replica,) = [number for number, name in service.processes().items() if name.startswith("ray::ServeReplica")]
    os.kill(replica, signal.SIGKILL)
    with pytest.raises(errors.Temporary):
        async for _ in stream:
            pass
    for _ in range(600):
        try:
            pictures = await service.render(orders, steps=2)
            break
        except errors.Temporary:
            await asyncio.sleep(0.2)
    assert sorted(pictures) == list(range(1, 61))
    assert pictures[first.picture.number].existed
    assert pictures[first.picture.number].file == first.picture.file


async def test_sigterm_lets_calls_finish_and_leaves_nothing(service, peer):
    orders = service.orders("last", 30)
    request = pb.RenderSceneRequest(pictures=orders, options=pb.RenderOptions(steps=10))
    stream = rpc.stream("rendering", pb_grpc.RenderingServiceStub(peer).RenderScene(request, metadata=APPLICATION))
    await anext(stream)
    folder = service.ray_folder
    assert len(service.processes()) > 5
    service.process.send_signal(signal.SIGTERM)
    assert len([response async for response in stream]) == 29
    assert await asyncio.to_thread(service.process.wait, 60) == 0
    assert list(processes_of(folder, but=0)) == []
    assert not await asyncio.to_thread(os.path.exists, folder)
    assert "stopped" in service.log.read_text()
    with pytest.raises(errors.Unavailable):
        await service.render(service.orders("too-late", 1))

"""The service over real gRPC, with the storyteller behind it."""

import contextlib

import pytest

from moviellm import errors, rpc
from moviellm.scripting.servicer import ScriptingServicer, registration
from moviellm.scripting.storyteller import Storyteller
from moviellm.v1 import scripting_service_pb2 as pb
from moviellm.v1 import scripting_service_pb2_grpc as pb_grpc


@contextlib.asynccontextmanager
async def service():
    servicer = ScriptingServicer(writer=Storyteller(), node_pool="pool-a")
    server = rpc.Server([registration(servicer)], listen="127.0.0.1:0")
    await server.start()
    try:
        async with rpc.channel(f"127.0.0.1:{server.port}") as peer:
            yield pb_grpc.ScriptingServiceStub(peer)
    finally:
        await server.stop()


def outline_request(**changes):
    return pb.WriteOutlineRequest(**({"theme": "a duchess and a commoner", "chapters": 2, "seed": 7} | changes))


async def outline_of(stub, **changes):
    return (await rpc.call("scripting", stub.WriteOutline(outline_request(**changes)))).outline


async def chapter_of(stub, **changes):
    request = pb.WriteChapterRequest(**({"chapter": 1, "scenes": 3, "seed": 8} | changes))
    return await rpc.call("scripting", stub.WriteChapter(request))


async def scene_of(stub, **changes):
    fields = {"scene": 1, "frames": 4, "dialogue_lines": 6, "seed": 9}
    return await rpc.call("scripting", stub.WriteScene(pb.WriteSceneRequest(**(fields | changes))))


async def test_three_levels_follow_from_each_other():
    async with service() as stub:
        outline = await outline_of(stub)
        chapter = (await chapter_of(stub, outline=outline)).chapter
        answer = await scene_of(stub, outline=outline, chapter=chapter, scene=2)
    assert len(outline.chapters) == 2
    assert [scene.number for scene in chapter.scenes] == [1, 2, 3]
    assert (answer.scene.chapter, answer.scene.number) == (1, 2)
    assert len(answer.scene.frames) == 4
    assert len(answer.scene.dialogue) == 6
    assert answer.work.node_pool == "pool-a"
    assert answer.work.model == "storyteller"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("theme", {"theme": "  "}),
        ("theme", {"theme": "x" * 501}),
        ("chapters", {"chapters": 0}),
        ("chapters", {"chapters": 65}),
        ("style_description", {"style_description": "y" * 501}),
    ],
)
async def test_a_bad_outline_request_names_the_field(field, changes):
    async with service() as stub:
        with pytest.raises(errors.InvalidInput) as caught:
            await outline_of(stub, **changes)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("chapter", {"chapter": 0}),
        ("chapter", {"chapter": 3}),
        ("scenes", {"scenes": -1}),
        ("outline", {"outline": None}),
    ],
)
async def test_a_bad_chapter_request_names_the_field(field, changes):
    async with service() as stub:
        outline = await outline_of(stub)
        with pytest.raises(errors.InvalidInput) as caught:
            await chapter_of(stub, **({"outline": outline} | changes))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("scene", {"scene": 4}),
        ("frames", {"frames": 0}),
        ("frames", {"frames": 65}),
        ("dialogue_lines", {"dialogue_lines": -1}),
        ("chapter", {"chapter": None}),
        ("outline", {"outline": None}),
    ],
)
async def test_a_bad_scene_request_names_the_field(field, changes):
    async with service() as stub:
        outline = await outline_of(stub)
        chapter = (await chapter_of(stub, outline=outline)).chapter
        with pytest.raises(errors.InvalidInput) as caught:
            await scene_of(stub, **({"outline": outline, "chapter": chapter} | changes))
    assert caught.value.field == field

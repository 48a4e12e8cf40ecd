"""The service over real gRPC, with the storyteller behind it."""

import contextlib
import dataclasses

import pytest

from moviellm import errors, rpc, wire
from moviellm.movie import Mend, Outline
from moviellm.scripting.by_model.rehearsal import NoCost
from moviellm.scripting.servicer import ScriptingServicer, registration
from moviellm.scripting.storyteller.storyteller import Storyteller
from moviellm.scripting.writer import TokenEstimate
from moviellm.v1 import movie_pb2
from moviellm.v1 import scripting_service_pb2 as pb
from moviellm.v1 import scripting_service_pb2_grpc as pb_grpc


@contextlib.asynccontextmanager
async def service(writer=None, estimator=None):
    servicer = ScriptingServicer(writer=writer or Storyteller(), estimator=estimator or NoCost(), node_pool="pool-a")
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


class MendingWriter(Storyteller):
    async def outline(self, request):
        written = await super().outline(request)
        mend = Mend("style-keyword", "style.keyword", "very dark", "dark")
        prompt = f"outline@{request.prompts[0].text}"
        return dataclasses.replace(written, prompt_tokens=7, completion_tokens=8, prompt=prompt, mends=(mend,))


async def test_what_was_mended_and_with_which_prompt_is_told():
    own = movie_pb2.Prompt(name="outline", text="Tell $chapters chapters.")
    async with service(MendingWriter()) as stub:
        answer = await rpc.call("scripting", stub.WriteOutline(outline_request(prompts=[own])))
    assert (answer.work.prompt_tokens, answer.work.completion_tokens) == (7, 8)
    assert answer.work.prompt == "outline@Tell $chapters chapters."
    assert [(mend.rule, mend.was, mend.now) for mend in answer.mends] == [("style-keyword", "very dark", "dark")]


@pytest.mark.parametrize(
    ("name", "text", "field"),
    [("nothing", "x", "prompts[0].name"), ("outline", "without its placeholder", "prompts[0].text")],
)
async def test_a_prompt_that_cannot_be_used_is_refused_at_every_door(name, text, field):
    prompts = [movie_pb2.Prompt(name=name, text=text)]
    async with service() as stub:
        outline = await outline_of(stub)
        chapter = (await chapter_of(stub, outline=outline)).chapter
        calls = [
            lambda: outline_of(stub, prompts=prompts),
            lambda: chapter_of(stub, outline=outline, prompts=prompts),
            lambda: scene_of(stub, outline=outline, chapter=chapter, prompts=prompts),
            lambda: estimate_of(stub, prompts=prompts),
        ]
        for call in calls:
            with pytest.raises(errors.InvalidInput) as caught:
                await call()
            assert caught.value.field == field


async def estimate_of(stub, **changes):
    fields = {"theme": "a duchess", "shape": movie_pb2.Shape(chapters=2, scenes=2, frames=2), "dialogue_lines": 3}
    return await rpc.call("scripting", stub.EstimatePlot(pb.EstimatePlotRequest(**(fields | changes))))


class Counting:
    async def estimate(self, request):
        return TokenEstimate(request.shape.total_frames, request.dialogue_lines, request.theme)


async def test_an_estimate_is_the_estimators():
    async with service() as stub:
        nothing = await estimate_of(stub)
    async with service(estimator=Counting()) as stub:
        some = await estimate_of(stub)
    assert (nothing.prompt_tokens, nothing.completion_tokens, nothing.model) == (0, 0, "storyteller")
    assert (some.prompt_tokens, some.completion_tokens, some.model) == (8, 3, "a duchess")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("theme", {"theme": ""}),
        ("shape.scenes", {"shape": movie_pb2.Shape(chapters=1, scenes=0, frames=1)}),
        ("shape.frames", {"shape": movie_pb2.Shape(chapters=1, scenes=1, frames=65)}),
        ("dialogue_lines", {"dialogue_lines": 65}),
    ],
)
async def test_a_bad_estimate_request_names_the_field(field, changes):
    async with service() as stub:
        with pytest.raises(errors.InvalidInput) as caught:
            await estimate_of(stub, **changes)
    assert caught.value.field == field


async def test_a_plot_of_ones_own_comes_back_whole():
    async with service() as stub:
        outline = wire.from_message(await outline_of(stub), Outline)
        request = pb.ImportPlotRequest(
            plot=wire.to_json(outline), theme="a duchess", shape=movie_pb2.Shape(scenes=2, frames=3), seed=1
        )
        plot = await rpc.call("scripting", stub.ImportPlot(request))
        with pytest.raises(errors.InvalidInput) as caught:
            await rpc.call("scripting", stub.ImportPlot(pb.ImportPlotRequest(plot=b"no JSON", theme="a duchess")))
    assert plot.outline.overview == outline.overview
    assert (plot.shape.chapters, plot.shape.scenes, plot.shape.frames) == (2, 2, 3)
    assert caught.value.field.startswith("plot")

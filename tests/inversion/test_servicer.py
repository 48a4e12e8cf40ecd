"""LearnStyle over a real connection: the stream, bad requests, cancelling; and the process: health, signals, resume."""

import asyncio
import os
import signal
import sys

import classroom as room
import pytest
from classroom import tiny

from moviellm import errors, rpc, wire
from moviellm.inversion.diffusers_teacher import load_teacher
from moviellm.inversion.lessons import InversionResult
from moviellm.inversion.servicer import SERVICE_NAME, InversionServicer, task_of
from moviellm.inversion.settings import InversionSettings
from moviellm.rendering.ports import free_port
from moviellm.v1 import inversion_service_pb2 as pb
from moviellm.v1 import inversion_service_pb2_grpc as pb_grpc
from moviellm.v1 import movie_dataset_service_pb2, movie_pb2

STEPS = 60


async def request_in(store, **changes):
    fields = {
        "style": wire.to_message(room.STYLE, movie_pb2.Style),
        "references": [wire.to_message(file, movie_pb2.StoredFile) for file in await room.references_in(store)],
        "output_uri": store.uri(room.OUTPUT),
        "seed": 5,
    }
    return pb.LearnStyleRequest(**(fields | changes))


async def server_of(store, school):
    add = pb_grpc.add_InversionServiceServicer_to_server
    servicer = InversionServicer(school, store)
    server = rpc.Server(
        [rpc.Registration(SERVICE_NAME, lambda grpc_server: add(servicer, grpc_server))],
        listen="127.0.0.1:0",
        drain_seconds=5,
    )
    await server.start()
    return server


async def all_of(updates):
    return [update async for update in updates]


async def answers(peer, request):
    return await all_of(rpc.stream("inversion", pb_grpc.InversionServiceStub(peer).LearnStyle(request)))


async def test_progress_streams_and_the_result_comes_last(tmp_path):
    store = room.store_in(tmp_path)
    server = await server_of(store, room.school_of(store, room.teacher_of(tiny.sd())))
    async with rpc.channel(f"127.0.0.1:{server.port}") as peer:
        *progress, last = await answers(peer, await request_in(store, steps=25))
    await server.stop()
    assert [(answer.progress.step, answer.progress.steps) for answer in progress] == [(10, 25), (20, 25), (25, 25)]
    assert all(answer.progress.loss > 0 for answer in progress)
    result = wire.from_message(last.result, InversionResult)
    assert result.learned_style.token == "<gothic>"
    assert await store.exists(store.key(result.learned_style.uri))
    assert (result.steps, result.work.model, result.work.node_pool) == (25, "tiny", "local")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("style.keyword", {"style": movie_pb2.Style()}),
        ("style.keyword", {"style": movie_pb2.Style(keyword="x" * 65)}),
        ("style.phrases", {"style": movie_pb2.Style(keyword="x", phrases=["x" * 2001])}),
        ("references", {"references": []}),
        ("references", {"references": [movie_pb2.StoredFile(uri="x")] * 61}),
        ("references[0].uri", {"references": [movie_pb2.StoredFile(uri="file:///etc/passwd")] * 3}),
        ("output_uri", {"output_uri": "s3://elsewhere/x"}),
        ("output_uri", {"output_uri": ""}),
        ("steps", {"steps": -1}),
        ("steps", {"steps": 10_001}),
        ("vectors", {"vectors": 17}),
        ("method", {"method": movie_dataset_service_pb2.STYLE_METHOD_PROMPT}),
        ("method", {"method": 99}),
        ("captions", {"captions": ["one"]}),
        ("captions[3]", {"captions": ["", "", "", "x" * 2001]}),
    ],
)
async def test_a_bad_request_names_the_field(field, changes, tmp_path):
    store = room.store_in(tmp_path)
    server = await server_of(store, room.school_of(store, None))
    async with rpc.channel(f"127.0.0.1:{server.port}") as peer:
        with pytest.raises(errors.InvalidInput) as caught:
            await answers(peer, await request_in(store, **changes))
    await server.stop()
    assert caught.value.field == field


async def test_a_path_out_of_the_store_is_refused(tmp_path):
    store = room.store_in(tmp_path)
    server = await server_of(store, room.school_of(store, None))
    async with rpc.channel(f"127.0.0.1:{server.port}") as peer:
        with pytest.raises(errors.InvalidInput, match="output_uri"):
            await answers(peer, await request_in(store, output_uri=store.uri("../outside")))
    await server.stop()


async def test_cancelling_stops_within_a_step_and_the_next_in_line_goes_on(tmp_path):
    store = room.store_in(tmp_path)
    teacher = room.teacher_of(tiny.sd())
    begun = []
    begin = teacher.begin
    teacher.begin = lambda *arguments: begun.append(begin(*arguments)) or begun[-1]
    server = await server_of(store, room.school_of(store, teacher))
    async with rpc.channel(f"127.0.0.1:{server.port}") as peer:
        call = pb_grpc.InversionServiceStub(peer).LearnStyle(await request_in(store, steps=10_000))
        await call.read()
        call.cancel()
        other = await request_in(store, output_uri=store.uri("styles/other"), steps=2)
        assert (await answers(peer, other))[-1].WhichOneof("update") == "result"
    await server.stop()
    assert begun[0].advance().step < 100
    assert not await store.exists("styles/abc/style.json")


# ---- the process ----


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    tiny.sd().save_pretrained(folder)
    return folder


class Service:
    """`python -m moviellm.inversion` on a free port."""

    def __init__(self, folder, model, **settings):
        self.port = free_port()
        self.environment = {
            "MOVIELLM_STORE_URL": f"file://{folder}/store",
            "MOVIELLM_INVERSION_LISTEN": f"127.0.0.1:{self.port}",
            "MOVIELLM_INVERSION_METRICS_LISTEN": "127.0.0.1:0",
            "MOVIELLM_INVERSION_MODEL": str(model),
            "MOVIELLM_INVERSION_CHECKPOINT_EVERY": "5",
            "MOVIELLM_INVERSION_DEVICE": "cpu",
            **settings,
        }

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "moviellm.inversion",
            env=os.environ | self.environment,
            stderr=asyncio.subprocess.PIPE,
        )
        self.peer = rpc.channel(f"127.0.0.1:{self.port}")
        return self

    async def __aexit__(self, *_):
        await self.peer.close()
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()

    async def ready(self):
        async with asyncio.timeout(120):
            while not await rpc.is_serving(self.peer):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.1)

    def learn(self, request):
        return pb_grpc.InversionServiceStub(self.peer).LearnStyle(request)


async def test_killed_and_told_to_stop_it_goes_on_and_ends_the_same(tmp_path, model):
    store = room.store_in(tmp_path)
    request = await request_in(store, steps=STEPS)
    async with Service(tmp_path, model) as service:
        await service.ready()
        await anext(rpc.stream("inversion", service.learn(request)))
        service.process.kill()
    assert await room.keys_in(store) == ["styles/abc/checkpoint/state.safetensors"]

    async with Service(tmp_path, model) as service:
        await service.ready()
        updates = rpc.stream("inversion", service.learn(request))
        resumed = (await anext(updates)).progress.step
        service.process.send_signal(signal.SIGTERM)
        with pytest.raises(errors.Interrupted, match="goes on from its checkpoint"):
            await all_of(updates)
        assert await service.process.wait() == 0
    assert resumed >= 10

    school = room.school_of(store, load_teacher(InversionSettings(model=str(model), device="cpu")))
    progress, result = await room.learnt(school, task_of(request, store))
    assert progress[0].step > resumed
    calm = await request_in(store, steps=STEPS, output_uri=store.uri("styles/calm"))
    _, undisturbed = await room.learnt(school, task_of(calm, store))
    assert result.learned_style.digest == undisturbed.learned_style.digest
    assert result.steps == STEPS


async def test_a_model_that_is_not_there_is_one_sentence_and_exit_code_2(tmp_path):
    """Found out before any library is loaded."""
    async with Service(tmp_path, "/nowhere") as service:
        _, told = await service.process.communicate()
        assert service.process.returncode == 2
    assert (
        told.decode().strip().splitlines()[-1].startswith("MOVIELLM_INVERSION_MODEL: there is no pipeline in /nowhere")
    )
    assert "Traceback" not in told.decode()

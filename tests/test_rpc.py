"""Errors, health, reflection and draining over a real connection."""

import asyncio
import itertools

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from moviellm import errors, rpc
from moviellm.v1 import question_service_pb2 as pb
from moviellm.v1 import question_service_pb2_grpc as pb_grpc

NAME = pb.DESCRIPTOR.services_by_name["QuestionService"].full_name


class Asker(pb_grpc.QuestionServiceServicer):
    """Raises what it is given, or answers after a while."""

    def __init__(self, error=None, delay=0.0):
        self.error = error
        self.delay = delay

    @rpc.method
    async def AskMovie(self, request, context):
        await asyncio.sleep(self.delay)
        if self.error:
            raise self.error
        return pb.AskMovieResponse()


def server_of(asker, **options):
    add = pb_grpc.add_QuestionServiceServicer_to_server
    return rpc.Server(
        [rpc.Registration(NAME, lambda server: add(asker, server))], listen="127.0.0.1:0", check_every=0.05, **options
    )


async def ask(server):
    async with rpc.channel(f"127.0.0.1:{server.port}") as peer:
        return await rpc.call("qa", pb_grpc.QuestionServiceStub(peer).AskMovie(pb.AskMovieRequest()))


@pytest.mark.parametrize(
    "error",
    [
        errors.InvalidInput("shape.frames", "must be at least 1, got 0"),
        errors.NotFound("there is no dataset x"),
        errors.AlreadyExists("x is taken"),
        errors.Unsatisfied("x is cancelled; retry it first"),
        errors.Denied("not yours", reason="LLM_UNAUTHORIZED"),
        errors.Unavailable("the LLM does not answer", reason="LLM_UNREACHABLE", retry_after=1.5),
        errors.Exhausted("the queue is full", retry_after=3.0),
        errors.Interrupted("shutting down"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_errors_arrive_as_they_were_raised(error):
    server = server_of(Asker(error))
    await server.start()
    with pytest.raises(type(error)) as caught:
        await ask(server)
    assert caught.value.message == error.message
    assert caught.value.reason == error.reason
    assert getattr(caught.value, "retry_after", None) == getattr(error, "retry_after", None)
    await server.stop()


async def test_a_bug_is_hidden_from_the_caller():
    server = server_of(Asker(ZeroDivisionError("secret details")))
    await server.start()
    with pytest.raises(errors.Broken) as caught:
        await ask(server)
    assert "secret" not in caught.value.message
    assert "internal error" in caught.value.message
    await server.stop()


async def test_a_peer_that_is_not_there_is_named():
    server = server_of(Asker())
    server.port = 1
    with pytest.raises(errors.Unavailable, match="the qa service does not answer"):
        await ask(server)


async def test_health_follows_the_check():
    broken = True

    async def check():
        if broken:
            raise errors.Unavailable("the model is loading")

    server = server_of(Asker(), check=check)
    await server.start()
    async with rpc.channel(f"127.0.0.1:{server.port}") as peer:
        stub = health_pb2_grpc.HealthStub(peer)
        assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.NOT_SERVING
        broken = False
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=NAME))
        async for answer in watch:
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                break
        assert await rpc.is_serving(peer)
        watch.cancel()
    await server.stop()


async def test_reflection_lists_the_service():
    server = server_of(Asker())
    await server.start()
    async with rpc.channel(f"127.0.0.1:{server.port}") as peer:
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        stub = reflection_pb2_grpc.ServerReflectionStub(peer)
        async for answer in stub.ServerReflectionInfo(iter([request])):
            assert NAME in {service.name for service in answer.list_services_response.service}
    await server.stop()


async def test_stopping_lets_calls_under_way_finish():
    server = server_of(Asker(delay=0.3), drain_seconds=5)
    await server.start()
    under_way = asyncio.create_task(ask(server))
    await asyncio.sleep(0.1)
    await server.stop()
    assert await under_way == pb.AskMovieResponse()


async def test_an_address_in_use_is_one_sentence():
    server = server_of(Asker())
    await server.start()
    second = server_of(Asker())
    second._listen = f"127.0.0.1:{server.port}"
    with pytest.raises(errors.Unsatisfied, match="is another process using it"):
        await second.start()
    await server.stop()


def test_bugs_have_no_details():
    status = rpc.status_of(KeyError("password"))
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    assert "password" not in str(status)


class WaitingAsker(pb_grpc.QuestionServiceServicer):
    """Answers when it is let."""

    def __init__(self):
        self.may_answer = asyncio.Event()

    @rpc.method
    async def AskMovie(self, request, context):
        await self.may_answer.wait()
        return pb.AskMovieResponse()


async def test_more_calls_than_a_server_answers_are_refused_with_when_to_ask_again():
    asker = WaitingAsker()
    server = server_of(asker, most_calls=3)
    await server.start()
    calls = [asyncio.create_task(ask(server)) for _ in range(10)]
    for refused in itertools.islice(asyncio.as_completed(calls), 7):
        with pytest.raises(errors.Exhausted) as caught:
            await refused
        assert (caught.value.reason, caught.value.retry_after) == ("TOO_MANY_CALLS", 1.0)
    async with rpc.channel(f"127.0.0.1:{server.port}") as peer:
        assert await rpc.is_serving(peer), "health is answered always"
    asker.may_answer.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(not isinstance(result, Exception) for result in results) == 3
    await ask(server)
    await server.stop()

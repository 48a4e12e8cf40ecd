"""What leaves a handler towards Ray Serve's proxy."""

import asyncio
import pickle

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from ray.serve.grpc_util import RayServegRPCContext

from moviellm import errors, rpc
from moviellm.rendering.ray_door import door, open_door

ASKED = health_pb2.HealthCheckRequest()
ANSWER = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)


class ProxyContext:
    """The proxy's end of a call, as far as Ray looks at it."""

    def __init__(self):
        self.told = {}

    def __getattr__(self, name):
        if name.startswith("set_"):
            return lambda value: self.told.update({name.removeprefix("set_"): value})
        return lambda: []


class Nobody:
    """Knows nobody."""

    async def identify(self, metadata):
        raise errors.Unauthenticated("the token is not known to this server")


class Deployment:
    def __init__(self, error=None, guard=None):
        self.error = error
        self.guard = guard

    @door
    async def Check(self, request):
        if self.error:
            raise self.error
        return ANSWER

    @door
    async def Watch(self, request):
        yield ANSWER
        if self.error:
            raise self.error

    @open_door
    async def Open(self, request):
        return ANSWER


async def stream(deployment):
    """The messages a caller sees and what its call is told, as Ray's proxy would do it."""
    context, call, seen = RayServegRPCContext(ProxyContext()), ProxyContext(), []
    try:
        async for message in deployment.Watch(ASKED, grpc_context=context):
            pickle.loads(pickle.dumps(context))._set_on_grpc_context(call)
            seen.append(message)
    except asyncio.CancelledError:
        pass
    return seen, call.told


async def test_who_is_not_known_gets_nothing_but_health():
    deployment = Deployment(guard=Nobody())
    seen, told = await stream(deployment)
    assert (seen, told["code"]) == ([], grpc.StatusCode.UNAUTHENTICATED)
    context = RayServegRPCContext(ProxyContext())
    assert await deployment.Check(ASKED, grpc_context=context) != ANSWER
    assert context.code() is grpc.StatusCode.UNAUTHENTICATED
    assert await deployment.Open(ASKED, grpc_context=RayServegRPCContext(ProxyContext())) == ANSWER


async def test_answers_pass():
    seen, told = await stream(Deployment())
    assert seen == [ANSWER]
    assert "code" not in told
    assert await Deployment().Check(ASKED, grpc_context=RayServegRPCContext(ProxyContext())) == ANSWER


async def test_an_error_ends_the_stream_with_its_details_and_no_message():
    seen, told = await stream(Deployment(errors.InvalidInput("pictures", "must not be empty")))
    assert seen == [ANSWER]
    assert told["code"] is grpc.StatusCode.INVALID_ARGUMENT
    assert told["details"] == "pictures: must not be empty"
    status = status_pb2.Status.FromString(dict(told["trailing_metadata"])[rpc.STATUS_DETAILS_KEY])
    violations = error_details_pb2.BadRequest()
    assert status.details[1].Unpack(violations)
    assert violations.field_violations[0].field == "pictures"


async def test_a_bug_is_hidden_and_logged(capsys):
    seen, told = await stream(Deployment(ZeroDivisionError("secret details")))
    assert seen == [ANSWER]
    assert told["code"] is grpc.StatusCode.INTERNAL
    assert "secret" not in str(told)
    assert "internal error" in told["details"]
    assert "secret details" in "".join(capsys.readouterr())


async def test_a_unary_error_is_told_too():
    context = RayServegRPCContext(ProxyContext())
    answer = await Deployment(errors.Exhausted("full", retry_after=2.0)).Check(ASKED, grpc_context=context)
    assert answer.SerializeToString() == b""
    assert (context.code(), context.details()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "full")


async def test_a_caller_that_leaves_is_no_error():
    with pytest.raises(asyncio.CancelledError):
        await Deployment(asyncio.CancelledError()).Check(ASKED, grpc_context=RayServegRPCContext(ProxyContext()))

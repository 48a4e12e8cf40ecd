"""The calling side: channels, and calls that raise our errors."""

from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from moviellm.rpc.ready_made import ReadyChannel
from moviellm.rpc.statuses import MAX_MESSAGE_BYTES, error_of
from moviellm.security.secured_channel import PLAIN, Peer, SecuredChannel

T = TypeVar("T")

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)


def channel(target: str, peer: Peer = PLAIN) -> grpc.aio.Channel:
    """A channel that spreads calls over all addresses of `target` and notices dead peers within 30 s.

    Raises Unsatisfied for certificates in `peer` that are no good.
    """
    if peer.is_plain:
        return ReadyChannel(grpc.aio.insecure_channel(target, options=_OPTIONS))
    return ReadyChannel(SecuredChannel(target, peer, _OPTIONS))


async def call(service: str, invocation: Awaitable[T]) -> T:
    """Await a unary call; raises our errors instead of gRPC's."""
    try:
        return await invocation
    except grpc.aio.AioRpcError as error:
        raise error_of(error, service) from error


async def stream(service: str, responses: AsyncIterator[T]) -> AsyncIterator[T]:
    """Iterate a streaming call; raises our errors instead of gRPC's."""
    try:
        async for response in responses:
            yield response
    except grpc.aio.AioRpcError as error:
        raise error_of(error, service) from error


async def is_serving(peer: grpc.aio.Channel, *, within: float = 2.0) -> bool:
    """Whether the peer's health service says SERVING."""
    try:
        answer = await health_pb2_grpc.HealthStub(peer).Check(health_pb2.HealthCheckRequest(), timeout=within)
    except grpc.aio.AioRpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

"""A replica that stands by hands calls on to the leader, byte for byte, so that a client may reach either.

Without this a rollout could not replace the leader (its successor would never be ready before), and a client whose one
connection ends at a replica that stands by would have to find the other by itself. While nobody leads, in the moments
between one leader and the next, a call waits instead of failing.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import grpc

from moviellm import rpc
from moviellm.security.secured_channel import PLAIN, Peer

FORWARDED = "moviellm-forwarded"
"""Metadata of a call that was handed on once; it is not handed on again."""

STANDING_BY, SHUTTING_DOWN = "STANDING_BY", "SHUTTING_DOWN"
"""Reasons of controllers that have done nothing about the call: another one will."""

_READING = ("Get", "List", "Watch", "Download")
_LOOK_EVERY = 0.1
_NOT_PASSED_ON = ("user-agent", "te", "content-type")


@dataclass(frozen=True)
class Leadership:
    """What a forwarder asks its replica: whether it leads itself; else where the leader is, "" where nobody knows.

    `own` is where the replica reaches itself, for calls that waited until it led; `patience` how long they wait, in
    seconds; 0 when it is being stopped.
    """

    leads: Callable[[], bool]
    leader: Callable[[], str]
    own: str
    patience: Callable[[], float]


class Forwarder(grpc.GenericRpcHandler):
    """Leaves the calls of one service to the servicer while this replica leads, and hands them on while it does not."""

    def __init__(self, service: str, leadership: Leadership, peer: Peer = PLAIN) -> None:
        self._prefix = f"/{service}/"
        self._leadership = leadership
        self._leader = leadership.leader
        self._peer = peer
        self._channels: dict[str, grpc.aio.Channel] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of one call, None to leave it to the next."""
        method = handler_call_details.method
        is_mine = method.startswith(self._prefix) and not dict(handler_call_details.invocation_metadata).get(FORWARDED)
        if not is_mine or self._leadership.leads():
            return None

        async def forward(
            requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]
        ) -> AsyncIterator[bytes]:
            async for request in requests:  # there is one: no method of the service takes a stream
                async for response in self._until_answered(method, request, context):
                    yield response

        return grpc.stream_stream_rpc_method_handler(forward)

    async def leader_serves(self) -> bool:
        """Whether there is a leader to hand calls to, and it can do its work."""
        address = self._leader()
        return bool(address) and await rpc.is_serving(self._channel(address))

    async def close(self) -> None:
        """Close all connections."""
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            await channel.close()

    async def _until_answered(
        self, method: str, request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]
    ) -> AsyncIterator[bytes]:
        """The leader's answers; while there is none, or it goes before it has begun, the next one's."""
        began = time.monotonic()
        while True:
            is_over = time.monotonic() - began >= self._leadership.patience()
            address = self._leader() or (self._leadership.own if self._leadership.leads() or is_over else "")
            has_begun = False
            try:
                if address:
                    async for response in self._forwarded(address, method, request, context):
                        has_begun = True
                        yield response
                    return
            except grpc.aio.AioRpcError as error:
                if has_begun or is_over or not _may_ask_again(method, error):
                    trailing: Any = tuple(error.trailing_metadata() or ())
                    await context.abort(error.code(), error.details() or "", trailing)
            await asyncio.sleep(_LOOK_EVERY)

    async def _forwarded(
        self, address: str, method: str, request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]
    ) -> AsyncIterator[bytes]:
        received: Any = context.invocation_metadata() or ()
        metadata = [(key, value) for key, value in received if key not in _NOT_PASSED_ON]
        call: Any = self._channel(address).unary_stream(method)
        responses = call(request, timeout=context.time_remaining(), metadata=[*metadata, (FORWARDED, "1")])
        try:
            async for response in responses:
                yield response
        finally:
            responses.cancel()

    def _channel(self, address: str) -> grpc.aio.Channel:
        if address not in self._channels:
            self._channels[address] = rpc.channel(address, self._peer)
        return self._channels[address]


def _may_ask_again(method: str, error: grpc.aio.AioRpcError) -> bool:
    """Whether nothing was done about the call, or what was done may be done again."""
    reason = rpc.error_of(error, "controller").reason
    if reason == rpc.CALL_LOST:
        return method.rpartition("/")[2].startswith(_READING)
    return reason in (STANDING_BY, SHUTTING_DOWN, "SERVICE_UNREACHABLE")


class _GenericOnly:
    """A server as seen by generated code, without its table of registered methods, which no handler could go before."""

    def __init__(self, server: grpc.aio.Server) -> None:
        self.add_generic_rpc_handlers = server.add_generic_rpc_handlers

    def add_registered_method_handlers(self, service: str, handlers: object) -> None:
        """They are among the generic handlers too."""


def behind(forwarder: Forwarder, registration: rpc.Registration) -> rpc.Registration:
    """The service, with the forwarder asked first."""

    def add(server: grpc.aio.Server) -> None:
        server.add_generic_rpc_handlers((forwarder,))
        generic: Any = _GenericOnly(server)
        registration.add(generic)

    return rpc.Registration(registration.name, add)


def advertised(listen: str, own_ip: str) -> str:
    """Where the other replicas reach the server that listens there."""
    host, _, port = listen.rpartition(":")
    return f"{own_ip if host in ('', '0.0.0.0', '[::]', '::') else host}:{port}"  # noqa: S104

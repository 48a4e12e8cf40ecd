"""A replica that stands by hands calls on to the leader, byte for byte, so that a client may reach either.

Without this a rollout could not replace the leader (its successor would never be ready before), and a client whose one
connection ends at a replica that stands by would have to find the other by itself.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from moviellm import rpc
from moviellm.security.secured_channel import PLAIN, Peer

FORWARDED = "moviellm-forwarded"
"""Metadata of a call that was handed on once; it is not handed on again."""

_NOT_PASSED_ON = ("user-agent", "te", "content-type")


class Forwarder(grpc.GenericRpcHandler):
    """Takes the calls of one service while `leader` names an address, leaves them to the servicer while it is ""."""

    def __init__(self, service: str, leader: Callable[[], str], peer: Peer = PLAIN) -> None:
        self._prefix = f"/{service}/"
        self._leader = leader
        self._peer = peer
        self._channels: dict[str, grpc.aio.Channel] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """The handler of one call, None to leave it to the next."""
        method = handler_call_details.method
        is_mine = method.startswith(self._prefix) and not dict(handler_call_details.invocation_metadata).get(FORWARDED)
        address = self._leader() if is_mine else ""
        if not address:
            return None

        async def forward(
            requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]
        ) -> AsyncIterator[bytes]:
            async for response in self._forwarded(address, method, requests, context):
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

    async def _forwarded(
        self,
        address: str,
        method: str,
        requests: AsyncIterator[bytes],
        context: grpc.aio.ServicerContext[bytes, bytes],
    ) -> AsyncIterator[bytes]:
        received: Any = context.invocation_metadata() or ()
        metadata = [(key, value) for key, value in received if key not in _NOT_PASSED_ON]
        call: Any = self._channel(address).stream_stream(method)
        responses = call(requests, timeout=context.time_remaining(), metadata=[*metadata, (FORWARDED, "1")])
        try:
            async for response in responses:
                yield response
        except grpc.aio.AioRpcError as error:
            trailing: Any = tuple(error.trailing_metadata() or ())
            await context.abort(error.code(), error.details() or "", trailing)
        finally:
            responses.cancel()

    def _channel(self, address: str) -> grpc.aio.Channel:
        if address not in self._channels:
            self._channels[address] = rpc.channel(address, self._peer)
        return self._channels[address]


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

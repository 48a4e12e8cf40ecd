"""A gRPC channel whose calls carry the trace they are made in."""

from typing import Any

import grpc

from moviellm import tracing


class TraceChannel(grpc.aio.Channel):
    """Hands everything on to `channel`; calls get the metadata `traceparent`.

    An interceptor would do the same and put a call object of its own, slower to stream through, around each call.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def __aenter__(self) -> "TraceChannel":
        await self._channel.__aenter__()
        return self

    async def __aexit__(self, *exception: Any) -> None:
        await self._channel.__aexit__(*exception)

    async def close(self, grace: float | None = None) -> None:
        """Close the channel."""
        await self._channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """The channel's state."""
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait for another state."""
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until the channel is connected."""
        await self._channel.channel_ready()

    def unary_unary(self, *given: Any, **named: Any) -> Any:
        """A method's caller."""
        return _carrying(self._channel.unary_unary(*given, **named))

    def unary_stream(self, *given: Any, **named: Any) -> Any:
        """A method's caller."""
        return _carrying(self._channel.unary_stream(*given, **named))

    def stream_unary(self, *given: Any, **named: Any) -> Any:
        """A method's caller."""
        return _carrying(self._channel.stream_unary(*given, **named))

    def stream_stream(self, *given: Any, **named: Any) -> Any:
        """A method's caller."""
        return _carrying(self._channel.stream_stream(*given, **named))


def _carrying(method: Any) -> Any:
    def call(*given: Any, metadata: Any = None, **named: Any) -> Any:
        carried = tuple(metadata or ())
        if not any(key == tracing.HEADER for key, _ in carried):
            carried += tracing.outgoing()
        return method(*given, metadata=carried, **named)

    return call

"""Messages may be sent as their bytes: what many callers are sent, or is wanted for a digest too, is written once."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc

from moviellm.trace_channel import TraceChannel


class ReadyChannel(TraceChannel):
    """Takes requests of unary calls as messages or bytes."""

    def unary_unary(self, *given: Any, **named: Any) -> Any:
        """A method's caller."""
        return super().unary_unary(*given, **_taking_bytes(named))


def _taking_bytes(named: Mapping[str, Any]) -> dict[str, Any]:
    write = named.get("request_serializer")
    return {**named, "request_serializer": _passing(write)} if write else dict(named)


class ReadyMade(grpc.aio.ServerInterceptor):
    """Lets bytes pass where a stream's messages are turned into bytes."""

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """The handler; one that answers with a stream takes bytes too."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler.response_streaming or handler.response_serializer is None:
            return handler
        return handler._replace(response_serializer=_passing(handler.response_serializer))


def _passing(write: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    return lambda message: message if isinstance(message, bytes) else write(message)

"""Streams may yield messages or their bytes: what many callers are sent is then turned into bytes once."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc


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

"""Bytes that are no message of the type a method takes: refused as any other bad request.

Left alone, gRPC answers UNKNOWN with the exception of the protobuf library in it, and logs a traceback for each.
"""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

import grpc
from google.protobuf.message import DecodeError

from moviellm import errors

Refuse = Callable[[Any, Exception, str], Awaitable[NoReturn]]
"""Ends a call (its context, the error, the method's name) with the error's status."""


class Unreadable:
    """Stands for a request that could not be read."""


class Reader(grpc.aio.ServerInterceptor):
    """Refuses what cannot be read, after whoever stands before it has let the caller in."""

    def __init__(self, refuse: Refuse) -> None:
        self._refuse = refuse

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """The handler, for methods that take one message."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_streaming or handler.request_deserializer is None:
            return handler
        name = handler_call_details.method
        reading = {"request_deserializer": _reading(handler.request_deserializer)}
        if handler.response_streaming and inspect.isasyncgenfunction(handler.unary_stream):
            return handler._replace(**reading, unary_stream=self._streaming(handler.unary_stream, name))
        kind = "unary_stream" if handler.response_streaming else "unary_unary"
        return handler._replace(**reading, **{kind: self._unary(getattr(handler, kind), name)})

    def _unary(self, answer: Callable[..., Awaitable[Any]], name: str) -> Callable[..., Awaitable[Any]]:
        async def unary(request: Any, context: Any) -> Any:
            if isinstance(request, Unreadable):
                await self._refuse(context, _error(name), name)
            return await answer(request, context)

        return unary

    def _streaming(self, answer: Callable[..., AsyncIterator[Any]], name: str) -> Callable[..., AsyncIterator[Any]]:
        async def streaming(request: Any, context: Any) -> AsyncIterator[Any]:
            if isinstance(request, Unreadable):
                await self._refuse(context, _error(name), name)
            responses = answer(request, context)
            try:
                async for response in responses:
                    yield response
            finally:
                close = getattr(responses, "aclose", None)
                if close:
                    await close()

        return streaming


def _reading(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def reading(data: bytes) -> Any:
        try:
            return read(data)
        except (DecodeError, RecursionError, ValueError):
            return Unreadable()

    return reading


def _error(name: str) -> errors.InvalidInput:
    method = name.rpartition("/")[2]
    return errors.InvalidInput("request", f"must be a protobuf message as {method} of the contract takes it")

"""A server answers so many calls at once; more are refused at once, with when to ask again, before they cost memory."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import grpc

from moviellm.errors import Exhausted
from moviellm.rpc.statuses import abort

RETRY_AFTER = 1.0
NOT_COUNTED = "/grpc."
"""Health and reflection are answered always."""


class Crowd(grpc.aio.ServerInterceptor):
    """Counts the calls inside, endless streams too, and refuses those beyond `most` with RESOURCE_EXHAUSTED."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.inside = 0

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """The handler, counted."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(NOT_COUNTED):
            return handler
        for kind in ("unary_unary", "stream_unary"):
            if getattr(handler, kind):
                return handler._replace(**{kind: self._one(getattr(handler, kind), method)})
        kind = "stream_stream" if handler.request_streaming else "unary_stream"
        return handler._replace(**{kind: self._many(getattr(handler, kind), method)})

    def _one(self, behaviour: Callable[..., Any], method: str) -> Callable[..., Any]:
        async def answer(request: Any, context: Any) -> Any:
            await self._refuse_when_full(context, method)
            with self._place():
                return await behaviour(request, context)

        return answer

    def _many(self, behaviour: Callable[..., Any], method: str) -> Callable[..., Any]:
        async def answer(request: Any, context: Any) -> AsyncIterator[Any]:
            await self._refuse_when_full(context, method)
            with self._place():
                async with contextlib.aclosing(behaviour(request, context)) as responses:
                    async for response in responses:
                        yield response

        return answer

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def _refuse_when_full(self, context: Any, method: str) -> None:
        if self.inside >= self._most:
            message = f"{self._most} calls are being answered, and no more are taken; ask again in a moment"
            error = Exhausted(message, reason="TOO_MANY_CALLS", retry_after=RETRY_AFTER)
            await abort(context, error, method)

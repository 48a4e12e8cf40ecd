"""The door between Ray Serve's gRPC proxy and a handler: our errors leave as statuses with details, bugs stay inside.

Ray's proxy takes a status code from an exception, but trailing metadata, where the error's details travel, only from a
message that the handler returns; and it tells the caller the traceback of anything else that is raised. So nothing is
ever raised through this door.
"""

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import structlog
from google.protobuf import empty_pb2
from google.protobuf.message import Message
from ray.serve.grpc_util import RayServegRPCContext

from moviellm import bounds, errors, rpc, tracing
from moviellm.security.identity import Guard

log = structlog.get_logger()

Admit = Callable[[Any, RayServegRPCContext], Awaitable[None]]
"""Raises Unauthenticated for a call (the deployment, its context) of somebody who is not known."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class LastWord(RayServegRPCContext):  # type: ignore[misc]
    """The context of a stream that ends in an error, on its way to the proxy.

    The proxy applies it to the call before it forwards the message that carried it. Ending the stream there keeps that
    message, which has no content, from the caller; without it the caller would see one empty message and the error.
    """

    def _set_on_grpc_context(self, grpc_context: Any) -> None:
        super()._set_on_grpc_context(grpc_context)
        raise asyncio.CancelledError


def door(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a deployment's handler (self, request), unary or streaming, for calls through the proxy.

    Where `self.guard` is set, only callers that it knows get in.
    """
    return _decorated(handler, _admit)


def open_door(handler: Callable[..., Any]) -> Callable[..., Any]:
    """The same for everybody, as health is."""
    return _decorated(handler, _admit_all)


def _decorated(handler: Callable[..., Any], admit: Admit) -> Callable[..., Any]:
    wrapper = _streaming(handler, admit) if inspect.isasyncgenfunction(handler) else _unary(handler, admit)
    wrapper.__name__, wrapper.__qualname__ = handler.__name__, handler.__qualname__
    wrapper.__doc__, wrapper.__module__ = handler.__doc__, handler.__module__
    return wrapper


async def _admit(deployment: Any, context: RayServegRPCContext) -> None:
    guard: Guard | None = deployment.guard
    if guard is not None:
        await guard.identify(dict(context.invocation_metadata()))


async def _admit_all(deployment: Any, context: RayServegRPCContext) -> None:
    return None


def _streaming(handler: Callable[..., Any], admit: Admit) -> Callable[..., Any]:
    async def streaming(self: object, request: Message, grpc_context: RayServegRPCContext) -> AsyncIterator[Message]:
        with _served(handler.__name__, grpc_context) as span:
            try:
                await admit(self, grpc_context)
                bounds.check(request)
                async with contextlib.aclosing(handler(self, request)) as responses:
                    async for response in responses:
                        yield response
            except Exception as error:
                span.failed(error)
                _tell(grpc_context, error, handler.__name__)
                grpc_context.__class__ = LastWord
                yield empty_pb2.Empty()

    return streaming


def _unary(handler: Callable[..., Any], admit: Admit) -> Callable[..., Any]:
    async def unary(self: object, request: Message, grpc_context: RayServegRPCContext) -> Message:
        with _served(handler.__name__, grpc_context) as span:
            try:
                await admit(self, grpc_context)
                bounds.check(request)
                response: Message = await handler(self, request)
                return response
            except Exception as error:
                span.failed(error)
                _tell(grpc_context, error, handler.__name__)
                return empty_pb2.Empty()

    return unary


def _served(name: str, context: RayServegRPCContext) -> contextlib.AbstractContextManager[tracing.Span]:
    return tracing.span(name, parent=tracing.incoming(context.invocation_metadata()), is_server=True)


def _tell(context: RayServegRPCContext, error: Exception, name: str) -> None:
    if not isinstance(error, errors.MovieLLMError) or isinstance(error, errors.Broken):
        log.error("call failed", method=name, exc_info=error)
    status = rpc.status_of(error)
    context.set_code(_CODES[status.code])
    context.set_details(status.message)
    context.set_trailing_metadata([(rpc.STATUS_DETAILS_KEY, status.SerializeToString())])

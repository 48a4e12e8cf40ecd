"""Stands before every call of a gRPC server: who is it, and may they? Before anything of the request is looked at."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import grpc
import structlog

from moviellm.errors import Denied, MovieLLMError
from moviellm.security.identity import ANYONE, Guard, Principal, Role, act_for

log = structlog.get_logger()

OPEN = "/grpc.health.v1.Health/"
"""Kubelets and load balancers ask for health, and have no token."""

OURS = "/moviellm."

Abort = Callable[[Any, Exception, str], Awaitable[Any]]
"""Ends a call (its context, the error, the method's name) with the error's status."""


class Doorkeeper(grpc.aio.ServerInterceptor):
    """Lets in whom `guard` knows; without one, everybody.

    `roles` says which role each of our methods needs, by its name "/service/method"; None asks for none. With it, a
    method that it does not name is let in for nobody.
    """

    def __init__(self, guard: Guard | None, roles: Mapping[str, Role] | None, abort: Abort) -> None:
        self._guard = guard
        self._roles = roles
        self._abort = abort

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """The handler of a call, or one that refuses it."""
        method = handler_call_details.method
        try:
            principal = await self._admitted(method, dict(handler_call_details.invocation_metadata or ()))
        except MovieLLMError as error:
            log.info("refused", method=method, reason=error.reason, why=error.message)
            return self._refusing(error, method)
        act_for(principal)
        return await continuation(handler_call_details)

    async def _admitted(self, method: str, metadata: Mapping[str, Any]) -> Principal:
        if self._guard is None or method.startswith(OPEN):
            return ANYONE
        principal = await self._guard.identify(metadata)
        if self._roles is not None and method.startswith(OURS):
            role = self._roles.get(method)
            if role is None:
                raise Denied("nobody may call this method", reason="METHOD_WITHOUT_RULE")
            principal.must_be(role, method.rpartition("/")[2])
        return principal

    def _refusing(self, error: MovieLLMError, method: str) -> Any:
        async def refuse(requests: object, context: Any) -> AsyncIterator[bytes]:
            await self._abort(context, error, method)
            yield b""

        return grpc.stream_stream_rpc_method_handler(refuse)

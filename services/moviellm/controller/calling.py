"""Calls of the stage services: being refused as a stranger is a trouble to be mended, not an answer about the work."""

from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from moviellm import rpc
from moviellm.dataset import Stage
from moviellm.errors import Unauthenticated, Unavailable

T = TypeVar("T")


async def called(stage: Stage, invocation: Awaitable[T]) -> T:
    """The answer of a unary call; raises our errors."""
    try:
        return await rpc.call(stage, invocation)
    except Unauthenticated as error:
        raise _refused(stage, error) from error


async def streamed(stage: Stage, responses: AsyncIterator[T]) -> AsyncIterator[T]:
    """The answers of a streaming call; raises our errors."""
    try:
        async for response in rpc.stream(stage, responses):
            yield response
    except Unauthenticated as error:
        raise _refused(stage, error) from error


def _refused(stage: Stage, error: Unauthenticated) -> Unavailable:
    """Tokens are changed on one side first; until the other has it too, work waits instead of failing."""
    return Unavailable(
        f"the {stage} service does not know this controller ({error.message}); both need the same service token",
        reason="SERVICE_REFUSES_CONTROLLER",
    )

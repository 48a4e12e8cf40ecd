"""Questions that a service answers about itself: is it well, and which contract does it speak?"""

from collections.abc import AsyncIterator
from typing import Any, cast

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from moviellm import rpc
from moviellm.controller.diagnosis.findings import Concern
from moviellm.errors import Denied, Unauthenticated, Unavailable, Unsatisfied

WITHIN = 5.0


async def health_of(
    channel: grpc.aio.Channel, service: str, address: str, metadata: tuple[tuple[str, str], ...] = ()
) -> None:
    """Raises Unavailable, with the reason where the service tells it, unless it says that it can do its work."""
    call = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=WITHIN, metadata=metadata)
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
            raise Unavailable(f"nobody answers at {address}", reason="SERVICE_UNREACHABLE") from error
        raise rpc.error_of(error, service) from error
    if answer.status == health_pb2.HealthCheckResponse.SERVING:
        return
    trailing: Any = await call.trailing_metadata() or ()
    why = dict(trailing).get(rpc.WHY, b"").decode(errors="replace") or "it does not say why; its log does"
    raise Unsatisfied(f"answers at {address} and cannot do its work: {why}", reason="NOT_SERVING")


async def contract_of(channel: grpc.aio.Channel, service: str) -> str:
    """How the contract of a running service compares with ours; raises a Concern where it differs."""
    try:
        theirs = await _files(channel, service)
    except (Denied, Unauthenticated, Unavailable):
        return "it does not tell its contract, so it is taken for ours"
    differing = sorted(
        name for name, data in theirs.items() if name.startswith("moviellm/") and not _is_ours(name, data)
    )
    if differing:
        raise Concern(
            f"it speaks another version of {', '.join(differing)}",
            "run all services from the same version; during an upgrade this passes by itself",
        )
    return "it speaks our version"


def _is_ours(name: str, theirs: bytes) -> bool:
    ours: bytes = descriptor_pool.Default().FindFileByName(name).serialized_pb
    read = descriptor_pb2.FileDescriptorProto.FromString
    return bool(read(theirs) == read(ours))


async def _files(channel: grpc.aio.Channel, service: str) -> dict[str, bytes]:
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=service)

    async def requests() -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
        yield request

    found: dict[str, bytes] = {}
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(cast(Any, channel))
    call: Any = stub.ServerReflectionInfo(requests(), timeout=WITHIN)
    try:
        async for response in call:
            for data in response.file_descriptor_response.file_descriptor_proto:
                found[descriptor_pb2.FileDescriptorProto.FromString(data).name] = data
    except grpc.aio.AioRpcError as error:
        raise Unavailable(f"{service} does not answer reflection") from error
    if not found:
        raise Unavailable(f"{service} does not know its own contract")
    return found

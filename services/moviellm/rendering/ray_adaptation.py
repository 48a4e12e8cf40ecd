"""What Serve's proxy and replicas have no options for, changed in their processes as they start.

Without it they listen on all interfaces whatever `listen` says and in the clear, replicas even for pickled calls; the
proxy ends calls that get no message for some minutes, and lets a replica go on with a call whose client left while a
message was on its way. All of it is about Ray's inner workings: Ray's version is pinned, and the tests go through a
real proxy.
"""

import os
from collections.abc import AsyncIterator, Callable
from typing import Any

from moviellm.rendering.ray_environment import HOST, TLS_FILES
from moviellm.security.certificates import server_credentials
from moviellm.security.pem import PairFiles

PING_INTERVAL = ("grpc.http2.min_ping_interval_without_data_ms", 10_000)
"""gRPC's own limit of 5 minutes would cut off our clients, which ask every 20 s whether the peer is alive."""


def adapt() -> None:
    """Ray calls this in every worker of a Ray of our own before it does anything else."""
    from ray._common import tls_utils

    tls_utils.add_port_to_grpc_server = _on_host(tls_utils.add_port_to_grpc_server)

    from ray.serve._private import constants, default_impl, proxy

    default_impl.add_grpc_address = _on_host(_secured(default_impl.add_grpc_address))
    constants.DEFAULT_GRPC_SERVER_OPTIONS.append(PING_INTERVAL)
    proxy.gRPCProxy.send_request_to_replica = _cancelling(proxy.gRPCProxy.send_request_to_replica)


def _on_host(add: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    host = os.environ.get(HOST, "[::]")

    def add_on_host(server: Any, address: str) -> Any:
        return add(server, address.replace("[::]", host, 1))

    return add_on_host


def _secured(add: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    files = PairFiles(*(os.environ.get(name, "") for name in TLS_FILES))
    if not files.certificate:
        return add

    def add_secured(server: Any, address: str) -> Any:
        return server.add_secure_port(address, server_credentials(files))

    return add_secured


def _cancelling(send: Callable[..., AsyncIterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
    async def send_or_cancel(proxy: Any, *, handle: Any, **arguments: Any) -> AsyncIterator[Any]:
        remembering = _Handle(handle)
        try:
            async for message in send(proxy, handle=remembering, **arguments):
                yield message
        except GeneratorExit:
            if remembering.response is not None:
                remembering.response.cancel()
            raise

    return send_or_cancel


class _Handle:
    """A deployment's handle that remembers the call it made."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.response: Any = None

    def remote(self, *arguments: Any) -> Any:
        self.response = self._handle.remote(*arguments)
        return self.response

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handle, name)

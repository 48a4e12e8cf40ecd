"""A gRPC channel that proves who it is: with certificates that may be renewed, and a token on every call."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from moviellm.errors import Unsatisfied
from moviellm.security.certificates import channel_credentials
from moviellm.security.fresh_files import FreshFiles
from moviellm.security.pem import NO_FILES, Pair, PairFiles

Options = tuple[tuple[str, Any], ...]

OLD_SECONDS = 3600.0
"""How long calls that began before a renewal may go on."""


@dataclass(frozen=True)
class Peer:
    """How to reach a server: in the clear, or by TLS with these files; `token` gives what to send with each call.

    `server_name` is what the server's certificate must be for where that is not the host of its address.
    """

    tls: bool = False
    files: PairFiles = NO_FILES
    server_name: str = ""
    token: Callable[[], str] | None = None

    @property
    def is_plain(self) -> bool:
        """Whether calls go as they are."""
        return not self.tls and self.token is None


PLAIN = Peer()


class SecuredChannel(grpc.aio.Channel):
    """A channel to `target` as `peer` says; another one is opened below when the certificate files change."""

    def __init__(self, target: str, peer: Peer, options: Options) -> None:
        self._target = target
        self._peer = peer
        self._options = options
        if peer.server_name:
            self._options += (("grpc.ssl_target_name_override", peer.server_name),)
        try:
            self._files = FreshFiles(peer.files.paths, peer.files.read)
        except (OSError, ValueError) as error:
            raise Unsatisfied(f"the certificates for {target} are no good: {error}") from error
        self._channel = self._opened()
        self._closing: set[asyncio.Task[None]] = set()

    def _opened(self) -> grpc.aio.Channel:
        if not self._peer.tls:
            return grpc.aio.insecure_channel(self._target, options=self._options)
        pair: Pair = self._files.value()
        return grpc.aio.secure_channel(self._target, channel_credentials(pair), options=self._options)

    def _current(self) -> grpc.aio.Channel:
        if self._files.renewed():
            closing = asyncio.ensure_future(self._channel.close(OLD_SECONDS))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            self._channel = self._opened()
        return self._channel

    async def __aenter__(self) -> "SecuredChannel":
        return self

    async def __aexit__(self, *exception: Any) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        """Close the channel and what was before it."""
        for closing in self._closing:
            closing.cancel()
        await self._channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """The channel's state."""
        return self._current().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait for another state."""
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until the channel is connected."""
        await self._current().channel_ready()

    def unary_unary(self, *given: Any, **named: Any) -> Any:
        """A method's caller."""
        return self._caller("unary_unary", given, named)

    def unary_stream(self, *given: Any, **named: Any) -> Any:
        """A method's caller."""
        return self._caller("unary_stream", given, named)

    def stream_unary(self, *given: Any, **named: Any) -> Any:
        """A method's caller."""
        return self._caller("stream_unary", given, named)

    def stream_stream(self, *given: Any, **named: Any) -> Any:
        """A method's caller."""
        return self._caller("stream_stream", given, named)

    def _caller(self, kind: str, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        def call(*arguments: Any, metadata: Any = None, **more: Any) -> Any:
            method = getattr(self._current(), kind)(*given, **named)
            return method(*arguments, metadata=(*(metadata or ()), *self._proof(metadata)), **more)

        return call

    def _proof(self, metadata: Any) -> tuple[tuple[str, str], ...]:
        """The token, unless the call carries one already, as one that is handed on does."""
        if self._peer.token is None or any(key == "authorization" for key, _ in metadata or ()):
            return ()
        return (("authorization", f"Bearer {self._peer.token()}"),)

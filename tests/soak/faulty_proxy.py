"""A proxy on loopback that breaks what passes through it, as it is told; it understands just enough HTTP."""

import asyncio
import contextlib
import random
import re
import socket
import struct
from collections import Counter
from dataclasses import dataclass

REQUEST = re.compile(rb"(GET|PUT|POST|HEAD|DELETE|PRI) (\S+) HTTP/")


@dataclass(frozen=True)
class Mischief:
    """What is done to a share of the requests.

    `kind` is "status" (an error is answered), "slow" (it waits for `seconds`), "reset" (the connection breaks before),
    "lost" (it is passed on, and the connection breaks before the answer) or "pass". `methods` are those it is done to.
    """

    kind: str = "pass"
    status: int = 503
    share: float = 0.5
    seconds: float = 1.0
    methods: tuple[bytes, ...] = (b"GET", b"PUT", b"POST", b"HEAD", b"DELETE")


PASS = Mischief()


class FaultyProxy:
    """Passes connections on to 127.0.0.1:`target`; `mischief` may change at any time.

    `injected` counts what was done by kind, `puts` the objects that were written through it, by path.
    """

    def __init__(self, target, *, seed=0):
        self.target = target
        self.mischief = PASS
        self.injected = Counter()
        self.puts = Counter()
        self.port = 0
        self._random = random.Random(seed)
        self._writers = set()

    async def start(self):
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self):
        self._server.close()
        self.cut()

    def cut(self):
        """Break every connection there is."""
        for writer in list(self._writers):
            _reset(writer)

    async def _connected(self, reader, writer):
        try:
            onward, answers = await self._onward()
        except OSError:
            _reset(writer)
            return
        ends = {writer, answers}
        self._writers |= ends
        back = asyncio.create_task(_copied(onward, writer))
        try:
            await self._requests(reader, writer, answers)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers -= ends
            back.cancel()
            for end in ends:
                with contextlib.suppress(OSError):
                    end.close()

    async def _onward(self):
        return await asyncio.open_connection("127.0.0.1", self.target)

    async def _requests(self, reader, writer, onward):
        while chunk := await reader.read(1 << 16):
            found = REQUEST.match(chunk)
            if found and not await self._let_pass(*found.groups(), chunk, writer, onward):
                return
            onward.write(chunk)
            await onward.drain()

    async def _let_pass(self, method, path, chunk, writer, onward):
        """Whether the request goes on as if nothing were."""
        mischief = self.mischief
        if mischief.kind == "pass" or method not in mischief.methods or self._random.random() > mischief.share:
            self._note(method, path)
            return True
        self.injected[mischief.kind if mischief.kind != "status" else str(mischief.status)] += 1
        if mischief.kind == "slow":
            self._note(method, path)
            await asyncio.sleep(mischief.seconds)
            return True
        if mischief.kind == "lost":
            self._note(method, path)
            onward.write(chunk)
            await onward.drain()
            await asyncio.sleep(0.2)
        if mischief.kind == "status":
            body = b"<Error><Code>Trouble</Code><Message>told to</Message></Error>"
            head = f"HTTP/1.1 {mischief.status} Trouble\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
            writer.close()
        else:
            _reset(writer)
        return False

    def _note(self, method, path):
        if method == b"PUT" and b"?" not in path:
            self.puts[path.decode()] += 1


async def _copied(reader, writer):
    with contextlib.suppress(OSError):
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


def _reset(writer):
    """Break the connection so that the other end sees a reset, not an end."""
    with contextlib.suppress(OSError, AttributeError):
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()

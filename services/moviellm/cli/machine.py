"""What this machine grants a local stack: ports, a data folder of its own, the signals to stop."""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from moviellm import errors
from moviellm.cli.settings import DEFAULT_BASE_PORT, METRICS_OFFSET, ROOMS


def port_is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def check_port(port: int, service: str) -> None:
    """Raise Unsatisfied, naming the port, when something listens on it already."""
    if not port_is_free(port):
        raise errors.Unsatisfied(
            f"port {port}, which {service} needs, is in use; stop what uses it or choose other ports with --base-port",
            reason="PORT_IN_USE",
        )


@contextmanager
def data_folder(data: Path) -> Iterator[None]:
    """Hold the data folder for one stack; raises Unsatisfied, naming the process, when another one holds it."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise errors.Unsatisfied(
                f"{data} is in use by the stack of process {holder}; stop it or choose another folder with --data",
                reason="DATA_IN_USE",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
        lock.truncate(0)


@asynccontextmanager
async def stop_signals(at_second: Callable[[], None]) -> AsyncIterator[asyncio.Event]:
    """An event set by Ctrl-C, SIGTERM or a closed terminal; a second signal calls `at_second`."""
    stop = asyncio.Event()

    def handle() -> None:
        if stop.is_set():
            at_second()
        stop.set()

    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, handle)
    try:
        yield stop
    finally:
        for number in numbers:
            with contextlib.suppress(ValueError):
                loop.remove_signal_handler(number)


def free_base_port() -> int:
    """The default base port, or the next one whose ports are all free; raises Unsatisfied when none is."""
    for base in range(DEFAULT_BASE_PORT, DEFAULT_BASE_PORT + 1000, 20):
        if all(port_is_free(base + offset + room) for offset in (0, METRICS_OFFSET) for room in range(len(ROOMS))):
            return base
    raise errors.Unsatisfied(f"no free ports from {DEFAULT_BASE_PORT} on; stop what uses them", reason="PORT_IN_USE")

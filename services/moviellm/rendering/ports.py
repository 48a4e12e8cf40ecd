"""Ports of this machine: a free one, and waiting until one is free."""

import socket
import time

from moviellm.errors import Unavailable


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def wait_until_free(host: str, port: int, *, within: float) -> None:
    """Return as soon as the port can be listened on; a killed predecessor may still be dying on it.

    Raises Unavailable when it is taken for longer than `within` seconds: what holds it may need longer to die.
    """
    give_up = time.monotonic() + within
    while not _is_free(host, port):
        if time.monotonic() > give_up:
            raise Unavailable(f"cannot listen on {host}:{port}: is another process using it?")
        time.sleep(0.1)


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
            probe.listen()
        except OSError:
            return False
    return True

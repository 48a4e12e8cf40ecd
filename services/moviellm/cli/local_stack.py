"""The whole stack as processes of this machine: started, watched, restarted, stopped without a trace."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from moviellm import errors, rpc
from moviellm.cli.machine import check_port
from moviellm.cli.processes import Child, Echo, ending
from moviellm.cli.settings import ServiceProcess

BAD_SETTINGS = 2


@dataclass(frozen=True)
class Patience:
    """How long the stack waits for what, in seconds."""

    restarts: int = 5
    restart_window: float = 60.0
    first_backoff: float = 0.5
    longest_backoff: float = 10.0
    poll: float = 0.25
    remains: float = 15.0
    turn: float = 1.0
    stop: float = 15.0

    def backoff(self, restarts: int) -> float:
        """Seconds before restart number `restarts`, from 1."""
        return min(self.longest_backoff, self.first_backoff * 2.0 ** (restarts - 1))


PATIENCE = Patience()


@dataclass
class Member:
    """A service of the stack and how it is doing; `ready_after` counts from the stack's start."""

    child: Child
    state: str = "waiting"
    ready_after: float | None = None
    restarts: deque[float] = field(default_factory=deque)


class StackFailed(errors.Unsatisfied):
    """A service cannot be kept running; `lines` are the last it wrote."""

    reason = "STACK_FAILED"

    def __init__(self, message: str, service: str, lines: Sequence[str], log: Path) -> None:
        super().__init__(message)
        self.service = service
        self.lines = tuple(lines)
        self.log = log


class LocalStack:
    """Starts services in the order given and stops them in the reverse; restarts one that dies, within limits.

    `say` hears what happens to the services, `echo` each line they write.
    """

    def __init__(
        self,
        services: Sequence[ServiceProcess],
        *,
        data: Path,
        environ: Mapping[str, str],
        say: Callable[[str], None],
        echo: Echo,
        patience: Patience = PATIENCE,
    ) -> None:
        self._logs = data / "logs"
        self._say = say
        self._patience = patience
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._started = 0.0
        self.members = [
            Member(
                Child(
                    service,
                    log=self._log(service.name),
                    echo=echo,
                    environ=environ,
                    remains_seconds=patience.remains,
                )
            )
            for service in services
        ]

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    @property
    def is_ready(self) -> bool:
        """Whether every service serves."""
        return all(member.state == "ready" for member in self.members)

    async def start(self) -> None:
        """Start every service; raises Unsatisfied, before any is started, when a port is taken."""
        for member in self.members:
            for port in member.child.service.ports:
                check_port(port, member.child.service.name)
        self._started = time.monotonic()
        for member in self.members:
            await member.child.start()
            self._tasks.append(asyncio.create_task(self._keep(member)))

    async def run(self, seconds: float | None = None) -> None:
        """Let the stack work for a while, or until it fails: raises StackFailed then."""
        done, _ = await asyncio.wait(self._tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """SIGTERM to every service in reverse order; after the drain time SIGKILL to whatever is left of them.

        Each has a moment to end before the next is asked, so that the caller of a service is mostly gone before it.
        """
        self._stopping = True
        leaving: set[asyncio.Task[int]] = set()
        try:
            for member in reversed(self.members):
                member.state = "stopping"
                if member.child.is_running:
                    member.child.terminate()
                    leaving.add(asyncio.create_task(member.child.wait()))
                    await asyncio.wait(leaving, timeout=self._patience.turn)
            if leaving:
                await asyncio.wait(leaving, timeout=self._patience.stop)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self.kill()
            await asyncio.gather(*leaving, return_exceptions=True)
        for member in self.members:
            member.state = "stopped"

    def kill(self) -> None:
        """SIGKILL to everything at once."""
        self._stopping = True
        for member in self.members:
            member.child.kill_all()

    async def _keep(self, member: Member) -> None:
        """Keep one service running; returns when the stack stops, raises StackFailed when it cannot be kept."""
        while True:
            member.state = "starting"
            readiness = asyncio.create_task(self._watch_readiness(member))
            try:
                code = await member.child.wait()
            finally:
                readiness.cancel()
            if self._stopping:
                return
            member.state = "restarting"
            delay = self._delay_after(member, code)
            name = member.child.service.name
            self._say(f"{name} ended with {ending(code)}; it is started again in {delay:.1f} s")
            await asyncio.sleep(delay)
            if self._stopping:
                return
            await member.child.start()

    def _delay_after(self, member: Member, code: int) -> float:
        name, now = member.child.service.name, time.monotonic()
        if code == BAD_SETTINGS:
            raise self._failure(member, f"{name} refuses to start with its settings (exit code 2)")
        while member.restarts and now - member.restarts[0] > self._patience.restart_window:
            member.restarts.popleft()
        if len(member.restarts) >= self._patience.restarts:
            window = f"{self._patience.restart_window:.0f} s"
            raise self._failure(
                member, f"{name} ended {len(member.restarts) + 1} times within {window}, last with {ending(code)}"
            )
        member.restarts.append(now)
        return self._patience.backoff(len(member.restarts))

    def _failure(self, member: Member, message: str) -> StackFailed:
        name = member.child.service.name
        member.state = "failed"
        return StackFailed(message, name, member.child.tail, self._log(name))

    async def _watch_readiness(self, member: Member) -> None:
        address = member.child.service.address
        while not await _serves(address):
            if member.state == "starting" and await _listens(address):
                member.state = "loading"
            await asyncio.sleep(self._patience.poll)
        again = member.ready_after is not None
        member.state = "ready"
        member.ready_after = member.ready_after or self.seconds
        if again:
            self._say(f"{member.child.service.name} is ready again")


async def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True


async def _serves(address: str) -> bool:
    """A fresh connection each time, since a channel waits ever longer before it tries again."""
    if not await _listens(address):
        return False
    async with rpc.channel(address) as channel:
        return await rpc.is_serving(channel)

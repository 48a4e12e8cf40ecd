"""One process of the local stack: its start, its log, its end with everything it started."""

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from moviellm.cli import leash
from moviellm.cli.settings import ServiceProcess

MARK = "MOVIELLM_STACK_PROCESS"
TAIL_LINES = 15
_CHUNK = 64 * 1024
_POLL = 0.1

Echo = Callable[[ServiceProcess, str], None]
"""Called with each line a service writes."""


class Child:
    """A service as a process of its own session; its output goes to a log file and, line by line, to `echo`.

    Every process it starts inherits a mark in its environment, by which all of them are found again, whatever
    session or parent they moved to.
    """

    def __init__(
        self, service: ServiceProcess, *, log: Path, echo: Echo, environ: Mapping[str, str], remains_seconds: float
    ) -> None:
        self.service = service
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._mark = f"{os.getpid()}/{service.name}/"
        self._log = log
        self._echo = echo
        self._remains_seconds = remains_seconds
        self._environment = {**environ, **service.environment, MARK: self._mark}
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None before the first start."""
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        """Whether the process itself lives."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the process, once again after its end."""
        self.tail.clear()
        ours, theirs = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *_leashed(sys.executable, "-m", self.service.module),
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
                start_new_session=True,
            )
        finally:
            os.close(theirs)
        self._reader = asyncio.create_task(self._read(self._process.pid, ours))

    async def wait(self) -> int:
        """Wait for the end of the process and of what it started, and return its exit code.

        What it left behind has `remains_seconds` to clean up after itself, and is killed then.
        """
        if self._process is None:
            raise RuntimeError("wait before start")
        code = await self._process.wait()
        for _ in range(round(self._remains_seconds / _POLL)):
            if not any(marked(self._mark)):
                break
            await asyncio.sleep(_POLL)
        self.kill_all()
        await self._finish_reading()
        return code

    def terminate(self) -> None:
        """Ask the process to stop; what it started is its own affair at first."""
        if self._process and self.is_running:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()

    def kill_all(self) -> None:
        """End the process and everything it started at once."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        for pid in marked(self._mark):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    async def _read(self, pid: int, pipe: int) -> None:
        """A pipe of our own: asyncio's would delay `wait` until the last process that holds it has ended."""
        output = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(output), os.fdopen(pipe, "rb", buffering=0)
        )
        self._log.parent.mkdir(parents=True, exist_ok=True)
        rest = b""
        with contextlib.closing(transport), self._log.open("ab") as file:
            file.write(f"---- {datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z}, process {pid}\n".encode())
            while chunk := await output.read(_CHUNK):
                file.write(chunk)
                file.flush()
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._hear(line)
        if rest:
            self._hear(rest)

    def _hear(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        self.tail.append(text)
        self._echo(self.service, text)

    async def _finish_reading(self) -> None:
        if self._reader:
            await asyncio.wait({self._reader}, timeout=2)
            self._reader.cancel()


def _leashed(*command: str) -> tuple[str, ...]:
    if sys.platform != "linux":
        return command
    return (sys.executable, "-S", "-E", leash.__file__, str(os.getpid()), *command)


def marked(mark: str) -> Iterator[int]:
    """Ids of the processes whose mark begins so: "PID/SERVICE/", or "PID/" for a whole stack; none without /proc."""
    wanted = f"{MARK}={mark}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if any(variable.startswith(wanted) for variable in environment.split(b"\0")):
            yield int(entry.name)


def resident_bytes(pids: Iterable[int]) -> int:
    """Memory of the processes together, pages they share counted once (PSS); 0 where the kernel does not tell."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def ending(code: int) -> str:
    """`exit code 1` or `signal SIGKILL`."""
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"

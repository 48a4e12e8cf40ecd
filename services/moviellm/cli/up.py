"""`moviellm up`: the local stack in a terminal."""

import asyncio
import os
from pathlib import Path
from types import TracebackType
from typing import Annotated

import typer
from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from moviellm.cli.connection import run
from moviellm.cli.local_stack import PATIENCE, LocalStack, Patience, StackFailed
from moviellm.cli.machine import data_folder, stop_signals
from moviellm.cli.settings import (
    DEFAULT_BASE_PORT,
    DEFAULT_DATA,
    DEFAULT_SERVER,
    METRICS_OFFSET,
    ROOMS,
    ServiceProcess,
    local_services,
)

_STATE_STYLES = {"ready": "green", "failed": "red", "restarting": "yellow", "stopping": "dim", "stopped": "dim"}


class Board:
    """How the services are doing: a live table on a terminal, a line for each that is ready elsewhere."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._stack: LocalStack | None = None
        self._told: set[str] = set()
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=4, transient=True)

    def __enter__(self) -> "Board":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        """What happens to a service."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def echo(self, service: ServiceProcess, line: str) -> None:
        """A line of a service's log, prefixed by its name in its colour."""
        prefix = Text(f"{service.name:>10} │ ", style=service.colour)
        self.console.print(prefix + Text.from_ansi(line), soft_wrap=True, highlight=False)

    async def until_ready(self, stack: LocalStack) -> float:
        """Show the services until all are ready; the seconds that took."""
        self._stack = stack
        if self.console.is_terminal:
            self._live.start()
        while not stack.is_ready:
            await stack.run(0.25)
            self._tell_new(stack)
        self._live.stop()
        return max(member.ready_after or 0.0 for member in stack.members)

    def _tell_new(self, stack: LocalStack) -> None:
        for member in stack.members:
            name = member.child.service.name
            if member.ready_after is not None and name not in self._told:
                self._told.add(name)
                self.say(f"{name} is ready at {member.child.service.address} after {member.ready_after:.1f} s")

    def _table(self) -> RenderableType:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("SERVICE", "ADDRESS", "STATE"):
            table.add_column(heading)
        for member in self._stack.members if self._stack else ():
            service = member.child.service
            ready = f" after {member.ready_after:.1f} s" if member.ready_after is not None else ""
            state = Text(member.state + ready, style=_STATE_STYLES.get(member.state, "cyan"))
            table.add_row(Text(service.name, style=service.colour), service.address, state)
        return table


def _base_port(port: int) -> int:
    highest = 65535 - METRICS_OFFSET - len(ROOMS)
    if not 1 <= port <= highest:
        raise typer.BadParameter(f"must be 1 to {highest}, got {port}")
    return port


def _rooms(names: list[str] | None) -> list[str]:
    chosen = [name.strip() for group in names or [] for name in group.split(",")]
    for name in chosen:
        if name not in ROOMS:
            raise typer.BadParameter(f"{name!r} is no service; choose from {', '.join(ROOMS)}")
    return chosen


def up(
    base_port: Annotated[
        int, typer.Option(callback=_base_port, help="The controller's port; the others follow it.")
    ] = DEFAULT_BASE_PORT,
    data: Annotated[Path, typer.Option(file_okay=False, help="The folder for the store and the logs.")] = DEFAULT_DATA,
    only: Annotated[
        list[str] | None, typer.Option(callback=_rooms, help=f"Start only these: {', '.join(ROOMS)}. Repeat it.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Write logs to files only.")] = False,
) -> None:
    """Run the whole stack on this machine until Ctrl-C.

    Logs are shown here and written to DATA/logs/SERVICE.log. The services read their settings from the environment,
    such as MOVIELLM_STORE_URL for another store.

    [bold]Examples[/]

      moviellm up

      moviellm up --base-port 9600 --data /tmp/second

      moviellm up --only controller --only scripting
    """
    services = local_services(base_port, data, only or (), os.environ)
    run(run_stack(services, data=data, quiet=quiet))


async def run_stack(
    services: tuple[ServiceProcess, ...], *, data: Path, quiet: bool = False, patience: Patience = PATIENCE
) -> None:
    """Run services until a signal; raises StackFailed, after everything is stopped, when one cannot be kept running."""
    board = Board(Console())
    with data_folder(data), board:
        stack = LocalStack(
            services,
            data=data,
            environ=os.environ,
            say=board.say,
            patience=patience,
            echo=(lambda service, line: None) if quiet else board.echo,
        )
        async with stop_signals(stack.kill) as stop:
            work = asyncio.create_task(_work(stack, board, services))
            waiting = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
                board.say("stopping …")
            finally:
                work.cancel()
                waiting.cancel()
                await asyncio.gather(work, waiting, return_exceptions=True)
                await stack.stop()
        if not work.cancelled() and (error := work.exception()):
            if isinstance(error, StackFailed) and not quiet:
                error.lines = ()
            raise error
        board.say("stopped")


async def _work(stack: LocalStack, board: Board, services: tuple[ServiceProcess, ...]) -> None:
    await stack.start()
    took = await board.until_ready(stack)
    door = services[-1]
    board.say(f"all services are ready after {took:.1f} s")
    if door.name == "controller":
        server = "" if door.address == DEFAULT_SERVER else f" --server {door.address}"
        board.say(f'moviellm listens at {door.address}. Next: moviellm{server} create --theme "…" --watch')
    board.say("Ctrl-C stops everything")
    await stack.run()


def tell_last_lines(error: StackFailed, console: Console) -> None:
    """The last lines of the service that failed, and where the rest is."""
    for line in error.lines:
        console.print(
            Text(f"{error.service:>10} │ ", style="red") + Text.from_ansi(line), soft_wrap=True, highlight=False
        )
    console.print(f"The whole log: {error.log}", markup=False, highlight=False, soft_wrap=True)

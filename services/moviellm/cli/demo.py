"""`moviellm demo`: from nothing to a dataset one can look at, with the time each part took."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from moviellm import errors, rpc
from moviellm.cli import views
from moviellm.cli.connection import UNREACHABLE, Client, checked_name, connect, peer_to, run, server_of, short
from moviellm.cli.download import fetch_with_bar
from moviellm.cli.local_stack import LocalStack
from moviellm.cli.machine import data_folder, free_base_port, stop_signals
from moviellm.cli.processes import marked, resident_bytes
from moviellm.cli.progress import screen_for, tell_the_end, watch_dataset
from moviellm.cli.settings import DEFAULT_DATA, DEFAULT_OUT, DEFAULT_SERVER, ServiceProcess, local_services
from moviellm.cli.up import Board
from moviellm.cli.watching import Update
from moviellm.v1 import movie_dataset_service_pb2 as pb

MEMORY_SECONDS = 2.0
PAGES = ("index.html", "contact-sheet.jpg")


@dataclass
class Figures:
    """What a run took: seconds, None where there was nothing to measure, and bytes."""

    ready: float | None = None
    requested: float = 0.0
    first_frame: float | None = None
    complete: float | None = None
    peak_bytes: int = 0

    def record(self) -> dict[str, float | None]:
        """What was measured, by name; the moment of the request means nothing outside this process."""
        return {name: value for name, value in asdict(self).items() if name != "requested"}

    def since_request(self) -> float:
        """Seconds since the dataset was asked for."""
        return time.monotonic() - self.requested


def demo(
    context: typer.Context,
    theme: Annotated[str, typer.Option(help="One phrase.")] = "a lighthouse keeper who finds a message",
    id: Annotated[str, typer.Option(callback=checked_name, help="The dataset's name.")] = "demo",
    movies: Annotated[int, typer.Option(min=1, max=100)] = 2,
    chapters: Annotated[int, typer.Option(min=1, max=11)] = 2,
    scenes: Annotated[int, typer.Option(min=1, max=11)] = 2,
    frames: Annotated[int, typer.Option(min=1, max=11)] = 6,
    seed: Annotated[int, typer.Option(min=0, max=2**31)] = 1,
    style: Annotated[str, typer.Option(help="A style the server knows. (default: one that suits the theme)")] = "",
    data: Annotated[Path, typer.Option(file_okay=False, help="The folder for the store and the logs.")] = DEFAULT_DATA,
    out: Annotated[Path, typer.Option(file_okay=False, help="The folder for the download.")] = DEFAULT_OUT,
    figures: Annotated[Path | None, typer.Option(dir_okay=False, help="Write what was measured here, as JSON.")] = None,
) -> None:
    """Make a small dataset on this machine and say where to look.

    Starts the whole stack quietly unless a server answers already, asks for a dataset, watches it, fetches it into
    OUT/ID, prints how long each part took and stops what it started. Run again, it goes on where it was.
    """
    spec = pb.MovieDatasetSpec(theme=theme, movies=movies, chapters=chapters, scenes=scenes, frames=frames, seed=seed)
    if style:
        spec.style.preset = style
    try:
        measured = run(show(server_of(context), spec, short(id), data=data, out=out))
        if figures:
            figures.write_text(json.dumps(measured.record(), indent=1) + "\n")
    except KeyboardInterrupt:
        _say(Console(), f"stopped watching; {short(id)} goes on at the server")
        raise typer.Exit(130) from None


async def show(server: str, spec: pb.MovieDatasetSpec, id: str, *, data: Path, out: Path) -> Figures:
    """The demonstration with the server that answers at `server`, or else with a stack of its own."""
    async with rpc.channel(server, peer_to(server)) as channel:
        answers = await rpc.is_serving(channel)
    if answers:
        console = Console()
        _say(console, f"using the server at {server}")
        figures = Figures()
        await _make_and_fetch(server, spec, id, out, console, figures)
        return figures
    if server != DEFAULT_SERVER:
        raise errors.Unavailable(f"no moviellm server answers at {server}", reason=UNREACHABLE)
    services = local_services(free_base_port(), data, (), os.environ)
    return await show_with_stack(services, spec, id, data=data, out=out)


async def show_with_stack(
    services: tuple[ServiceProcess, ...], spec: pb.MovieDatasetSpec, id: str, *, data: Path, out: Path
) -> Figures:
    """The demonstration with a stack that is started for it; the last of the services is the server."""
    console, figures = Console(), Figures()
    with data_folder(data):
        async with _stack(services, data, console, figures) as stack:
            await _beside(stack, _make_and_fetch(services[-1].address, spec, id, out, console, figures))
    return figures


@asynccontextmanager
async def _stack(
    services: tuple[ServiceProcess, ...], data: Path, console: Console, figures: Figures
) -> AsyncIterator[LocalStack]:
    """The stack, ready, for as long as the block runs; signals end the block, and then the stack."""
    _say(console, f"starting the services, logs in {data / 'logs'} …")
    board = Board(console)
    stack = LocalStack(services, data=data, environ=os.environ, say=board.say, echo=lambda service, line: None)
    whole = asyncio.current_task()
    async with stop_signals(stack.kill) as stop:
        interrupted = asyncio.create_task(_cancel_when(stop, whole))
        memory = asyncio.create_task(_measure_memory(figures))
        try:
            with board:
                await stack.start()
                figures.ready = await board.until_ready(stack)
            yield stack
        except asyncio.CancelledError:
            if not stop.is_set():
                raise
            _say(console, "stopping; what is made is kept, and the same command goes on with it")
            raise typer.Exit(130) from None
        finally:
            interrupted.cancel()
            memory.cancel()
            await asyncio.shield(stack.stop())


async def _cancel_when(stop: asyncio.Event, task: "asyncio.Task[Any] | None") -> None:
    await stop.wait()
    if task:
        task.cancel()


async def _beside(stack: LocalStack, work: Coroutine[Any, Any, None]) -> None:
    """Do the work while the stack runs; raises StackFailed as soon as the stack does."""
    tasks = {asyncio.create_task(work), asyncio.create_task(stack.run())}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _measure_memory(figures: Figures) -> None:
    while True:
        used = await asyncio.to_thread(lambda: resident_bytes([os.getpid(), *marked(f"{os.getpid()}/")]))
        figures.peak_bytes = max(figures.peak_bytes, used)
        await asyncio.sleep(MEMORY_SECONDS)


async def _make_and_fetch(
    server: str, spec: pb.MovieDatasetSpec, id: str, out: Path, console: Console, figures: Figures
) -> None:
    figures.requested = time.monotonic()
    async with connect(server) as client:
        dataset, is_new = await find_or_create(client, spec, id)
    name = dataset.name
    _say(console, f"{short(name)} {'is accepted' if is_new else 'was there already; going on with it'}")

    def note(update: Update) -> None:
        if is_new and figures.first_frame is None and views.frames_of(update.dataset).done:
            figures.first_frame = figures.since_request()

    dataset = await watch_dataset(server, name, screen_for(console), on_update=note)
    figures.complete = figures.since_request() if is_new else None
    if dataset.state != pb.MovieDataset.STATE_SUCCEEDED:
        tell_the_end(dataset, console)
        raise typer.Exit(1)
    downloaded = await fetch_with_bar(server, name, out, console)
    for line in report(dataset, figures):
        _say(console, line)
    for page in PAGES:
        if (downloaded.folder / page).exists():
            _say(console, f"look at {downloaded.folder / page}")


async def find_or_create(client: Client, spec: pb.MovieDatasetSpec, id: str) -> tuple[pb.MovieDataset, bool]:
    """The dataset of this name if it was asked for in the same way, else a new one: ID, ID-2, ID-3 …

    Returns it with whether it is new; one that failed or was cancelled is set going again.
    """
    number, candidate = 1, id
    while True:
        try:
            found = await client.get(checked_name(candidate))
        except errors.NotFound:
            request = pb.CreateMovieDatasetRequest(spec=spec, movie_dataset_id=candidate)
            with contextlib.suppress(errors.AlreadyExists):
                return await client.create(request), True
            continue
        if asks_the_same(spec, found.spec) and found.state != pb.MovieDataset.STATE_DELETING:
            again = found.state in (pb.MovieDataset.STATE_FAILED, pb.MovieDataset.STATE_CANCELLED)
            return (await client.retry(found.name) if again else found), False
        number += 1
        candidate = f"{id[:59]}-{number}"


def asks_the_same(asked: pb.MovieDatasetSpec, found: pb.MovieDatasetSpec) -> bool:
    """Whether a dataset answers a request: everything the request says is so, the rest may be filled in."""
    return all(
        asks_the_same(value, getattr(found, descriptor.name))
        if descriptor.message_type
        else value == getattr(found, descriptor.name)
        for descriptor, value in asked.ListFields()
    )


def report(dataset: pb.MovieDataset, figures: Figures) -> list[str]:
    """What was measured, a line each; what was not measured is left out or said so."""
    lines = []
    if figures.ready is not None:
        lines.append(f"services ready in {figures.ready:.1f} s")
    if figures.first_frame is not None:
        lines.append(f"first frame on disk after {figures.first_frame:.1f} s")
    frames = views.frames_of(dataset).done
    made = f"{dataset.spec.movies} movies, {frames} frames"
    if figures.complete is not None:
        lines.append(f"dataset complete after {figures.complete:.1f} s: {made}")
    else:
        lines.append(f"dataset complete: {made} (begun in an earlier run, so its time was not measured)")
    if figures.peak_bytes:
        lines.append(f"peak resident memory {views.size(figures.peak_bytes)}, all processes together")
    return lines


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)

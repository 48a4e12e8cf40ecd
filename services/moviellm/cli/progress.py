"""Watching a dataset grow: live bars on a terminal, lines elsewhere."""

import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Protocol

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from moviellm.cli import views
from moviellm.cli.connection import Name, run, server_of, short
from moviellm.cli.watching import Clock, Pace, Update, follow
from moviellm.v1 import movie_dataset_service_pb2 as pb

LINE_SECONDS = 3.0


class Screen(Protocol):
    """Where updates are shown, between `__enter__` and `__exit__`."""

    def __enter__(self) -> "Screen": ...

    def __exit__(self, *exception: object) -> None: ...

    def show(self, update: Update) -> None:
        """Show the latest news."""


class Bars:
    """A bar for each stage, redrawn in place."""

    def __init__(self, console: Console, *, clock: Clock = time.monotonic) -> None:
        self._pace = Pace(clock=clock)
        self._update: Update | None = None
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=4)

    def __enter__(self) -> "Bars":
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def show(self, update: Update) -> None:
        """Take the news in; the next redraw shows it."""
        if not update.lost:
            self._pace.note(update.dataset)
        self._update = update

    def _render(self) -> RenderableType:
        if self._update is None:
            return Text("asking …")
        dataset = self._update.dataset
        parts: list[RenderableType] = [_heading(dataset), _bars(dataset)]
        if dataset.state not in views.FINAL and (speed := _speed(dataset, self._pace)):
            parts.append(Text(speed, style="dim"))
        parts += [Text(f"movie {number}: {views.plain(title)}") for number, title in sorted(dataset.titles.items())]
        if dataset.trouble.message and dataset.state not in views.FINAL:
            parts.append(Text(f"waits for {views.trouble_text(dataset.trouble)}", style="yellow"))
        if self._update.lost:
            parts.append(Text(f"{self._update.lost}; watching goes on when it is back", style="yellow"))
        return Group(*parts)


class Lines:
    """A line when something changes, at most every few seconds; at once for titles, troubles and states."""

    def __init__(self, console: Console, *, every: float = LINE_SECONDS, clock: Clock = time.monotonic) -> None:
        self._console = console
        self._every = every
        self._clock = clock
        self._pace = Pace(clock=clock)
        self._started = clock()
        self._last_line = float("-inf")
        self._said: set[str] = set()
        self._summary = ""
        self._state = 0
        self._trouble = ""
        self._lost = ""

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def show(self, update: Update) -> None:
        """Write what is new."""
        if update.lost:
            if not self._lost:
                self._write(f"{update.lost}; watching goes on when it is back")
            self._lost = update.lost
            return
        if self._lost:
            self._write("the server is back")
            self._lost = ""
        self._pace.note(update.dataset)
        self._titles(update.dataset)
        self._troubles(update.dataset)
        self._progress(update.dataset)

    def _titles(self, dataset: pb.MovieDataset) -> None:
        for number, title in sorted(dataset.titles.items()):
            line = f"movie {number}: {views.plain(title)}"
            if line not in self._said:
                self._said.add(line)
                self._write(line)

    def _troubles(self, dataset: pb.MovieDataset) -> None:
        trouble = views.trouble_text(dataset.trouble) if dataset.trouble.message else ""
        if trouble and trouble != self._trouble and dataset.state not in views.FINAL:
            self._write(f"waits for {trouble}")
        self._trouble = trouble

    def _progress(self, dataset: pb.MovieDataset) -> None:
        summary = " · ".join(_counted(stage) for stage in dataset.stages)
        due = self._clock() - self._last_line >= self._every
        if dataset.state == self._state and (summary == self._summary or not due):
            return
        speed = "" if dataset.state in views.FINAL else _speed(dataset, self._pace)
        self._write(" · ".join(part for part in (views.state_of(dataset), summary, speed) if part))
        self._last_line, self._summary, self._state = self._clock(), summary, dataset.state

    def _write(self, text: str) -> None:
        elapsed = views.duration(self._clock() - self._started)
        self._console.print(f"{elapsed:>5}  {text}", markup=False, highlight=False, soft_wrap=True)


def _heading(dataset: pb.MovieDataset) -> Text:
    heading = Text.assemble((short(dataset.name), "bold"), "  ", views.state_text(dataset), "  ")
    if dataset.create_time.seconds:
        end = dataset.end_time.seconds if dataset.state in views.FINAL else time.time()
        heading.append(views.duration(end - dataset.create_time.seconds))
    heading.append(f"  {views.plain(dataset.spec.theme)}", style="italic dim")
    heading.truncate(100, overflow="ellipsis")
    return heading


def _bars(dataset: pb.MovieDataset) -> Table:
    grid = Table.grid(padding=(0, 2))
    for stage in dataset.stages:
        made = stage.done + stage.partial * stage.in_progress
        done = stage.total > 0 and stage.done >= stage.total
        bar = ProgressBar(total=max(stage.total, 1), completed=made, width=30, complete_style="cyan")
        under_way = f"{stage.in_progress} under way{_partly(stage)}" if stage.in_progress else ""
        counted = Text(f"{stage.done}/{stage.total} {stage.unit}", style="green" if done else "")
        grid.add_row(f"  {views.stage_of(stage)}", bar, counted, Text(under_way, style="dim"))
    return grid


def _counted(stage: pb.StageProgress) -> str:
    under_way = f" (+{stage.in_progress}{_partly(stage)})" if stage.in_progress else ""
    return f"{stage.done}/{stage.total} {stage.unit}{under_way}"


def _partly(stage: pb.StageProgress) -> str:
    return f", {100 * stage.partial:.0f} %" if stage.partial else ""


def _speed(dataset: pb.MovieDataset, pace: Pace) -> str:
    if not views.frames_of(dataset).done or pace.frames_per_second() < 0.005:
        return ""
    left = pace.seconds_left(dataset)
    speed = f"{pace.frames_per_second():.2f} frames/s"
    return speed if left is None else f"{speed} · about {views.duration(left)} left"


async def watch_dataset(
    address: str,
    name: str,
    screen: Screen,
    *,
    every: float = 1.0,
    on_update: Callable[[Update], None] = lambda update: None,
) -> pb.MovieDataset:
    """Show a dataset until it is final and return it; `on_update` hears of each change before it is shown."""
    dataset = pb.MovieDataset(name=name)
    with screen:
        async with aclosing(follow(address, name, every=every)) as updates:
            async for update in updates:
                on_update(update)
                screen.show(update)
                dataset = update.dataset
    return dataset


def screen_for(console: Console) -> Screen:
    """Bars on a terminal, lines elsewhere."""
    return Bars(console) if console.is_terminal else Lines(console)


def watch_to_the_end(server: str, name: str, *, as_json: bool = False) -> None:
    """Watch, say how it ended and exit with code 1 unless it succeeded; Ctrl-C ends only the watching.

    With `as_json` progress goes to standard error and the final dataset to standard output.
    """
    console = Console(stderr=as_json)
    try:
        dataset = run(watch_dataset(server, name, screen_for(console)))
    except KeyboardInterrupt:
        console.print(
            f"Stopped watching; {short(name)} goes on. Look again: moviellm watch {short(name)}", markup=False
        )
        raise typer.Exit(130) from None
    if as_json:
        views.print_json(Console(), views.to_plain(dataset))
    tell_the_end(dataset, console)
    if dataset.state != pb.MovieDataset.STATE_SUCCEEDED:
        raise typer.Exit(1)


def _next_step(trouble: pb.Trouble) -> str:
    return views.plain(trouble.remedy.removesuffix(", then retry the dataset")) or "mend the cause"


def tell_the_end(dataset: pb.MovieDataset, console: Console) -> None:
    """One sentence on how it ended, one on what next; what went wrong goes to standard error."""
    name, errors = short(dataset.name), Console(stderr=True)
    if dataset.state == pb.MovieDataset.STATE_SUCCEEDED:
        lines = [f"{name} is complete. Next: moviellm open {name}"]
    elif dataset.state == pb.MovieDataset.STATE_FAILED:
        console = errors
        lines = [
            f"Error: {name} failed at {views.trouble_text(dataset.trouble)}",
            f"Hint: {_next_step(dataset.trouble)}; what is made is kept, go on with `moviellm retry {name} --watch`",
        ]
    else:
        console = errors
        lines = [
            f"Error: {name} is {views.state_of(dataset)}",
            f"Hint: what is made is kept; go on with `moviellm retry {name} --watch`",
        ]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def watch(context: typer.Context, name: Name) -> None:
    """Watch a dataset grow until it is complete, failed or cancelled.

    Bars and the time left on a terminal; a line every few seconds when the output is piped. Goes on watching when the
    server is restarted. Exit code 0 when the dataset is complete, 1 when it failed or was cancelled.
    """
    watch_to_the_end(server_of(context), name)

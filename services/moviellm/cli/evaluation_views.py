"""An evaluation as people read it."""

from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from moviellm import errors
from moviellm.cli.views import plain
from moviellm.evaluation.report import Report
from moviellm.evaluation.running import Progress as Judged
from moviellm.evaluation.statistics import Figure
from moviellm.evaluation.summary import Position, Summary

PARTIAL_BIAS = 0.3
"""A judge that names one position so much more often than the other is warned of."""

_LINES = 10


class Meter:
    """How far the judging is, on standard error: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        columns = (TextColumn("judging"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._task: TaskID | None = None
        self._told = -1
        self._last = ""

    def __enter__(self) -> "Meter":
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def show(self, judged: Judged) -> None:
        """Show the latest state."""
        done = judged.judged + len(judged.given_up)
        if self._console.is_terminal:
            if self._task is None:
                self._task = self._bar.add_task("", total=judged.total, completed=done)
            self._bar.update(self._task, completed=done)
            return
        step = done * _LINES // max(1, judged.total)
        if step > self._told:
            self._told = step
            self._console.print(f"judged {done} of {judged.total}", highlight=False)

    def waits(self, error: errors.Temporary, seconds: float) -> None:
        """Why nothing seems to happen; the same trouble is told once."""
        if error.message != self._last:
            self._last = error.message
            self.say(f"{plain(error.message)}; trying again in {seconds:.0f} s")

    def say(self, text: str) -> None:
        """A line beside the bar."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def table_of(report: Report) -> Table:
    """A row for each kind of questions, all together last."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("QUESTIONS", overflow="fold")
    for heading in ("N", "WIN RATE", "WON/TIE/LOST", "CANDIDATE", "BASELINE", "DIFFERENCE", "AGREE"):
        table.add_column(heading, justify="right", no_wrap=True)
    for summary in report.summaries:
        table.add_row(*_row(summary), style="bold" if summary is report.summaries[-1] else "")
    return table


def remarks_on(report: Report) -> Iterator[Text]:
    """What a reader must know to read the table, the position bias of the judge first."""
    if report.summaries:
        yield from _about(report.summaries[-1])
    for note in report.notes:
        yield Text(f"Note: {plain(note)}", style="yellow")
    if report.given_up:
        some = ", ".join(list(report.given_up)[:5])
        why = next(iter(report.given_up.values()))
        text = f"{len(report.given_up)} questions could not be judged and are in no figure ({some}): {why}"
        yield Text(f"{plain(text)}. The same command with --resume tries them again.", style="red")


def _about(total: Summary) -> Iterator[Text]:
    yield from _position(total.position)
    yield Text(
        "A tie is half a win; scores are 0 to 5; below each figure is its 95 % interval (shares: Wilson, scores: "
        "bootstrap over movies); agree: both orders name the same winner.",
        style="dim",
    )
    if total.movies == 1:
        yield Text("The answers are about a single movie, so scores have no interval.", style="yellow")


def _row(summary: Summary) -> tuple[str, ...]:
    return (
        plain(summary.kind),
        str(summary.questions),
        _with_interval(summary.win_rate),
        f"{summary.candidate_wins}/{summary.ties}/{summary.baseline_wins}",
        _with_interval(summary.candidate_score),
        _with_interval(summary.baseline_score),
        _with_interval(summary.score_difference, signed=True),
        _percent(summary.position.orders_agree),
    )


def _position(position: Position) -> Iterator[Text]:
    if position.bias is None:
        return
    yield Text(
        f"Order of showing: of {position.judgements} judgements {position.first_wins} prefer the answer shown first, "
        f"{position.second_wins} the second, {position.ties} neither: bias {position.bias:+.2f} "
        "(0 is none, ±1 is nothing else)."
    )
    if abs(position.bias) >= PARTIAL_BIAS:
        where = "first" if position.bias > 0 else "last"
        yield Text(
            f"This judge prefers what it sees {where}. Both orders are judged, so neither side gains by it, but its "
            "verdicts say little: take another model.",
            style="yellow",
        )


def _with_interval(figure: Figure | None, *, signed: bool = False) -> str:
    if figure is None:
        return "–"
    form = "+.2f" if signed else ".2f"
    value = format(figure.value, form)
    if figure.low is None or figure.high is None:
        return value
    return f"{value}\n{figure.low:{form}}…{figure.high:{form}}"


def _percent(figure: Figure | None) -> str:
    return "–" if figure is None else f"{100 * figure.value:.0f} %"

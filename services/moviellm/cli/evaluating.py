"""`moviellm evaluate`: two sets of answers judged pairwise, as the paper does it, without its bias."""

import asyncio
import contextlib
import os
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from moviellm import errors
from moviellm.cli.connection import checked_address, run
from moviellm.cli.credentials import peer_of
from moviellm.cli.evaluation_views import Meter, remarks_on, table_of
from moviellm.cli.judging import LEXICAL, MODEL, JudgeChoice, judge_of
from moviellm.cli.machine import stop_signals
from moviellm.evaluation.answers import Role
from moviellm.evaluation.journal import Journal
from moviellm.evaluation.pairing import Pairs, paired
from moviellm.evaluation.reading import read_answers
from moviellm.evaluation.report import Report, as_json, report_of, write_whole
from moviellm.evaluation.running import Progress, Run, survey
from moviellm.security.secured_channel import PLAIN

_MODEL_VARIABLE = "MOVIELLM_QA_LLM_MODEL"
_KEY_VARIABLE = "MOVIELLM_QA_LLM_API_KEY"
_INTERRUPTED = 130


class Missing(StrEnum):
    """What becomes of questions that a side did not answer."""

    REFUSE = "refuse"
    ZERO = "zero"


def _judge(text: str) -> str:
    if text in (LEXICAL, MODEL):
        return text
    try:
        return checked_address(text)
    except typer.BadParameter:
        raise typer.BadParameter(
            f"{text!r} is neither {MODEL} nor {LEXICAL} nor the HOST:PORT of a question service"
        ) from None


def _base_url(text: str) -> str:
    if text and not re.match(r"https?://[^/\s]+", text):
        raise typer.BadParameter(f"{text!r} is no address; give a URL such as http://localhost:8000/v1")
    return text


def evaluate(
    context: typer.Context,
    reference: Annotated[Path, typer.Option(help="The right answers, with their questions: a file or a folder.")],
    candidate: Annotated[Path, typer.Option(help="One model's answers, as after tuning on the data.")],
    baseline: Annotated[Path, typer.Option(help="Another model's answers, as before tuning.")],
    judge: Annotated[
        str,
        typer.Option(
            callback=_judge,
            metavar="model|lexical|HOST:PORT",
            help="A language model, common words (no model needed; rough), or a running question service.",
        ),
    ] = MODEL,
    base_url: Annotated[
        str,
        typer.Option(callback=_base_url, help="The model's endpoint, any that speaks OpenAI's chat completions."),
    ] = "",
    model: Annotated[str, typer.Option(help="The model's name at the endpoint.")] = "",
    key_file: Annotated[Path | None, typer.Option(help="A file that holds the endpoint's key.")] = None,
    output: Annotated[Path, typer.Option(dir_okay=False, help="Where the figures go, as JSON.")] = Path(
        "evaluation.json"
    ),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an earlier run of this output.")] = False,
    missing: Annotated[Missing, typer.Option(help="What to do with unanswered questions.")] = Missing.REFUSE,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Questions judged at once.")] = 8,
    timeout: Annotated[float, typer.Option(min=1.0, help="Seconds one reply of the model may take.")] = 120.0,
    seed: Annotated[int, typer.Option(help="Seed of the intervals.")] = 0,
) -> None:
    """Judge two sets of answers pairwise against the right ones, in both orders.

    Every question is judged twice, with the candidate and with the baseline
    shown first; only a win in both is a win. Prints win rates and scores of
    overview, plot and temporal questions with 95 % intervals, and how far the
    judge went by position. Each judgement is kept beside OUTPUT at once, and a
    run that was stopped goes on with --resume.

    [bold]Examples[/]

      moviellm evaluate --reference right.json --candidate after.json \\
        --baseline before.json --model my-judge --key-file key.txt

      moviellm evaluate --reference out/demo --candidate after.json \\
        --baseline before.json --judge lexical

    The first judges with a model of OpenAI's; --base-url names any other
    endpoint, such as http://localhost:8000/v1. The second needs no model: it
    counts words in common, which shows that everything runs, and no more.
    """
    replies = output.with_name(f".{output.stem}.replies")
    peer = PLAIN if judge in (LEXICAL, MODEL) else peer_of(context.find_root().params, judge)
    choice = JudgeChoice(
        judge, base_url, _model_of(judge, model), _key_file(key_file), timeout, concurrency, replies, peer
    )
    sets = tuple(
        read_answers(path, role)
        for path, role in ((reference, Role.REFERENCE), (candidate, Role.CANDIDATE), (baseline, Role.BASELINE))
    )
    pairs = paired(*sets, missing_is_zero=missing is Missing.ZERO)
    with Journal(_journal_of(output, resume)) as journal, Meter() as meter:
        evaluation = _Evaluation(pairs, choice, journal, meter)
        progress = run(evaluation.judge())
        if evaluation.was_stopped:
            _say_kept(meter, progress)
            raise typer.Exit(_INTERRUPTED)
        report = report_of(pairs, journal, choice.name, given_up=progress.given_up, seed=seed)
    write_whole(output, as_json(report, sets))
    _show(report, output)
    if report.given_up:
        raise typer.Exit(1)
    _forget(replies)


@dataclass
class _Evaluation:
    """One run of judging, with what it is to be told when it ends early."""

    pairs: Pairs
    choice: JudgeChoice
    journal: Journal
    meter: Meter
    progress: Progress = field(default_factory=lambda: Progress(0))
    was_stopped: bool = False
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _work: asyncio.Task[None] | None = None

    async def judge(self) -> Progress:
        """Judge everything; the first signal lets what is under way finish, the second does not."""
        async with stop_signals(self._stop_at_once) as self._stop:
            self._work = asyncio.create_task(self._judge_all())
            told = asyncio.create_task(self._tell_when_stopping())
            try:
                await self._work
            except asyncio.CancelledError:
                if not self._stop.is_set():
                    raise
            finally:
                told.cancel()
        self.was_stopped = self._stop.is_set() and not self.progress.is_done
        return self.progress

    async def _judge_all(self) -> None:
        self._hear(survey(self.pairs.items, self.journal, self.choice.name))
        if len(self.journal) and not self.progress.already:
            self.meter.say(f"none of the judgements in {self.journal.path} is of these answers by this judge")
        if self.progress.is_done:
            return
        async with judge_of(self.choice, os.environ) as judge:
            work = Run(
                judge,
                self.journal,
                concurrency=self.choice.concurrency,
                stop=self._stop,
                heard=self._hear,
                waits=self.meter.waits,
            )
            try:
                await work.judge_all(self.pairs.items)
            except errors.MovieLLMError as error:
                raise _explained(error, self.progress) from error

    def _stop_at_once(self) -> None:
        if self._work:
            self._work.cancel()

    def _hear(self, progress: Progress) -> None:
        self.progress = progress
        self.meter.show(progress)

    async def _tell_when_stopping(self) -> None:
        await self._stop.wait()
        self.meter.say("stopping after the judgements under way; once more stops at once")


def _model_of(judge: str, model: str) -> str:
    if judge != MODEL:
        return ""
    name = model.strip() or os.environ.get(_MODEL_VARIABLE, "").strip()
    if not name:
        raise typer.BadParameter(
            "name the model that judges with --model (and its endpoint with --base-url), or choose --judge lexical"
        )
    return name


def _key_file(path: Path | None) -> Path | None:
    """Checked here and not by the judge, whose words would name a setting."""
    if path is not None and not (path.is_file() and os.access(path, os.R_OK)):
        raise typer.BadParameter(f"--key-file {path} must be a readable file that holds the key")
    return path


def _journal_of(output: Path, resume: bool) -> Path:
    journal = output.with_name(f"{output.stem}.journal.jsonl")
    if not resume and journal.exists() and journal.stat().st_size > 0:
        raise errors.Unsatisfied(
            f"{journal} holds judgements of an earlier run; --resume goes on with them, another --output begins anew",
            reason="JOURNAL_EXISTS",
        )
    return journal


def _forget(replies: Path) -> None:
    """Remove the single replies of a run whose verdicts are all in the journal."""
    for file in replies.glob("replies/*.json"):
        file.unlink(missing_ok=True)
    for folder in (replies / "replies", replies):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _explained(error: errors.MovieLLMError, progress: Progress) -> errors.MovieLLMError:
    """The error with what to do next."""
    if error.reason == "LLM_UNAUTHORIZED":
        error.message += f"; give the right one with --key-file, or in {_KEY_VARIABLE}"
    elif error.reason == "LLM_MODEL_UNKNOWN":
        error.message += "; name it with --model, its endpoint with --base-url"
    if progress.judged:
        error.message += f"; {_kept(progress)}"
    return error


def _kept(progress: Progress) -> str:
    return f"{progress.judged} of {progress.total} judgements are kept, and the same command with --resume goes on"


def _say_kept(meter: Meter, progress: Progress) -> None:
    meter.say(f"stopped; {_kept(progress)}")


def _show(report: Report, output: Path) -> None:
    console = Console()
    console.print(table_of(report))
    console.print()
    for remark in remarks_on(report):
        console.print(remark, soft_wrap=True, highlight=False)
    if report.prompt_tokens or report.completion_tokens:
        _say(f"Tokens: {report.prompt_tokens:,} sent, {report.completion_tokens:,} received.")
    _say(f"All figures and judgements: {output}")


def _say(text: str) -> None:
    Console().print(text, markup=False, highlight=False, soft_wrap=True)

"""`moviellm doctor`: is the deployment able to work, and if not, what is to be done?"""

import asyncio
import importlib.metadata
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from moviellm import errors, rpc
from moviellm.cli import views
from moviellm.cli.connection import Server, connect, peer_to, run, server_of
from moviellm.v1 import deployment_service_pb2 as pb
from moviellm.v1 import deployment_service_pb2_grpc
from moviellm.v1 import movie_dataset_service_pb2 as dataset_pb

DIAGNOSIS_SECONDS = 120.0
DATASET_SECONDS = 900.0
CLOCK_SECONDS = 30.0
"""Clocks that differ by more make tokens look expired."""

_OK, _WARNING, _FAILED = pb.VERDICT_OK, pb.VERDICT_WARNING, pb.VERDICT_FAILED
_MARKS = {_OK: ("ok", "green"), _WARNING: ("warning", "yellow"), _FAILED: ("failed", "red")}

_REMEDIES: dict[type[errors.MovieLLMError], str] = {
    errors.Unauthenticated: "give a token that this deployment knows: --token-file or MOVIELLM_TOKEN_FILE",
    errors.Denied: "use a token with the role operator",
    errors.Unavailable: "start the controller (`moviellm up`), or correct --server and the options of TLS",
}


def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON, for programs.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Also make a dataset of one scene, and remove it.")] = False,
) -> None:
    """Look at every part of a deployment; say what is wrong and what to do.

    Exit code 0 when all works, 1 when something does not.
    """
    console = Console()
    findings = run(_all_findings(server_of(context), console, full=full, as_json=as_json))
    if as_json:
        views.print_json(console, [_as_values(finding) for finding in findings])
    failed = [finding for finding in findings if finding.verdict == _FAILED]
    if not as_json:
        _sum_up(console, findings)
    raise typer.Exit(1 if failed else 0)


async def _all_findings(server: Server, console: Console, *, full: bool, as_json: bool) -> list[pb.Finding]:
    findings: list[pb.Finding] = []
    async with aclosing(_findings(server, full=full)) as found:
        async for finding in found:
            findings.append(finding)
            if not as_json:
                _show(console, finding)
    return findings


async def _findings(server: Server, *, full: bool) -> Any:
    try:
        answer = await _diagnosed(server)
    except errors.MovieLLMError as error:
        remedy = next(
            (text for cls, text in _REMEDIES.items() if isinstance(error, cls)), "look in the controller's log"
        )
        yield _finding("controller", "reached", _FAILED, error.message, remedy)
        return
    yield _finding("controller", "reached", _OK, f"answers at {server}")
    yield _clock_finding(answer)
    yield _version_finding(answer)
    for finding in answer.findings:
        yield finding
    if not full:
        return
    if any(finding.verdict == _FAILED for finding in answer.findings):
        yield _finding("dataset", "one scene", _WARNING, "not tried, because parts do not work", "mend those first")
        return
    yield await _one_scene(server)


async def _diagnosed(server: Server) -> pb.DiagnoseDeploymentResponse:
    async with rpc.channel(server, peer_to(server)) as channel:
        stub = deployment_service_pb2_grpc.DeploymentServiceStub(channel)
        request = pb.DiagnoseDeploymentRequest()
        try:
            return await rpc.call("moviellm", stub.DiagnoseDeployment(request, timeout=DIAGNOSIS_SECONDS))
        except errors.Unavailable as error:
            if error.reason != "SERVICE_UNREACHABLE":
                raise
            raise errors.Unavailable(f"no moviellm server answers at {server}", reason=error.reason) from error


def _clock_finding(answer: pb.DiagnoseDeploymentResponse) -> pb.Finding:
    apart = abs(answer.time.ToMicroseconds() / 1e6 - time.time())
    sentence = f"the controller's clock and this one are {apart:.1f} s apart"
    if apart > CLOCK_SECONDS:
        return _finding("controller", "clock", _WARNING, sentence, "set both by NTP; tokens expire by the clock")
    return _finding("controller", "clock", _OK, sentence)


def _version_finding(answer: pb.DiagnoseDeploymentResponse) -> pb.Finding:
    ours = importlib.metadata.version("moviellm")
    if ours == answer.version:
        return _finding("controller", "version", _OK, f"version {ours}, as this command")
    sentence = f"the controller is version {answer.version}, this command {ours}"
    return _finding("controller", "version", _WARNING, sentence, "install the same version of the command")


async def _one_scene(server: Server) -> pb.Finding:
    """A dataset of one frame through all stages."""
    began = time.monotonic()
    spec = dataset_pb.MovieDatasetSpec(theme="a lighthouse keeper who finds a message")
    spec.movies = spec.chapters = spec.scenes = spec.frames = 1
    async with connect(server) as client:
        name = ""
        try:
            async with asyncio.timeout(DATASET_SECONDS):
                name = (await client.create(dataset_pb.CreateMovieDatasetRequest(spec=spec))).name
                dataset = await _ended(client.watch(name, ""))
        except TimeoutError:
            return _finding("dataset", "one scene", _FAILED, f"not ready after {DATASET_SECONDS:.0f} s", "look at it")
        except errors.MovieLLMError as error:
            return _finding("dataset", "one scene", _FAILED, error.message, "look in the controller's log")
        finally:
            if name:
                await client.delete(name)
    took = time.monotonic() - began
    if dataset.state == dataset_pb.MovieDataset.STATE_SUCCEEDED:
        return _finding("dataset", "one scene", _OK, f"made and removed in {took:.0f} s", seconds=took)
    trouble = dataset.trouble
    return _finding("dataset", "one scene", _FAILED, views.trouble_text(trouble), trouble.remedy, seconds=took)


async def _ended(updates: AsyncIterator[dataset_pb.WatchMovieDatasetResponse]) -> dataset_pb.MovieDataset:
    dataset = dataset_pb.MovieDataset()
    async for update in updates:
        dataset = update.movie_dataset
    return dataset


def _finding(
    part: str, check: str, verdict: "pb.Verdict.ValueType", message: str, remedy: str = "", *, seconds: float = 0.0
) -> pb.Finding:
    return pb.Finding(part=part, check=check, verdict=verdict, message=message, remedy=remedy, seconds=seconds)


def _show(console: Console, finding: pb.Finding) -> None:
    word, style = _MARKS.get(finding.verdict, ("unknown", "yellow"))
    line = Text(f"{word:<8}", style=style) + Text(
        views.plain(f"{finding.part}, {finding.check}: {finding.message}"),
        style="" if finding.verdict == _OK else style,
    )
    console.print(line, soft_wrap=True, highlight=False)
    if finding.remedy:
        console.print(Text(f"         → {views.plain(finding.remedy)}"), soft_wrap=True, highlight=False)


def _sum_up(console: Console, findings: list[pb.Finding]) -> None:
    failed = sum(finding.verdict == _FAILED for finding in findings)
    warned = sum(finding.verdict == _WARNING for finding in findings)
    told = f"{failed} of {len(findings)} checks failed" if failed else f"all {len(findings)} checks passed"
    console.print(told + (f", {warned} with a warning" if warned else ""), highlight=False)


def _as_values(finding: pb.Finding) -> dict[str, Any]:
    word, _ = _MARKS.get(finding.verdict, ("unknown", ""))
    return {
        "part": finding.part,
        "check": finding.check,
        "verdict": word,
        "message": finding.message,
        "remedy": finding.remedy,
        "seconds": round(finding.seconds, 3),
    }

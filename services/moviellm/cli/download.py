"""The files of a dataset, fetched into a folder that they cannot leave."""

import asyncio
import json
import os
import stat
import sys
import tempfile
import webbrowser
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TransferSpeedColumn

from moviellm import errors
from moviellm.cli import views
from moviellm.cli.connection import Client, Name, connect, run, server_of, short
from moviellm.cli.settings import DEFAULT_OUT
from moviellm.v1 import movie_dataset_service_pb2 as pb

CONCURRENCY = 8
WAITS = (1.0, 2.0, 4.0)
RECORD = ".download.json"

Out = Annotated[Path, typer.Option(file_okay=False, help="The folder in which the dataset gets a folder of its own.")]
Heard = Callable[[int, int], None]
"""Called with files finished and bytes received since the last call."""


@dataclass(frozen=True)
class Downloaded:
    """What a download did."""

    folder: Path
    dataset: pb.MovieDataset
    fetched: int
    skipped: int
    size_bytes: int


def safe_place(folder: Path, path: str) -> Path:
    """Where a file of the dataset goes; raises Denied for a path that would leave `folder`, also through a link."""
    parts = PurePosixPath(path).parts
    unprintable = any(ord(character) < 32 for character in path)
    windows = "\\" in path or ":" in path
    if not parts or path.startswith("/") or path.endswith("/") or ".." in parts or unprintable or windows:
        raise _leaves(path)
    if parts[0] == RECORD:
        raise _leaves(path)
    place = folder.joinpath(*parts)
    root = folder.resolve()
    parent = place.parent.resolve()
    if parent != root and root not in parent.parents:
        raise _leaves(path)
    return place


def _leaves(path: str) -> errors.Denied:
    return errors.Denied(f"the server lists a file {path!r} that would leave the folder; it is not written")


async def fetch_dataset(
    address: str,
    name: str,
    out: Path,
    *,
    heard: Heard = lambda files, size: None,
    planned: Heard = lambda files, size: None,
    waits: Sequence[float] = WAITS,
) -> Downloaded:
    """Fetch the files of a dataset that exist so far into `out`/<dataset>; files already there are kept.

    `planned` is called once with the number and bytes of the files to fetch; `waits` are the seconds before a file is
    asked for again after a temporary error. Raises Denied, before anything is
    written, when the server lists a path that would leave the folder.
    """
    folder = out / short(name)
    async with connect(address) as client:
        dataset = await client.get(name)
        listed = [artifact async for artifact in client.artifacts(name)]
        places = {artifact.path: safe_place(folder, artifact.path) for artifact in listed}
        folder.mkdir(parents=True, exist_ok=True)
        _forget_another(folder, dataset, set(places))
        missing = [artifact for artifact in listed if not _is_there(places[artifact.path], artifact.size_bytes)]
        planned(len(missing), sum(artifact.size_bytes for artifact in missing))
        await _fetch_all(
            lambda artifact: _patiently(lambda: _fetch(client, name, folder, artifact, heard), waits), missing
        )
        _remember(folder, dataset, set(places))
    size_bytes = sum(artifact.size_bytes for artifact in listed)
    return Downloaded(folder, dataset, len(missing), len(listed) - len(missing), size_bytes)


async def _fetch_all(fetch: Callable[[pb.Artifact], Awaitable[None]], missing: list[pb.Artifact]) -> None:
    waiting = iter(missing)

    async def work() -> None:
        for artifact in waiting:
            await fetch(artifact)

    workers = [asyncio.create_task(work()) for _ in range(min(CONCURRENCY, len(missing)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _patiently(attempt: Callable[[], Awaitable[None]], waits: Sequence[float]) -> None:
    for wait in waits:
        try:
            return await attempt()
        except errors.Temporary:
            await asyncio.sleep(wait)
    return await attempt()


async def _fetch(client: Client, name: str, folder: Path, artifact: pb.Artifact, heard: Heard) -> None:
    received = 0
    try:
        with _whole_file(folder, artifact) as file:
            async with aclosing(client.content(name, artifact.path)) as pieces:
                async for piece in pieces:
                    file.write(piece)
                    received += len(piece)
                    heard(0, len(piece))
            if received != artifact.size_bytes:
                raise errors.Interrupted(f"{artifact.path} ended after {received} of {artifact.size_bytes} bytes")
    except BaseException:
        heard(0, -received)
        raise
    heard(1, 0)


@contextmanager
def _whole_file(folder: Path, artifact: pb.Artifact) -> Iterator[IO[bytes]]:
    """A file that appears under its name only when the block ends well."""
    place = safe_place(folder, artifact.path)
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name[:100]}.", suffix=".part")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        temporary.chmod(0o644)
        safe_place(folder, artifact.path)
        temporary.replace(place)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _is_there(place: Path, size_bytes: int) -> bool:
    try:
        status = place.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == size_bytes


# ---- which dataset a folder holds: a name can be deleted and given again ----


def _forget_another(folder: Path, dataset: pb.MovieDataset, paths: set[str]) -> None:
    """Remove files that an earlier dataset of the same name left here; only files that a download wrote."""
    try:
        record = json.loads((folder / RECORD).read_text())
        before, known = str(record["create_time"]), [str(path) for path in record["paths"]]
    except (OSError, ValueError, KeyError, TypeError):
        return
    same = before == dataset.create_time.ToJsonString()
    for path in known:
        if same and path in paths:
            continue
        try:
            safe_place(folder, path).unlink(missing_ok=True)
        except (errors.Denied, OSError):
            continue


def _remember(folder: Path, dataset: pb.MovieDataset, paths: set[str]) -> None:
    record = {"create_time": dataset.create_time.ToJsonString(), "paths": sorted(paths)}
    temporary = folder / f"{RECORD}.part"
    temporary.write_text(json.dumps(record, indent=0))
    temporary.replace(folder / RECORD)


# ---- the commands ----


def download(context: typer.Context, name: Name, out: Out = DEFAULT_OUT) -> None:
    """Fetch the files of a dataset into OUT/NAME.

    Files that are there already are kept, so a broken download goes on where it was, and a dataset that is still being
    made can be fetched again and again.
    """
    done = download_with_bar(server_of(context), name, out, Console())
    state = views.state_of(done.dataset)
    so_far = (
        ""
        if done.dataset.state == pb.MovieDataset.STATE_SUCCEEDED
        else f" (the dataset is {state}; these are its files so far)"
    )
    kept = f", {done.skipped} were there already" if done.skipped else ""
    _say(f"{done.fetched} files fetched{kept}: {done.folder}{so_far}")
    if (done.folder / "index.html").exists():
        _say(f"Next: moviellm open {short(name)}" + ("" if out == DEFAULT_OUT else f" --out {out}"))


def download_with_bar(server: str, name: str, out: Path, console: Console) -> Downloaded:
    """Fetch with a progress bar where the console is a terminal."""
    return run(fetch_with_bar(server, name, out, console))


async def fetch_with_bar(server: str, name: str, out: Path, console: Console) -> Downloaded:
    """Fetch with a progress bar where the console is a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[size]}"),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(f"fetching {short(name)}", total=None, size="")
        received = 0

        def planned(files: int, size: int) -> None:
            progress.update(task, total=files, size=f"of {views.size(size)}")

        def heard(files: int, size: int) -> None:
            nonlocal received
            received += size
            progress.update(task, advance=files)

        return await fetch_dataset(server, name, out, heard=heard, planned=planned)


def open_(context: typer.Context, name: Name, out: Out = DEFAULT_OUT) -> None:
    """Open the preview page of a dataset, fetching its files first where they are missing."""
    page = out / short(name) / "index.html"
    try:
        download_with_bar(server_of(context), name, out, Console(stderr=True))
    except (errors.Unavailable, errors.NotFound):
        if not page.exists():
            raise
    if not page.exists():
        raise errors.Unsatisfied(
            f"{short(name)} has no preview page yet; `moviellm watch {short(name)}` shows how far it is"
        )
    _say(str(page.absolute()))
    if has_display():
        webbrowser.open(page.absolute().as_uri())


def has_display() -> bool:
    """Whether a browser window can open here."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _say(text: str) -> None:
    Console().print(text, markup=False, highlight=False, soft_wrap=True)

"""The `moviellm` command: its parts put together, and what a person is told when something goes wrong."""

import os
import sys
import traceback
from collections.abc import Callable
from typing import Annotated

import typer
from rich.console import Console
from typer.exceptions import TyperException

from moviellm import errors, rpc
from moviellm.cli import benchmarking, demo, doctor, download, evaluating, progress, requests, tokens, up
from moviellm.cli.connection import UNREACHABLE, checked_address
from moviellm.cli.credentials import (
    WITH_VALUE,
    WITHOUT_VALUE,
    Plaintext,
    Tls,
    TlsCa,
    TlsCert,
    TlsKey,
    TlsServerName,
    TokenFile,
)
from moviellm.cli.local_stack import StackFailed
from moviellm.cli.settings import DEFAULT_SERVER
from moviellm.cli.views import plain

OPTIONS = {
    "spec.theme": "--theme",
    "spec.movies": "--movies",
    "spec.chapters": "--chapters",
    "spec.scenes": "--scenes",
    "spec.frames": "--frames",
    "spec.style": "--style or --style-description",
    "spec.style.preset": "--style",
    "spec.style.description": "--style-description",
    "spec.seed": "--seed",
    "spec.formats": "--format",
    "spec.model": "--model",
    "spec.frames_per_second": "--fps",
    "spec.dialogue_lines": "--dialogue-lines",
    "style_pictures": "--style-picture",
    "movie_dataset_id": "--id",
    "request_id": "--request-id",
}
"""Fields of a request and the options that set them."""

app = typer.Typer(
    name="moviellm",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def moviellm(
    server: Annotated[
        str,
        typer.Option(envvar="MOVIELLM_SERVER", callback=checked_address, help="HOST:PORT of the moviellm server."),
    ] = DEFAULT_SERVER,
    token_file: TokenFile = None,
    tls: Tls = False,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    tls_server_name: TlsServerName = "",
    plaintext: Plaintext = False,
) -> None:
    """One theme phrase in, movie-length training data for video language models out.

    [bold]First steps[/]

      moviellm up                                   the whole stack on this machine

      moviellm create --theme "…" --id demo --watch   in another terminal

      moviellm open demo                            fetch it and look at it
    """


app.command()(up.up)
app.command()(requests.create)
app.command()(progress.watch)
app.command("list")(requests.list_)
app.command()(requests.get)
app.command()(requests.cancel)
app.command()(requests.retry)
app.command()(requests.delete)
app.command()(download.download)
app.command("open")(download.open_)
app.command()(demo.demo)
app.command()(doctor.doctor)
app.command()(tokens.token)
app.command(rich_help_panel="Evaluation")(benchmarking.benchmark)
app.command(rich_help_panel="Evaluation")(evaluating.evaluate)


def run_command(arguments: list[str]) -> int:
    """Run the command with these arguments and return its exit code."""
    return told(lambda: app(server_first(arguments), standalone_mode=False))


def told(work: Callable[[], object]) -> int:
    """Do the work; whatever goes wrong is told in a sentence on standard error.

    Returns the exit code: 0 done, 1 refused or failed, 2 used wrongly, 130 interrupted.
    """
    try:
        code = work()
        return code if isinstance(code, int) else 0
    except typer.Exit as error:
        return error.exit_code
    except TyperException as error:
        return _tell_usage(error)
    except StackFailed as error:
        up.tell_last_lines(error, Console(stderr=True))
        return _tell(error.message, "mend the cause and start again")
    except errors.MovieLLMError as error:
        return _tell(error.message, hint_for(error))
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _tell(f"{error.filename or 'this machine'}: {error.strerror or error}", "")
    except Exception as error:
        if os.environ.get("MOVIELLM_DEBUG"):
            traceback.print_exc()
        return _tell(
            f"internal error: {type(error).__name__}: {error}", "MOVIELLM_DEBUG=1 shows where; please report it"
        )


def server_first(arguments: list[str]) -> list[str]:
    """The arguments with those for all commands before the command, where people also write them behind."""
    moved, rest, left = [], [], iter(arguments)
    for argument in left:
        if argument == "--":
            rest.append(argument)
            break
        if argument in WITH_VALUE:
            moved += [argument, *[value for value in [next(left, None)] if value is not None]]
        elif argument in WITHOUT_VALUE or argument.partition("=")[0] in WITH_VALUE:
            moved.append(argument)
        else:
            rest.append(argument)
    return [*moved, *rest, *left]


def hint_for(error: errors.MovieLLMError) -> str:
    """What to do next, empty where the error says it already."""
    if error.reason == UNREACHABLE:
        return (
            "start it with `moviellm up`, or name another with --server HOST:PORT or MOVIELLM_SERVER; one that speaks "
            "TLS needs --tls or --tls-ca FILE"
        )
    if isinstance(error, errors.Unauthenticated):
        return "give your token with --token-file FILE, MOVIELLM_TOKEN_FILE or MOVIELLM_TOKEN"
    if error.reason == rpc.CALL_LOST:
        return "ask again; a server that speaks TLS needs --tls or --tls-ca FILE"
    if error.reason == "ROLE_MISSING":
        return "ask who runs the server for a token with that role"
    if isinstance(error, errors.InvalidInput):
        option = OPTIONS.get(error.field.partition("[")[0])
        return f"change {option}" if option else ""
    if isinstance(error, errors.NotFound):
        return "`moviellm list` shows what there is"
    if isinstance(error, errors.AlreadyExists):
        return "choose another --id, or look at what is there with `moviellm get NAME`"
    if isinstance(error, errors.Exhausted):
        return f"ask again in {error.retry_after:.0f} s" if error.retry_after else "ask again later"
    return "ask again" if isinstance(error, errors.Temporary) else ""


def _tell(message: str, hint: str) -> int:
    console = Console(stderr=True)
    console.print(f"Error: {plain(message)}", markup=False, highlight=False, soft_wrap=True)
    if hint:
        console.print(f"Hint: {hint}", markup=False, highlight=False, soft_wrap=True)
    return 1


def _tell_usage(error: TyperException) -> int:
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message())
        return 2
    _tell(error.format_message(), f"`{context.command_path} --help` shows how it is used" if context else "")
    return 2
